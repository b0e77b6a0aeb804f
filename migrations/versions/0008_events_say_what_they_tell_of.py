"""
Events say what they tell of and how they came in, and may be held.

`via` keeps its default, since servers of the version before go on storing events without it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATUSES = ("RECEIVED", "HANDLED", "IGNORED", "FAILED")
SOURCES = ("API_CALL", "WEBHOOK", "RECONCILIATION")


def upgrade() -> None:
    op.add_column("inbox_events", sa.Column("processor_object_id", sa.String(), nullable=True))
    op.add_column(
        "inbox_events", sa.Column("via", sa.String(length=32), nullable=False, server_default="WEBHOOK")
    )
    op.drop_constraint(op.f("ck_inbox_events_status"), "inbox_events")
    check("status", (*STATUSES, "HELD"))
    check("via", SOURCES)


def downgrade() -> None:
    op.execute("UPDATE inbox_events SET status = 'FAILED' WHERE status = 'HELD'")
    op.drop_constraint(op.f("ck_inbox_events_status"), "inbox_events")
    check("status", STATUSES)
    op.drop_column("inbox_events", "via")
    op.drop_column("inbox_events", "processor_object_id")


def check(name: str, values: tuple[str, ...]) -> None:
    """For what is written from now on; existing rows are looked at later, without a lock that stops writers."""
    listed = ", ".join(f"'{value}'" for value in values)
    constraint = f"ck_inbox_events_{name} CHECK ({name} IN ({listed}))"
    op.execute(f"ALTER TABLE inbox_events ADD CONSTRAINT {constraint} NOT VALID")
