"""One request to an endpoint, read and checked; and what its handler makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from domain.actor import Actor
from domain.command_service import Executed
from domain.commands.command import Command
from domain.errors import DomainError
from gql.context import Context, Services
from gql.loaders import Loaders

Q = TypeVar("Q")
B = TypeVar("B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Q, B]):
    """
    `identity` is what an `{id}` in the path names, `key` the caller's idempotency key, and `known_tag` what
    If-None-Match says.
    """

    context: Context
    identity: UUID | None
    query: Q
    body: B
    key: str | None = None
    known_tag: str | None = None

    @property
    def id(self) -> UUID:
        """The object that the path names, on a route that has one."""
        if self.identity is None:
            raise LookupError("This route names no object")
        return self.identity

    @property
    def actor(self) -> Actor:
        return self.context.actor

    @property
    def services(self) -> Services:
        return self.context.services

    @property
    def loaders(self) -> Loaders:
        """By which the caller finds what they may see."""
        return self.context.loaders

    async def execute(self, command: Command[Any, Any]) -> Executed:
        """Carry the command out under the caller's key; what is read afterwards is read anew."""
        try:
            return await self.services.commands.execute(self.actor, command, key=self.key)
        finally:
            self.context.forget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A success: its status is one of the route's `replies`, by whose model it is written. No data, no body."""

    status: int = 200
    data: object = None
    meta: BaseModel | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """
    A command that did not succeed, with what it made or changed nevertheless, and which parts of it were done before.

    So a declined payment is there, in FAILED, and its caller is to see it.
    """

    def __init__(
        self,
        error: DomainError,
        *,
        resource: BaseModel | None = None,
        applied: Sequence[str] | None = None,
        is_replayed: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.resource = resource
        self.applied = applied
        self.is_replayed = is_replayed
