"""What an event has changed is found by the event. May be run again where it was cut short."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEX, TABLE = "ix_audit_records_request", "audit_records"
OF_EVENTS = sa.text("actor_role = 'SYSTEM' AND request_id <> ''")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name=TABLE, postgresql_concurrently=True, if_exists=True)
        op.create_index(
            INDEX,
            TABLE,
            ["request_id", "sequence"],
            postgresql_where=OF_EVENTS,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
