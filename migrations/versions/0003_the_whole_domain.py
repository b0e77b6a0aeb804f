"""
Refunds, disputes, plans, subscriptions, invoices and entitlements.

Checks and indexes are added to payments under its lock, since the servers of the version before are stopped: see 0004.
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FORMER_KINDS = ("PAYMENT", "PAYMENT_METHOD", "PAYMENT_METHOD_SETUP", "BILLING_ACCOUNT")
KINDS = (*FORMER_KINDS, "REFUND", "DISPUTE", "PLAN", "SUBSCRIPTION", "INVOICE", "ENTITLEMENT")
TABLES_WITH_KINDS = ("operations", "audit_records")
FORMER_STATUSES = (
    "PENDING",
    "REQUIRES_ACTION",
    "PROCESSING",
    "FAILED",
    "AUTHORIZED",
    "CANCELLED",
    "COMPLETED",
)
STATUSES = (*FORMER_STATUSES, "PARTIALLY_REFUNDED", "REFUNDED")
FORMER_TRIGGERS = ("PURCHASE", "ADMIN")
TRIGGERS = (
    "PURCHASE",
    "SUBSCRIPTION_START",
    "RENEWAL",
    "DUNNING_RETRY",
    "CUSTOMER_RETRY",
    "PLAN_CHANGE",
    "ADMIN",
)
FORMERLY_COMPLETED = "(status = 'COMPLETED') = (completed_at IS NOT NULL)"
COMPLETED = "(status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (completed_at IS NOT NULL)"


NO_WAY_BACK = (
    "This database has refunds, disputes, plans, subscriptions, invoices or entitlements, which 0002 has no room for, "
    "and audit records about them, which are never deleted: restore a backup from before the upgrade instead."
)


def among(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    add_check(table, name, condition)


def add_check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("processor_price_id", sa.String(), nullable=False),
        sa.Column("processor_product_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "interval",
            sa.Enum(
                "DAY",
                "WEEK",
                "MONTH",
                "YEAR",
                name="interval",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_plans_amount")),
        sa.CheckConstraint("interval_count > 0", name=op.f("ck_plans_interval_count")),
        sa.CheckConstraint("trial_days >= 0", name=op.f("ck_plans_trial_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("processor_price_id", name=op.f("uq_plans_processor_price_id")),
    )
    op.create_index("ix_plans_product", "plans", ["processor_product_id"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("pending_plan_id", sa.Uuid(), nullable=True),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "INCOMPLETE",
                "TRIALING",
                "ACTIVE",
                "PAST_DUE",
                "UNPAID",
                "PAUSED",
                "CANCELLED",
                "EXPIRED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("is_surplus", sa.Boolean(), nullable=False),
        sa.Column("current_period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_through", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "cancel_reason",
            sa.Enum(
                "TOO_EXPENSIVE",
                "UNUSED",
                "MISSING_CONTENT",
                "SWITCHED_SERVICE",
                "TECHNICAL_PROBLEMS",
                "OTHER",
                name="cancel_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("latest_invoice_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("processor_customer_id", sa.String(), nullable=False),
        sa.Column("processor_subscription_id", sa.String(), nullable=True),
        sa.Column("processor_item_id", sa.String(), nullable=True),
        sa.Column("processor_schedule_id", sa.String(), nullable=True),
        sa.Column("last_event_id", sa.String(), nullable=True),
        sa.Column(
            "synced_by",
            sa.Enum(
                "API_CALL",
                "WEBHOOK",
                "RECONCILIATION",
                name="synced_by",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status NOT IN ('CANCELLED', 'EXPIRED') OR ended_at IS NOT NULL",
            name=op.f("ck_subscriptions_ended_at"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_subscriptions_version")),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_subscriptions_payment_method_id_payment_methods"),
        ),
        sa.ForeignKeyConstraint(
            ["pending_plan_id"], ["plans.id"], name=op.f("fk_subscriptions_pending_plan_id_plans")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_subscriptions_plan_id_plans")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_subscriptions_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint(
            "processor_subscription_id", name=op.f("uq_subscriptions_processor_subscription_id")
        ),
    )
    op.create_index("ix_subscriptions_created", "subscriptions", ["created_at", "id"], unique=False)
    op.create_index("ix_subscriptions_method", "subscriptions", ["payment_method_id"], unique=False)
    op.create_index(
        "ix_subscriptions_period_end", "subscriptions", ["current_period_end", "id"], unique=False
    )
    op.create_index("ix_subscriptions_plan", "subscriptions", ["plan_id"], unique=False)
    op.create_index(
        "ix_subscriptions_user_created", "subscriptions", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_subscriptions_live",
        "subscriptions",
        ["user_id", "plan_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('CANCELLED', 'EXPIRED') AND NOT is_surplus"),
    )
    op.create_table(
        "charge_previews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_version", sa.Integer(), nullable=True),
        sa.Column(
            "timing",
            sa.Enum("NOW", "PERIOD_END", name="timing", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "proration",
            sa.Enum(
                "PRORATE",
                "INVOICE_NOW",
                "FULL_PRICE_NOW",
                "NONE",
                name="proration",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("prorated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("credit_applied", sa.BigInteger(), nullable=False),
        sa.Column("due_now", sa.BigInteger(), nullable=False),
        sa.Column("next_renewal", sa.BigInteger(), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_charge_previews_plan_id_plans")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_charge_previews_subscription_id_subscriptions"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["billing_accounts.user_id"],
            name=op.f("fk_charge_previews_user_id_billing_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge_previews")),
    )
    op.create_index("ix_charge_previews_expiry", "charge_previews", ["expires_at"], unique=False)
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("processor_invoice_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "DRAFT",
                "OPEN",
                "PAID",
                "UNCOLLECTIBLE",
                "VOID",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "SUBSCRIPTION_START",
                "RENEWAL",
                "PLAN_CHANGE",
                "OTHER",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("amount_due", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_through", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hosted_url", sa.Text(), nullable=True),
        sa.Column("pdf_url", sa.Text(), nullable=True),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_paid >= 0", name=op.f("ck_invoices_amount_paid")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_invoices_subscription_id_subscriptions")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_invoices_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("processor_invoice_id", name=op.f("uq_invoices_processor_invoice_id")),
    )
    op.create_index(
        "ix_invoices_subscription", "invoices", ["subscription_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_invoices_user", "invoices", ["user_id", "created_at", "id"], unique=False)
    op.create_table(
        "trial_redemptions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_trial_redemptions_subscription_id_subscriptions"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["billing_accounts.user_id"],
            name=op.f("fk_trial_redemptions_user_id_billing_accounts"),
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_trial_redemptions")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_trial_redemptions_fingerprint")),
    )
    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "INQUIRY",
                "NEEDS_RESPONSE",
                "UNDER_REVIEW",
                "WON",
                "LOST",
                "PREVENTED",
                "CLOSED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence_due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_draft", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence_submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("processor_dispute_id", sa.String(), nullable=False),
        sa.Column("last_event_id", sa.String(), nullable=True),
        sa.Column(
            "synced_by",
            sa.Enum(
                "API_CALL",
                "WEBHOOK",
                "RECONCILIATION",
                name="synced_by",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_disputes_amount")),
        sa.CheckConstraint("version > 0", name=op.f("ck_disputes_version")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_disputes_payment_id_payments")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_disputes_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("processor_dispute_id", name=op.f("uq_disputes_processor_dispute_id")),
    )
    op.create_index("ix_disputes_created", "disputes", ["created_at", "id"], unique=False)
    op.create_index("ix_disputes_payment", "disputes", ["payment_id", "created_at", "id"], unique=False)
    op.create_index("ix_disputes_status", "disputes", ["status", "created_at", "id"], unique=False)
    op.create_index("ix_disputes_user", "disputes", ["user_id", "created_at", "id"], unique=False)
    op.create_table(
        "entitlements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "PURCHASE",
                "SUBSCRIPTION",
                "GRANT",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "OWNED",
                "SUBSCRIBED",
                "TRIAL",
                "GRACE_PERIOD",
                "GRANTED",
                "NOT_PURCHASED",
                "SUBSCRIPTION_ENDED",
                "PAYMENT_OVERDUE",
                "REFUNDED",
                "DISPUTED",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("media_item_id", sa.String(), nullable=True),
        sa.Column("feature", sa.String(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column(
            "revoked_reason",
            sa.Enum(
                "OWNED",
                "SUBSCRIBED",
                "TRIAL",
                "GRACE_PERIOD",
                "GRANTED",
                "NOT_PURCHASED",
                "SUBSCRIPTION_ENDED",
                "PAYMENT_OVERDUE",
                "REFUNDED",
                "DISPUTED",
                name="revoked_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("granter_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(source = 'PURCHASE') = (payment_id IS NOT NULL)", name=op.f("ck_entitlements_payment")
        ),
        sa.CheckConstraint(
            "(source = 'SUBSCRIPTION') = (subscription_id IS NOT NULL)",
            name=op.f("ck_entitlements_subscription"),
        ),
        sa.CheckConstraint(
            "(revoked_reason IS NULL) = (revoked_at IS NULL)", name=op.f("ck_entitlements_revoked")
        ),
        sa.CheckConstraint("num_nonnulls(media_item_id, feature) = 1", name=op.f("ck_entitlements_target")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_entitlements_payment_id_payments")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_entitlements_subscription_id_subscriptions"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_entitlements_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlements")),
    )
    op.create_index(
        "ix_entitlements_feature",
        "entitlements",
        ["user_id", "feature"],
        unique=False,
        postgresql_where=sa.text("feature IS NOT NULL"),
    )
    op.create_index(
        "ix_entitlements_media_item",
        "entitlements",
        ["user_id", "media_item_id"],
        unique=False,
        postgresql_where=sa.text("media_item_id IS NOT NULL"),
    )
    op.create_index("uq_entitlements_payment", "entitlements", ["payment_id"], unique=True)
    op.create_index(
        "uq_entitlements_subscription", "entitlements", ["subscription_id", "feature"], unique=True
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "SUCCEEDED",
                "FAILED",
                "CANCELLED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "DUPLICATE",
                "FRAUDULENT",
                "CUSTOMER_REQUEST",
                "SERVICE_DISRUPTION",
                "GOODWILL",
                "DISPUTE_PREVENTION",
                "OTHER",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.String(), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "API",
                "STRIPE_DASHBOARD",
                "DISPUTE_PREVENTION",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("revokes_access", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("processor_refund_id", sa.String(), nullable=True),
        sa.Column("last_event_id", sa.String(), nullable=True),
        sa.Column(
            "synced_by",
            sa.Enum(
                "API_CALL",
                "WEBHOOK",
                "RECONCILIATION",
                name="synced_by",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'SUCCEEDED' OR succeeded_at IS NOT NULL", name=op.f("ck_refunds_succeeded_at")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.CheckConstraint("version > 0", name=op.f("ck_refunds_version")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_refunds_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("processor_refund_id", name=op.f("uq_refunds_processor_refund_id")),
    )
    op.create_index("ix_refunds_payment", "refunds", ["payment_id", "created_at", "id"], unique=False)
    op.create_index("ix_refunds_user", "refunds", ["user_id", "created_at", "id"], unique=False)
    op.add_column(
        "payments", sa.Column("refunded_amount", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "payments", sa.Column("refund_pending_amount", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "payments", sa.Column("disputed_amount", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("payments", sa.Column("media_item_id", sa.String(), nullable=True))
    op.add_column("payments", sa.Column("subscription_id", sa.Uuid(), nullable=True))
    op.add_column("payments", sa.Column("invoice_id", sa.Uuid(), nullable=True))
    op.create_index("ix_payments_charge", "payments", ["processor_charge_id"], unique=False)
    op.create_index("ix_payments_invoice", "payments", ["invoice_id"], unique=False)
    op.create_index("ix_payments_media_item", "payments", ["user_id", "media_item_id"], unique=False)
    op.create_index(
        "ix_payments_subscription", "payments", ["subscription_id", "created_at", "id"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_payments_invoice_id_invoices"), "payments", "invoices", ["invoice_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_payments_subscription_id_subscriptions"),
        "payments",
        "subscriptions",
        ["subscription_id"],
        ["id"],
    )

    for amount in ("refunded_amount", "refund_pending_amount", "disputed_amount"):
        op.alter_column("payments", amount, server_default=None)
    replace_check("payments", "status", among("status", STATUSES))
    replace_check("payments", "trigger", among("trigger", TRIGGERS))
    replace_check("payments", "completed_at", COMPLETED)
    add_check("payments", "refunded_amount", "refunded_amount BETWEEN 0 AND captured_amount")
    add_check(
        "payments",
        "refund_pending_amount",
        "refund_pending_amount BETWEEN 0 AND captured_amount - refunded_amount",
    )
    add_check("payments", "disputed_amount", "disputed_amount >= 0")
    for table in TABLES_WITH_KINDS:
        replace_check(table, "object_kind", among("object_kind", KINDS))


def downgrade() -> None:
    """Raises CommandError where anything was written that the tables of before have no room for."""
    if any(map(has_new_kinds, TABLES_WITH_KINDS)):
        raise CommandError(NO_WAY_BACK)
    for table in TABLES_WITH_KINDS:
        replace_check(table, "object_kind", among("object_kind", FORMER_KINDS))
    replace_check("payments", "completed_at", FORMERLY_COMPLETED)
    replace_check("payments", "trigger", among("trigger", FORMER_TRIGGERS))
    replace_check("payments", "status", among("status", FORMER_STATUSES))
    op.drop_constraint(op.f("fk_payments_subscription_id_subscriptions"), "payments", type_="foreignkey")
    op.drop_constraint(op.f("fk_payments_invoice_id_invoices"), "payments", type_="foreignkey")
    op.drop_index("ix_payments_subscription", table_name="payments")
    op.drop_index("ix_payments_media_item", table_name="payments")
    op.drop_index("ix_payments_invoice", table_name="payments")
    op.drop_index("ix_payments_charge", table_name="payments")
    op.drop_column("payments", "invoice_id")
    op.drop_column("payments", "subscription_id")
    op.drop_column("payments", "media_item_id")
    op.drop_column("payments", "disputed_amount")
    op.drop_column("payments", "refund_pending_amount")
    op.drop_column("payments", "refunded_amount")
    op.drop_index("ix_refunds_user", table_name="refunds")
    op.drop_index("ix_refunds_payment", table_name="refunds")
    op.drop_table("refunds")
    op.drop_index("uq_entitlements_subscription", table_name="entitlements")
    op.drop_index("uq_entitlements_payment", table_name="entitlements")
    op.drop_index(
        "ix_entitlements_media_item",
        table_name="entitlements",
        postgresql_where=sa.text("media_item_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_entitlements_feature", table_name="entitlements", postgresql_where=sa.text("feature IS NOT NULL")
    )
    op.drop_table("entitlements")
    op.drop_index("ix_disputes_user", table_name="disputes")
    op.drop_index("ix_disputes_status", table_name="disputes")
    op.drop_index("ix_disputes_payment", table_name="disputes")
    op.drop_index("ix_disputes_created", table_name="disputes")
    op.drop_table("disputes")
    op.drop_table("trial_redemptions")
    op.drop_index("ix_invoices_user", table_name="invoices")
    op.drop_index("ix_invoices_subscription", table_name="invoices")
    op.drop_table("invoices")
    op.drop_index("ix_charge_previews_expiry", table_name="charge_previews")
    op.drop_table("charge_previews")
    op.drop_index(
        "uq_subscriptions_live",
        table_name="subscriptions",
        postgresql_where=sa.text("status NOT IN ('CANCELLED', 'EXPIRED') AND NOT is_surplus"),
    )
    op.drop_index("ix_subscriptions_user_created", table_name="subscriptions")
    op.drop_index("ix_subscriptions_plan", table_name="subscriptions")
    op.drop_index("ix_subscriptions_period_end", table_name="subscriptions")
    op.drop_index("ix_subscriptions_method", table_name="subscriptions")
    op.drop_index("ix_subscriptions_created", table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index("ix_plans_product", table_name="plans")
    op.drop_table("plans")


def has_new_kinds(table: str) -> bool:
    kind = sa.column("object_kind", sa.String())
    new = sa.select(kind).select_from(sa.table(table)).where(kind.not_in(FORMER_KINDS))
    return op.get_bind().scalar(new.limit(1)) is not None
