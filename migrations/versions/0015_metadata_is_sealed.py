"""
Metadata lies encrypted beside the columns that held it in the clear, which a later release drops.

`payments-gateway metadata rotate` moves over what is there already. May be run again where it was cut short.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("subscriptions", "payments", "operations")
COLUMN = "sealed_details"


def upgrade() -> None:
    with op.get_context().autocommit_block():  # So that no table waits for the lock on another.
        for table in TABLES:
            op.add_column(table, sa.Column(COLUMN, sa.LargeBinary(), nullable=True), if_not_exists=True)


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, COLUMN)
