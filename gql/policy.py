"""What callers may ask of the endpoint, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.actor import Actor, Role
from gql.limits import Limits
from gql.trusted_documents import TrustedDocument

QUERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    `hides_schema` from callers without a token; without `introspection` nobody may ask for it.

    `query_seconds` is for queries alone: a mutation is never cut off, since its command has bounds of its own and
    its caller is to hear what became of it.
    """

    limits: Limits = field(default_factory=Limits)
    introspection: bool = True
    hides_schema: bool = False
    trusted: Sequence[TrustedDocument] = ()
    only_trusted: bool = False
    keeps_queries: bool = True
    query_seconds: float = QUERY_SECONDS
    tells_cost: bool = True
    by_plans: bool = True
    """Whether queries are answered by plans; graphql-core gives the same answers, in many times the time."""

    def tells_schema_to(self, actor: Actor) -> bool:
        return self.introspection and not (self.hides_schema and actor.role is Role.ANONYMOUS)
