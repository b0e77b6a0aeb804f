"""Events are found by what they tell of, and listed as they came in. May be run again where it was cut short."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_inbox_events_object": ["processor_object_id", "occurred_at"],
    "ix_inbox_events_received": ["received_at", "id"],
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name in ("status", "via"):
            op.execute(f"ALTER TABLE inbox_events VALIDATE CONSTRAINT ck_inbox_events_{name}")
        for name, columns in INDEXES.items():
            op.drop_index(name, table_name="inbox_events", postgresql_concurrently=True, if_exists=True)
            op.create_index(name, "inbox_events", columns, postgresql_concurrently=True)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="inbox_events")
