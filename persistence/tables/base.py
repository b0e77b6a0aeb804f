"""What all tables share."""

from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime as Timestamp
from sqlalchemy import Enum, MetaData, Table
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

INSTANT: Any = Timestamp(timezone=True)


def one_of(enum: type[StrEnum], name: str) -> Any:
    """Text under a check constraint: readable in psql, and extended without a type change."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


class Row(SQLModel):
    metadata = metadata
    model_config = SQLModelConfig(defer_build=True)  # Rows are only named, in statements, and never made.


def table_of(row: type[Row]) -> Table:
    return metadata.tables[str(row.__tablename__)]
