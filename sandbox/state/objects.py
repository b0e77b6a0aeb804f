"""Every Stripe object as JSON, findable by id and listable newest first."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.state.database import Database

StripeObject = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    object         TEXT NOT NULL,
    created        INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    customer       TEXT,
    payment_intent TEXT,
    payment_method TEXT,
    type           TEXT,
    email          TEXT,
    source         TEXT,
    body           TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (object, seq);
CREATE INDEX IF NOT EXISTS objects_by_customer
    ON objects (object, customer, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_payment_intent
    ON objects (object, payment_intent, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS invoices_by_subscription
    ON objects (json_extract(body, '$.parent.subscription_details.subscription'), json_extract(body, '$.status'), seq)
    WHERE object = 'invoice';
"""

COLUMNS = ("customer", "payment_intent", "payment_method", "type", "email", "source")
INSERT = """
INSERT INTO objects (id, object, created, deleted, customer, payment_intent, payment_method, type, email, source, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
UPDATE = """
UPDATE objects SET deleted = ?, customer = ?, payment_intent = ?, payment_method = ?, type = ?, email = ?, source = ?,
    body = ?
WHERE id = ?
"""
# Listed by rarely enough to be read out of the body.
FIELDS = ("charge",)
NO_LIMIT = -1
PATH = re.compile(r"\w+(\[\d\])?(\.\w+(\[\d\])?)*")
COMPARISONS = {"gt": "created > ?", "gte": "created >= ?", "lt": "created < ?", "lte": "created <= ?"}


def visible(thing: StripeObject) -> StripeObject:
    """What the API shows: keys with a leading underscore are the sandbox's own notes."""
    return {name: value for name, value in thing.items() if name[0] != "_"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """
    Which objects of one kind: equal to these columns, one of these types, created in this span. `inside`
    names paths into the JSON, such as `recurring.interval`, and the values of which each must have one.
    """

    kind: str
    where: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    created: Mapping[str, int] = field(default_factory=dict)
    inside: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def conditions(self) -> tuple[list[str], list[object]]:
        texts, values = ["object = ?", "deleted = 0"], list[object]([self.kind])
        for name, value in self.where.items():
            if name not in (*COLUMNS, *FIELDS):
                raise LookupError(f"objects cannot be listed by {name}")
            texts.append(f"{name} = ?" if name in COLUMNS else f"json_extract(body, '$.{name}') = ?")
            values.append(value)
        for comparison, moment in self.created.items():
            texts.append(COMPARISONS[comparison])
            values.append(moment)
        if self.types:
            texts.append(f"type IN ({', '.join('?' * len(self.types))})")
            values.extend(self.types)
        if self.inside:
            # SQLite needs the kind itself, not a bound value, to see that an index of this kind will do.
            texts.append(f"object = '{_constant(self.kind)}'")
        for path, options in self.inside.items():
            _constant(path)
            texts.append(f"json_extract(body, '$.{path}') IN ({', '.join('?' * len(options))})")
            values.extend(options)
        return texts, values


class Objects:
    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(SCHEMA)

    def undoable(self) -> AbstractContextManager[None]:
        """What is done within, events included, is undone if it ends with an exception."""
        return self._database.savepoint()

    def insert(self, thing: StripeObject) -> None:
        self._database.execute(INSERT, (thing["id"], thing["object"], thing["created"], *_stored(thing)))

    def save(self, thing: StripeObject) -> None:
        self._database.execute(UPDATE, (*_stored(thing), thing["id"]))

    def find(self, kind: str, id_: str) -> StripeObject | None:
        """The object with this id, deleted ones included, or None if there is none of that kind."""
        found = self._database.execute(
            "SELECT body FROM objects WHERE id = ? AND object = ?", (id_, kind)
        ).fetchone()
        return None if found is None else orjson.loads(found[0])

    def position(self, kind: str, id_: str) -> int | None:
        found = self._database.execute(
            "SELECT seq FROM objects WHERE id = ? AND object = ?", (id_, kind)
        ).fetchone()
        return None if found is None else int(found[0])

    def newest(self, query: Query, *, older_than: int | None, limit: int) -> list[StripeObject]:
        return self._select(query, "seq < ?", older_than, "seq DESC", limit)

    def newer(self, query: Query, *, than: int, limit: int) -> list[StripeObject]:
        """The objects just above a position of the newest-first list, still newest first."""
        return self._select(query, "seq > ?", than, "seq ASC", limit)[::-1]

    def of_payment(self, kind: str, payment_intent: str) -> list[StripeObject]:
        """Every object of a kind that belongs to a payment intent, newest first."""
        query = Query(kind=kind, where={"payment_intent": payment_intent})
        return self.newest(query, older_than=None, limit=NO_LIMIT)

    def all(self, kind: str) -> Iterator[StripeObject]:
        """Every object of a kind, oldest first, deleted ones left out."""
        rows = self._database.execute(
            "SELECT body FROM objects WHERE object = ? AND deleted = 0 ORDER BY seq", (kind,)
        )
        return (orjson.loads(body) for (body,) in rows.fetchall())

    def fields(self, kind: str, *names: str) -> Iterator[list[Any]]:
        """
        Only these fields of every object of a kind, oldest first, deleted ones left out; None for what is missing.

        Several times as fast as reading whole objects.
        """
        paths = tuple(f"$.{name}" for name in names)
        marks = ", ".join("?" * len(paths))
        sql = (
            f"SELECT json_extract(body, {marks}) FROM objects"  # noqa: S608  # Question marks only.
            " WHERE object = ? AND deleted = 0 ORDER BY seq"
        )
        return (orjson.loads(row) for (row,) in self._database.execute(sql, (*paths, kind)).fetchall())

    def _select(
        self, query: Query, bound: str, seq: int | None, order: str, limit: int
    ) -> list[StripeObject]:
        texts, values = query.conditions()
        if seq is not None:
            texts.append(bound)
            values.append(seq)
        # Every fragment is a constant of this file; only values come from a request, and they are bound.
        # The plus keeps SQLite from walking a whole kind in order where an index finds the few that fit.
        sorting = f"+{order}" if query.inside else order
        sql = f"SELECT body FROM objects WHERE {' AND '.join(texts)} ORDER BY {sorting} LIMIT ?"  # noqa: S608
        return [orjson.loads(body) for (body,) in self._database.execute(sql, (*values, limit))]


def _constant(name: str) -> str:
    """A name of a kind or a path into one, as it may stand in SQL."""
    if not PATH.fullmatch(name):
        raise LookupError(f"{name} is no path into an object")
    return name


def _stored(thing: StripeObject) -> tuple[object, ...]:
    columns = (value if isinstance(value := thing.get(name), str) else None for name in COLUMNS)
    return (bool(thing.get("deleted")), *columns, orjson.dumps(thing).decode())
