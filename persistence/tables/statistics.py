"""
The statistics: what has happened and is not summed yet, and the sums.

They are no objects, so no dataclass is their twin. An absent trait is an empty text, since a key has no nulls;
a measure that is zero is null, which takes no room.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
)

from domain.statistics.facts import Measure
from domain.statistics.metrics import StatsDimension
from persistence.tables.base import INSTANT, metadata

TRAITS: Final = ("plan", "brand", "country", "decline_category", "trigger")
MEMBERS: Final[Mapping[StatsDimension, str]] = {
    StatsDimension.PLAN: "plan",
    StatsDimension.BRAND: "brand",
    StatsDimension.COUNTRY: "country",
    StatsDimension.DECLINE_CATEGORY: "decline_category",
    StatsDimension.TRIGGER: "trigger",
}
"""By which trait each dimension goes."""
MEASURES: Final = tuple(Measure)
UPDATED_IN_PLACE: Final = {"fillfactor": 70}
"""Room in each page for the next version of a row, so that no index must follow it."""


def traits() -> list[Column[Any]]:
    return [
        Column("at", INSTANT, nullable=False),
        Column("livemode", Boolean, nullable=False),
        Column("currency", String(3), nullable=False),
        *(Column(name, String, nullable=False) for name in TRAITS),
    ]


def measures() -> list[Column[Any]]:
    return [Column(measure.value, BigInteger) for measure in Measure]


DELTAS: Final = Table(
    "statistics_deltas",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    *traits(),
    *measures(),
)
QUARTERS: Final = Table(
    "statistics_quarters",
    metadata,
    *traits(),
    *measures(),
    PrimaryKeyConstraint("at", "livemode", "currency", *TRAITS),
    postgresql_with=UPDATED_IN_PLACE,
)
"""Sums of a quarter of an hour, by all traits at once."""
BLOCKS: Final = Table(
    "statistics_blocks",
    metadata,
    Column("dimension", String, nullable=False),
    Column("livemode", Boolean, nullable=False),
    Column("grain", Integer, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("member", String, nullable=False),
    Column("currency", String(3), nullable=False),
    *measures(),
    PrimaryKeyConstraint("dimension", "livemode", "grain", "at", "member", "currency"),
    postgresql_with=UPDATED_IN_PLACE,
)
"""Sums of `grain` minutes, by one trait: the dimension, of which the empty one is everything together."""
