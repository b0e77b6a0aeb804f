"""
Audit records in chains, and seals over them.

Servers of the version before cannot add records once this has run: stop them first.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
ROWS_AT_A_TIME = 1000
FACTS = (
    "id",
    "at",
    "actor_role",
    "actor_id",
    "request_id",
    "action",
    "object_kind",
    "object_id",
    "changes",
)
RECORDS = sa.table(
    "audit_records",
    sa.column("id", sa.Uuid()),
    sa.column("sequence", sa.BigInteger()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("actor_role", sa.String()),
    sa.column("actor_id", sa.Uuid()),
    sa.column("request_id", sa.String()),
    sa.column("action", sa.String()),
    sa.column("object_kind", sa.String()),
    sa.column("object_id", sa.Uuid()),
    sa.column("changes", postgresql.JSONB()),
    sa.column("previous_hash", sa.String()),
    sa.column("hash", sa.String()),
)
# Not in the order in which rows lie, since several connections add them to pages of their own. Ids are UUIDv7.
NUMBER_WHAT_IS_THERE = """
UPDATE audit_records SET sequence = numbered.sequence
FROM (SELECT id, row_number() OVER (ORDER BY at, id) AS sequence FROM audit_records) AS numbered
WHERE audit_records.id = numbered.id
"""
NUMBER_FROM_THERE_ON = """
SELECT setval(pg_get_serial_sequence('audit_records', 'sequence'), coalesce(max(sequence), 0) + 1, false)
FROM audit_records
"""
SEALS_ONLY_GROW = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.execute("LOCK TABLE audit_records IN ACCESS EXCLUSIVE MODE")
    op.add_column("audit_records", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.add_column("audit_records", sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit_records", sa.Column("ip", sa.String(), nullable=True))
    op.add_column("audit_records", sa.Column("previous_hash", sa.String(length=64), nullable=True))
    op.add_column("audit_records", sa.Column("hash", sa.String(length=64), nullable=True))
    op.execute("ALTER TABLE audit_records DISABLE TRIGGER append_only")
    op.execute(NUMBER_WHAT_IS_THERE)
    op.drop_index("ix_audit_records_object", table_name="audit_records")
    op.create_index("ix_audit_records_object", "audit_records", ["object_kind", "object_id", "sequence"])
    chain(op.get_bind())
    op.execute("ALTER TABLE audit_records ENABLE TRIGGER append_only")
    for column in ("sequence", "previous_hash", "hash"):
        op.alter_column("audit_records", column, nullable=False)
    op.execute("ALTER TABLE audit_records ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY")
    op.execute(NUMBER_FROM_THERE_ON)
    op.create_index(
        "ix_audit_records_actor",
        "audit_records",
        ["actor_id", "sequence"],
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index("uq_audit_records_sequence", "audit_records", ["sequence"], unique=True)
    op.create_index(
        "uq_audit_records_chain", "audit_records", ["object_kind", "object_id", "previous_hash"], unique=True
    )
    op.create_table(
        "audit_seals",
        sa.Column("last_sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("first_sequence <= last_sequence", name=op.f("ck_audit_seals_range")),
        sa.PrimaryKeyConstraint("last_sequence", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_seals_previous_hash")),
    )
    op.execute(SEALS_ONLY_GROW)


def downgrade() -> None:
    op.drop_table("audit_seals")
    for index in ("sequence", "chain"):
        op.drop_index(f"uq_audit_records_{index}", table_name="audit_records")
    for index in ("actor", "object"):
        op.drop_index(f"ix_audit_records_{index}", table_name="audit_records")
    for column in ("hash", "previous_hash", "ip", "occurred_at", "sequence"):
        op.drop_column("audit_records", column)
    op.create_index("ix_audit_records_object", "audit_records", ["object_kind", "object_id", "id"])


def chain(connection: sa.Connection) -> None:
    """Give the records that are there already the hashes that they would have been added with."""
    columns = RECORDS.c
    link = (
        sa.update(RECORDS)
        .where(columns.id == sa.bindparam("record"))
        .values(previous_hash=sa.bindparam("previous"), hash=sa.bindparam("own"))
    )
    thing, end = None, GENESIS
    for page in pages(connection):
        links = []
        for row in page:
            previous = end if thing == (row.object_kind, row.object_id) else GENESIS
            end = hashlib.sha256(f"{previous}{facts(row._asdict())}".encode()).hexdigest()
            thing = (row.object_kind, row.object_id)
            links.append({"record": row.id, "previous": previous, "own": end})
        connection.execute(link, links)


def pages(connection: sa.Connection) -> Iterator[Sequence[Any]]:
    """All records, chain by chain. Not by a cursor, which would keep the table from being altered."""
    columns = RECORDS.c
    place = sa.tuple_(columns.object_kind, columns.object_id, columns.sequence)
    statement = sa.select(RECORDS).order_by(*place).limit(ROWS_AT_A_TIME)
    page = connection.execute(statement).all()
    while page:
        yield page
        last = page[-1]
        beyond = place > sa.tuple_(last.object_kind, last.object_id, last.sequence)
        page = connection.execute(statement.where(beyond)).all()


def facts(row: Mapping[str, Any]) -> str:
    told = {name: canonical(row[name]) for name in FACTS if row[name] is not None}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> object:
    match value:
        case float():
            exact = Decimal(repr(value))
            return int(exact) if exact == exact.to_integral_value() else value
        case None | bool() | int():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case dict():
            return {str(name): canonical(part) for name, part in value.items()}
        case list():
            return [canonical(part) for part in value]
        case _:
            return str(value)
