"""What every mutation answers, and how business errors get into it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import strawberry
from strawberry.extensions import FieldExtension

from domain.command_service import Executed
from domain.commands.command import Command
from domain.errors import DatabaseUnavailable, DomainError, Unauthenticated
from domain.operation import Operation
from gql.card_numbers import refused_input
from gql.context import Info
from gql.denials import tell_denial
from gql.errors import UserError, user_error
from gql.needs import needs
from gql.node import optional_view
from gql.operation import OperationView
from gql.scalars import IdempotencyKey

T = TypeVar("T", covariant=True)
P = TypeVar("P", bound="Payload")

INPUT: Final = strawberry.argument(description="What is to be done.")
"""Describes the one argument that every mutation takes."""

KEY: Final = "Names this intention. Keep it until you know the outcome, and use it again to ask once more."
OPTIONAL_KEY: Final = "Optional here: without one, each call is an intention of its own."
METADATA: Final = "Your own data; at most 8 KiB of JSON. Never card data or secrets."


class Loads(Protocol[T]):
    def load(self, key: UUID) -> Awaitable[T]: ...


@strawberry.interface(name="MutationPayload", description="What every mutation answers.")
class Payload:
    executed: strawberry.Private[Executed | None] = None
    refusal: strawberry.Private[DomainError | None] = None

    @strawberry.field(
        description=(
            "The use of the idempotency key; null where the input was refused, or only rehearsed, and the key is "
            "still free."
        )
    )
    def operation(self) -> OperationView | None:
        return optional_view(OperationView, self.executed)

    @strawberry.field(description="Business outcomes that are no success; empty when all went well.")
    @needs()
    def errors(self, info: Info) -> list[UserError]:
        return [user_error(error, info.context.actor) for error in self.problems]

    @property
    def record(self) -> Operation | None:
        return self.executed.operation if self.executed else None

    @property
    def problems(self) -> list[DomainError]:
        found = self.refusal or (self.record.verdict if self.record else None)
        return [found] if found else []

    async def made(self, loader: Loads[T]) -> T | None:
        """What the operation made or changed, as it is now."""
        if self.record is None or self.record.object_id is None:
            return None
        return await loader.load(self.record.object_id)


@strawberry.input(description="Name an object.")
class ObjectRefInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The object.")


class BusinessErrors(FieldExtension):
    """Puts a refused command into the payload. A missing token is no business outcome, nor is a lost database."""

    def __init__(self, payload: type[Payload]) -> None:
        self._payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **kwargs: Any
    ) -> Any:
        if info.context.card_number is not None:
            payload = self._payload(refusal=refused_input(kwargs, info.context.card_number))
        else:
            payload = await self._payload_of(next_(source, info, **kwargs))
        for error in payload.problems:
            tell_denial(error, info.context.actor, what=info.field_name)
        info.context.user_errors += [
            {"mutation": info.field_name, "code": error.code.value} for error in payload.problems
        ]
        return payload

    async def _payload_of(self, answer: Awaitable[Any]) -> Payload:
        try:
            payload: Payload = await answer
        except (DatabaseUnavailable, Unauthenticated):
            raise
        except DomainError as refusal:
            payload = self._payload(refusal=refusal)
        return payload


async def executed(payload: type[P], info: Info, command: Command[Any, Any], key: str | None) -> P:
    """Carry the command out and show what became of it, read anew: mutations of one document run in order."""
    context = info.context
    done = await context.services.commands.execute(context.actor, command, key=key)
    context.forget()
    return payload(executed=done)
