"""What is read together with a row, since an attribute of it names one row of another table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_

from domain.ports import Related
from persistence.keyring import Keyring
from persistence.prepared import maker

if TYPE_CHECKING:
    from persistence.repository import Repository

Repositories: TypeAlias = Mapping[type, "type[Repository[Any]]"]
OWNER = "user_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """At which place of a row the other's id is, and what makes an entity of the columns from there on."""

    kind: type
    place: int
    make: Callable[[Any], Any]

    def note(self, rows: Sequence[Any], seen: dict[UUID, Any]) -> None:
        for row in rows:
            identity = row[self.place]
            if identity is not None and identity not in seen:
                seen[identity] = self.make(row)


def joined_with(
    statement: Select[Any],
    table: Table,
    related: Sequence[Related],
    repositories: Repositories,
    keyring: Keyring,
) -> tuple[Select[Any], Sequence[Joined]]:
    """
    The statement with the columns of the others after its own, each by a LEFT JOIN.

    An owner's rows come with the owner's alone; whoever may see others looks for those that are missing.
    """
    found = []
    for number, each in enumerate(related):
        repository = repositories[each.kind]
        if not _has_known_owner(table, repository.table):
            continue
        other = repository.table.alias(f"joined_{number}")
        columns, filled = repository.filling(each.attributes, keyring)
        names = [repository.identity, *(name for name in columns if name != repository.identity)]
        place = len(statement.selected_columns)
        statement = statement.outerjoin_from(table, other, _is_named(table, each, repository, other))
        statement = statement.add_columns(*(other.c[name].label(f"{other.name}_{name}") for name in names))
        make: Callable[[Any], Any] = maker(each.kind, names, filled, offset=place)
        found.append(Joined(kind=each.kind, place=place, make=make))
    return statement, found


def _has_known_owner(table: Table, other: Table) -> bool:
    """Whether the row itself says whose the other must be, or the other is everybody's."""
    return OWNER in table.c or OWNER not in other.c


def _is_named(
    table: Table, related: Related, repository: "type[Repository[Any]]", other: FromClause
) -> ColumnElement[bool]:
    is_it = table.c[related.attribute] == other.c[repository.identity]
    return and_(is_it, table.c[OWNER] == other.c[OWNER]) if OWNER in other.c else is_it
