"""When its user chose a method for the default one, so that older news does not undo the choice."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "payment_methods", sa.Column("default_chosen_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("payment_methods", "default_chosen_at")
