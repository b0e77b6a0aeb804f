"""Who did something."""

import strawberry

from domain.actor import Role

strawberry.enum(Role, description="What a caller is; SYSTEM is the gateway itself.")


@strawberry.type(name="Actor", description="Who did something.")
class ActorView:
    kind: Role = strawberry.field(description="What they are.")
    id: str = strawberry.field(description="The User Service's id of them.")
