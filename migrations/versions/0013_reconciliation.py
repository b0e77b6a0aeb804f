"""Runs of the reconciliation, and the drift that they find."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KINDS = (
    "PAYMENT",
    "PAYMENT_METHOD",
    "PAYMENT_METHOD_SETUP",
    "BILLING_ACCOUNT",
    "REFUND",
    "DISPUTE",
    "PLAN",
    "SUBSCRIPTION",
    "INVOICE",
    "ENTITLEMENT",
    "WEBHOOK_EVENT",
    "RECONCILIATION_RUN",
)
CAUSES = ("MISSED_EVENT", "FAILED_EVENT", "STALE_WRITE", "DASHBOARD_EDIT", "UNKNOWN_OBJECT")


def upgrade() -> None:
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", one_of("kind", "EVENTS", "OBJECTS", "ALL", "OBJECT"), nullable=False),
        sa.Column("state", one_of("state", "REQUESTED", "RUNNING", "FINISHED", "FAILED"), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("walked_until", INSTANT, nullable=True),
        sa.Column("object_kind", one_of("object_kind", *KINDS), nullable=True),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("events_recovered", sa.Integer(), nullable=False),
        sa.Column("drifts_found", sa.Integer(), nullable=False),
        sa.Column("healed", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint("since <= until", name=op.f("ck_reconciliation_runs_window")),
        sa.CheckConstraint("healed <= drifts_found", name=op.f("ck_reconciliation_runs_healed")),
        sa.CheckConstraint(
            "(state = 'RUNNING') = (leased_until IS NOT NULL)", name=op.f("ck_reconciliation_runs_leased")
        ),
        sa.CheckConstraint(
            "(state IN ('FINISHED', 'FAILED')) = (finished_at IS NOT NULL)",
            name=op.f("ck_reconciliation_runs_finished"),
        ),
        sa.CheckConstraint(
            "(object_kind IS NULL) = (object_id IS NULL)", name=op.f("ck_reconciliation_runs_object")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
    )
    op.create_index(
        "uq_reconciliation_runs_carried_out",
        "reconciliation_runs",
        ["kind", "livemode"],
        unique=True,
        postgresql_where=sa.text("state = 'RUNNING' AND kind <> 'OBJECT'"),
    )
    op.create_index("ix_reconciliation_runs_started", "reconciliation_runs", ["started_at", "id"])
    op.create_table(
        "drifts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("object_kind", one_of("object_kind", *KINDS), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("processor_object_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("local", sa.Text(), nullable=True),
        sa.Column("remote", sa.Text(), nullable=True),
        sa.Column("cause", one_of("cause", *CAUSES), nullable=False),
        sa.Column("is_healed", sa.Boolean(), nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["reconciliation_runs.id"],
            name=op.f("fk_drifts_run_id_reconciliation_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    op.create_index("ix_drifts_run", "drifts", ["run_id", "found_at", "id"])
    op.create_index("ix_drifts_object", "drifts", ["object_kind", "object_id"])


def downgrade() -> None:
    op.drop_table("drifts")
    op.drop_table("reconciliation_runs")


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
