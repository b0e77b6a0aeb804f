"""Statistics, and what payments and subscriptions must remember for them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TRAITS = ("plan", "brand", "country", "decline_category", "trigger")
MEASURES = (
    "made",
    "completed",
    "failed",
    "declined",
    "gross",
    "refunded",
    "disputed",
    "withheld",
    "started",
    "ended",
    "active",
    "recurring",
    "dunning_started",
    "dunning_recovered",
)
EMPTY = sa.text("'[]'::jsonb")

# The moment of an attempt that failed before it was remembered is the best that there is: its last change.
REMEMBER_FAILURES = """
UPDATE payments SET failures = jsonb_build_array(jsonb_build_object(
    'at', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    'trigger', trigger, 'code', decline_code, 'advice', decline_advice, 'charge_id', processor_charge_id,
    'brand', method_brand, 'country', method_country
)) WHERE status = 'FAILED'
"""

# What is there already is counted by the worker, who needs minutes for it.
COUNT_WHAT_IS_THERE = """
INSERT INTO pgqueuer (priority, entrypoint, status)
SELECT 0, 'rebuild_statistics', 'queued'
WHERE EXISTS (SELECT FROM payments) OR EXISTS (SELECT FROM subscriptions)
"""


def keys() -> list[sa.Column[Any]]:
    return [
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *(sa.Column(trait, sa.String(), nullable=False) for trait in TRAITS),
    ]


def measures() -> list[sa.Column[Any]]:
    return [sa.Column(measure, sa.BigInteger(), nullable=True) for measure in MEASURES]


def upgrade() -> None:
    op.create_table(
        "statistics_deltas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *keys(),
        *measures(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statistics_deltas")),
    )
    op.create_table(
        "statistics_quarters",
        *keys(),
        *measures(),
        sa.PrimaryKeyConstraint("at", "livemode", "currency", *TRAITS, name=op.f("pk_statistics_quarters")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "statistics_blocks",
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("grain", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *measures(),
        sa.PrimaryKeyConstraint(
            "dimension", "livemode", "grain", "at", "member", "currency", name=op.f("pk_statistics_blocks")
        ),
        postgresql_with={"fillfactor": 70},
    )
    op.add_column(
        "subscriptions",
        sa.Column("history", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=EMPTY),
    )
    op.add_column(
        "payments",
        sa.Column("failures", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=EMPTY),
    )
    op.add_column("payments", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_payments_plan_id_plans"), "payments", "plans", ["plan_id"], ["id"])
    op.execute(REMEMBER_FAILURES)
    op.execute(COUNT_WHAT_IS_THERE)


def downgrade() -> None:
    op.execute("DELETE FROM pgqueuer WHERE entrypoint = 'rebuild_statistics'")
    op.drop_column("payments", "plan_id")
    op.drop_column("payments", "failures")
    op.drop_column("subscriptions", "history")
    op.drop_table("statistics_blocks")
    op.drop_table("statistics_quarters")
    op.drop_table("statistics_deltas")
