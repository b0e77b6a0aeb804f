"""
Callers' metadata, which is sealed on its way into a table and opened when somebody looks into it.

Whoever only carries it from row to value and back needs no key. So money moves on while a key is missing, a list
that does not show metadata pays nothing for it, and one row that cannot be opened keeps no others from being read.

Beside the column that held metadata in the clear there is `sealed_details`. As long as servers of a version before it
may write, both are there, and the plain one says which of the two counts: it holds a mark where the sealed one does.
Such a server shows the mark, writes it back as it was, and replaces it where a caller gives new metadata.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

import orjson
from sqlalchemy import Column, ColumnElement, LargeBinary, Table, and_, func, literal, not_, or_
from sqlalchemy.dialects.postgresql import JSONB

from domain.json_value import JsonObject, JsonValue
from persistence.engine import keyring_of
from persistence.keyring import Keyring
from persistence.prepared import Filled
from persistence.repository import Repository
from persistence.rows import Entity

SEALED: Final = "sealed_details"
DETAILS: Final = "details"
MARK: Final[JsonObject] = {"encrypted": True}


class SealedMetadata(Mapping[str, JsonValue]):
    """Raises MetadataUnreadable where it is looked into, and its key is not there."""

    def __init__(self, envelope: bytes, *, place: str, keyring: Keyring) -> None:
        self.envelope, self.place = envelope, place
        self._keyring = keyring
        self._opened: dict[str, JsonValue] | None = None

    def __getitem__(self, name: str) -> JsonValue:
        return self._open()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    def __repr__(self) -> str:
        return f"SealedMetadata({self.place})"

    def _open(self) -> dict[str, JsonValue]:
        if self._opened is None:
            self._opened = orjson.loads(self._keyring.open(self.envelope, place=self.place))
        return self._opened


class Holder(ABC):
    """The table and the JSONB column where metadata is, or was in the clear."""

    def __init__(self, table: Table, column: str) -> None:
        self.table, self.column = table, column

    def place(self, row_id: UUID) -> str:
        return f"{self.table.name}|{self.column}|{row_id}"

    def stored(self, value: JsonObject, row_id: UUID, keyring: Keyring) -> dict[str, object]:
        """The values of both columns. Nothing is not sealed: there is nothing to hide in it."""
        metadata, place = self.metadata_in(value), self.place(row_id)
        if isinstance(metadata, SealedMetadata) and metadata.place == place:
            return {self.column: self.marked(value), SEALED: metadata.envelope}
        if not metadata:
            return {self.column: value, SEALED: None}
        envelope = keyring.seal(orjson.dumps(dict(metadata)), place=place)
        return {self.column: self.marked(value), SEALED: envelope}

    def read(self, value: JsonObject, envelope: bytes | None, row_id: UUID, keyring: Keyring) -> JsonObject:
        """The column's value, with its metadata as it was, to be opened or not."""
        if envelope is None or not self.is_marked(value):
            return value
        return self.unmarked(value, SealedMetadata(envelope, place=self.place(row_id), keyring=keyring))

    def resealed(self, value: JsonObject, row_id: UUID, keyring: Keyring) -> dict[str, object]:
        """The values of both columns under the current key; raises MetadataUnreadable."""
        metadata = self.metadata_in(value)
        plain = self.unmarked(value, dict(metadata)) if isinstance(metadata, SealedMetadata) else value
        return self.stored(plain, row_id, keyring)

    def is_stale(self, keyring: Keyring) -> ColumnElement[bool]:
        """Whether the row holds metadata in the clear, under a former key, or sealed and no longer of any worth."""
        sealed: Column[Any] = self.table.c[SEALED]
        beginning = func.substring(sealed, 1, len(keyring.prefix))
        is_of_a_former_key = beginning != literal(keyring.prefix, LargeBinary)
        return or_(
            self.holds_plain,
            and_(sealed.is_not(None), or_(not_(self.holds_mark), is_of_a_former_key)),
        )

    @abstractmethod
    def metadata_in(self, value: JsonObject) -> JsonObject: ...

    @abstractmethod
    def is_marked(self, value: JsonObject) -> bool: ...

    @abstractmethod
    def marked(self, value: JsonObject) -> JsonObject:
        """The value with the mark in the place of its metadata."""

    @abstractmethod
    def unmarked(self, value: JsonObject, metadata: JsonObject) -> JsonObject:
        """The way back."""

    @property
    @abstractmethod
    def holds_plain(self) -> ColumnElement[bool]: ...

    @property
    @abstractmethod
    def holds_mark(self) -> ColumnElement[bool]: ...


class WholeColumn(Holder):
    """A column that is metadata and nothing else."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, DETAILS)

    def metadata_in(self, value: JsonObject) -> JsonObject:
        return value

    def is_marked(self, value: JsonObject) -> bool:
        return value == MARK

    def marked(self, value: JsonObject) -> JsonObject:
        return MARK

    def unmarked(self, value: JsonObject, metadata: JsonObject) -> JsonObject:
        return metadata

    @property
    def holds_plain(self) -> ColumnElement[bool]:
        plain = self.table.c[self.column]
        is_nothing = plain == literal({}, JSONB)
        is_only_called_so = and_(self.holds_mark, self.table.c[SEALED].is_(None))
        return or_(and_(not_(is_nothing), not_(self.holds_mark)), is_only_called_so)

    @property
    def holds_mark(self) -> ColumnElement[bool]:
        return self.table.c[self.column] == literal(MARK, JSONB)


class AmongArguments(Holder):
    """
    What an operation keeps for its resumption, of which metadata may be a part.

    The mark is an argument that no command has, so that a server of the version before leaves the operation to others.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table, "arguments")

    def metadata_in(self, value: JsonObject) -> JsonObject:
        metadata = value.get(DETAILS)
        return metadata if isinstance(metadata, Mapping) else {}

    def is_marked(self, value: JsonObject) -> bool:
        return SEALED in value

    def marked(self, value: JsonObject) -> JsonObject:
        return {**{name: part for name, part in value.items() if name != DETAILS}, SEALED: True}

    def unmarked(self, value: JsonObject, metadata: JsonObject) -> JsonObject:
        rest = {name: part for name, part in value.items() if name != SEALED}
        return {**rest, DETAILS: metadata}  # type: ignore[dict-item]  # A mapping, as the command takes it.

    @property
    def holds_plain(self) -> ColumnElement[bool]:
        plain = self.table.c[self.column][DETAILS]
        return and_(func.jsonb_typeof(plain) == "object", plain != literal({}, JSONB))

    @property
    def holds_mark(self) -> ColumnElement[bool]:
        mark: ColumnElement[bool] = self.table.c[self.column].has_key(SEALED)
        return mark


class Sealing(Repository[Entity]):
    """A repository of a table whose rows hold metadata."""

    holder: ClassVar[Holder]

    @property
    def _keyring(self) -> Keyring:
        return keyring_of(self._connection.engine)

    def _row(self, entity: Entity) -> dict[str, Any]:
        row = super()._row(entity)
        return row | self.holder.stored(row[self.holder.column], row[self.identity], self._keyring)

    def _changes(self, entity: Entity) -> dict[str, Any]:
        """Metadata that nobody changed is left as it lies there: it may have been sealed anew meanwhile."""
        value, row_id = getattr(entity, self.holder.column), getattr(entity, self.identity)
        metadata = self.holder.metadata_in(value)
        if not isinstance(metadata, SealedMetadata) or metadata.place != self.holder.place(row_id):
            return self._row(entity)
        row = super()._row(entity)
        del row[self.holder.column]
        return row

    def _entity(self, row: dict[str, Any]) -> Entity:
        name, envelope = self.holder.column, row.pop(SEALED)
        row[name] = self.holder.read(row[name], envelope, row[self.identity], self._keyring)
        return super()._entity(row)

    @classmethod
    def _filled(cls, attribute: str, keyring: Keyring) -> Filled:
        if attribute != cls.holder.column:
            return super()._filled(attribute, keyring)
        convert = super()._filled(attribute, keyring).convert or _as_it_is

        def opened(value: Any, envelope: bytes | None, row_id: UUID) -> JsonObject:
            return cls.holder.read(convert(value), envelope, row_id, keyring)

        return Filled(attribute, (attribute, SEALED, cls.identity), opened)


def _as_it_is(value: Any) -> Any:
    return value
