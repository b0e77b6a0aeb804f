"""Who asks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import Forbidden, NotFound, Unauthenticated


class Role(StrEnum):
    """From a token; SYSTEM is ours: the worker and the processor's news act under it."""

    ANONYMOUS = "ANONYMOUS"
    USER = "USER"
    SUPPORT = "SUPPORT"
    ADMIN = "ADMIN"
    SERVICE = "SERVICE"
    SYSTEM = "SYSTEM"


SEES_EVERYBODY: Final = frozenset({Role.SUPPORT, Role.ADMIN, Role.SYSTEM})

ACTS_FOR_OTHERS: Final = frozenset({Role.ADMIN, Role.SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A caller, as the verified token names it, and the request it makes, from which address."""

    role: Role
    user_id: UUID | None = None
    request_id: str = ""
    ip: str | None = None

    @property
    def known_id(self) -> UUID:
        """The caller's user id; raises Unauthenticated for an anonymous caller."""
        if self.user_id is None:
            raise Unauthenticated("A valid bearer token is needed.")
        return self.user_id

    @property
    def sees_everybody(self) -> bool:
        return self.role in SEES_EVERYBODY

    @property
    def visible_owner(self) -> UUID | None:
        """The only owner whose objects the caller may see; None means everybody's."""
        return None if self.sees_everybody else self.known_id

    def narrowed(self, owner: UUID | None) -> UUID | None:
        """Whose objects to list where those of `owner`, or everybody's, were asked for. Raises Forbidden."""
        visible = self.visible_owner
        if visible is None or owner in {None, visible}:
            return owner or visible
        raise Forbidden("Your role does not allow filtering by another user.")

    def may_see(self, owner: UUID) -> bool:
        return self.sees_everybody or self.user_id == owner

    def payer(self, owner: UUID | None) -> UUID:
        """Whose account a command is about: the caller's own, or that of whom an admin names. Raises Forbidden."""
        if owner is None:
            return self.known_id
        self.must_be({Role.ADMIN})
        return owner

    def must_see(self, owner: UUID, what: str, *, path: Sequence[str] = ()) -> None:
        """Another user's object looks exactly like one that does not exist: raises NotFound."""
        if not self.may_see(owner):
            raise NotFound(f"There is no such {what}.", path=path)

    def must_act_for(self, owner: UUID, what: str, *, path: Sequence[str] = ()) -> None:
        """To change an object one owns it or is an admin: raises NotFound or Forbidden."""
        self.must_see(owner, what, path=path)
        if self.user_id != owner and self.role not in ACTS_FOR_OTHERS:
            raise Forbidden("Your role may see this, but not change it.")

    def must_be(self, roles: Collection[Role]) -> None:
        """Raises Unauthenticated or Forbidden."""
        if self.role is Role.ANONYMOUS:
            raise Unauthenticated("A valid bearer token is needed.")
        if self.role not in roles:
            raise Forbidden("Your role does not allow this.")


ANONYMOUS: Final = Actor(role=Role.ANONYMOUS)
SYSTEM: Final = Actor(role=Role.SYSTEM)
