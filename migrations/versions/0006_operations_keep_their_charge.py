"""Operations about subscriptions keep by which payment they have collected."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operations", sa.Column("processor_payment_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("operations", "processor_payment_id")
