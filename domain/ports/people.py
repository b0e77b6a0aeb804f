"""What the books keep of a person."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.operation import ObjectKind


class People(Protocol):
    async def processor_ids(self, user_id: UUID) -> Sequence[str]:
        """Of everything of theirs that the processor has, too."""
        ...

    async def in_state(
        self, kind: ObjectKind, user_id: UUID, statuses: Collection[StrEnum]
    ) -> Sequence[tuple[UUID, str]]:
        """The ids and states of those objects of theirs that are in one of these."""
        ...

    async def has_open_operation(self, user_id: UUID) -> bool:
        """Whether a command of theirs, or about something of theirs, has not ended."""
        ...

    async def forget(self, user_id: UUID) -> Mapping[str, int]:
        """Take out what is personal. How many rows there were of each table that had anything."""
        ...

    async def told_by_older_records(self, user_id: UUID) -> int:
        """How many audit records of a version before hold personal values that cannot be taken out."""
        ...
