"""What somebody will look at of what is read, where that is known beforehand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Related:
    """An attribute that names another entity, of which these attributes are looked at."""

    attribute: str
    kind: type
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Glance:
    """Of one entity. What `related` names may be read together with it."""

    attributes: frozenset[str]
    related: tuple[Related, ...] = ()


Glances: TypeAlias = Mapping[type, Glance]


class Shown:
    """
    By entity, what will be looked at; one that is not among them is read whole.

    `seen` is what was read together with others, by its type and its id.
    """

    def __init__(self, glances: Glances) -> None:
        self._glances = glances
        self.seen: defaultdict[type, dict[UUID, Any]] = defaultdict(dict)

    def of(self, entity: type) -> Glance | None:
        return self._glances.get(entity)


ALL: Final = Shown({})
