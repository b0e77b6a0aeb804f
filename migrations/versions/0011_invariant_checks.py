"""How the money invariants stood when they were last checked."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invariant_checks",
        sa.Column("invariant", sa.String(), nullable=False),
        sa.Column("violations", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("invariant", name=op.f("pk_invariant_checks")),
    )


def downgrade() -> None:
    op.drop_table("invariant_checks")
