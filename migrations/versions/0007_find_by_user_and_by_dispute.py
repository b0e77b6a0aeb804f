"""An account's entitlements and the disputed payments are found by an index each."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_entitlements_user", "entitlements", ["user_id", "created_at", "id"])
    op.create_index(
        "ix_payments_disputed",
        "payments",
        ["created_at", "id"],
        postgresql_where=sa.text("disputed_amount > 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_disputed", table_name="payments")
    op.drop_index("ix_entitlements_user", table_name="entitlements")
