"""What each kind of object brings to the comparison: lists, readings, the fields that count, and how to heal."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from uuid import UUID

from domain.errors import Busy
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.ports import Reads
from domain.ports.reconciliation import Listed

O = TypeVar("O")  # noqa: E741  # Ours.
F = TypeVar("F")

EXISTS = "exists"
"""The one field that differs where only one side has the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours(Generic[O]):
    """One of our objects. `named` holds the processor's ids of what it names by ours."""

    id: UUID
    processor_id: str | None
    thing: O
    named: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    field: str
    local: str | None
    remote: str | None


Pair: TypeAlias = Callable[[Ours[O], Listed[F]], tuple[object, object]]
"""A field as it is here and as it is there."""


class Noun(ABC, Generic[O, F]):
    """
    One kind of object. What only we decide is no field of the comparison, nor is what we know better by design, such
    as the most that was ever authorised.
    """

    kind: ClassVar[ObjectKind]
    fields: ClassVar[Mapping[str, Pair[Any, Any]]]

    @abstractmethod
    def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[F]]]:
        """What the processor has that is open or recent, page by page."""

    @abstractmethod
    async def one(self, processor_id: str) -> Listed[F] | None:
        """As it is now; None where the processor has none, or none of ours, by this id."""

    @abstractmethod
    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        """Those of ours that may still change, or have changed since then."""

    @abstractmethod
    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[O]]: ...
    @abstractmethod
    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[O]]: ...
    @abstractmethod
    async def heal(self, told: Listed[F] | None, ours: Ours[O] | None, occasion: Occasion) -> None:
        """
        Read it anew and settle, as news of it would make us; or write down what was told, unless ours has changed.

        Raises NotFound where it is none of ours or the processor has none, so that nothing final follows from a key of
        another account; Busy where others write meanwhile; ProcessorUnavailable where it cannot be read.
        """

    async def ours_among(self, reads: Reads, told: Sequence[Listed[F]]) -> Mapping[str, Ours[O]]:
        """
        By the processor's ids. One that is named in the metadata counts only while it has no other id there, since
        metadata may be copied.
        """
        known = await self.known_as(reads, [each.processor_id for each in told])
        found = {ours.processor_id: ours for ours in known if ours.processor_id is not None}
        named = {each.our_id: each for each in told if each.our_id and each.processor_id not in found}
        for ours in await self.by_ids(reads, list(named)) if named else ():
            if ours.processor_id is None:
                found[named[ours.id].processor_id] = ours
        return found

    async def are_of_ours(self, reads: Reads, told: Sequence[Listed[F]]) -> Sequence[Listed[F]]:
        """Those that belong to a customer of ours, or name an object that we have: a second one under an id of ours."""
        customers = [each.customer_id for each in told if each.customer_id]
        known = await reads.accounts.customers_among(customers) if customers else ()
        named = await self.named_among(reads, told)
        return [each for each in told if each.customer_id in known or each.our_id in named]

    async def named_among(self, reads: Reads, told: Sequence[Listed[F]]) -> Collection[UUID]:
        """
        The ids of ours that these name and that there are.

        Another program of the merchant's may write ids of its own under the same names.
        """
        named = {each.our_id for each in told if each.our_id}
        return {ours.id for ours in await self.by_ids(reads, list(named))} if named else ()

    def differences(self, ours: Ours[O] | None, told: Listed[F] | None) -> Sequence[Difference]:
        if ours is None or told is None:
            is_gone = told is None and ours is not None
            is_unknown = told is not None and ours is None
            here, there = text_of(ours is not None), text_of(told is not None)
            return [Difference(field=EXISTS, local=here, remote=there)] if is_gone or is_unknown else []
        pairs = (
            (name, text_of(here), text_of(there))
            for name, pair in self.fields.items()
            for here, there in [pair(ours, told)]
        )
        return [
            Difference(field=name, local=here, remote=there) for name, here, there in pairs if here != there
        ]


def must_be_as_before(ours: Ours[Any] | None, held: object | None) -> None:
    """
    Raises Busy where our row, which is held now, is not what it was before the processor was asked.

    What the processor told may be older then than what was written down meanwhile.
    """
    if (None if ours is None else ours.thing) != held:
        raise Busy("Others wrote the processor's word about this down meanwhile.", current="BUSY")


def text_of(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def where_told(here: object, there: object) -> tuple[object, object]:
    """For what the processor may leave out, and we have filled in."""
    return (here, there) if there is not None else (None, None)
