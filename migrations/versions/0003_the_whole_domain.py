"""
Refunds, disputes, plans, subscriptions, invoices and entitlements.

Checks and indexes are added to payments under its lock, since the servers of the version before are stopped: see 0004.
"""

from typing import Any

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
ACCESS_REASONS = (
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
)
NEW_AMOUNTS = ("refunded_amount", "refund_pending_amount", "disputed_amount")
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


def one_of(name: str, *values: str, nullable: bool = False) -> sa.Column[Any]:
    enum = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, enum, nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def identifier(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def prose(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=True)


def number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False)


def amount(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False, **more)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def currency() -> sa.Column[Any]:
    return sa.Column("currency", sa.String(length=3), nullable=False)


def document(name: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False)


def synced_by() -> sa.Column[Any]:
    return one_of("synced_by", "API_CALL", "WEBHOOK", "RECONCILIATION")


def versions() -> tuple[sa.Column[Any], ...]:
    return number("version"), instant("created_at"), instant("updated_at")


def primary_key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def unique(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def reference(table: str, column: str, target: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{key}"], name=op.f(f"fk_{table}_{column}_{target}"))


def owner(table: str) -> sa.ForeignKeyConstraint:
    return reference(table, "user_id", "billing_accounts", "user_id")


def upgrade() -> None:
    create_plans()
    create_subscriptions()
    create_charge_previews()
    create_invoices()
    create_trial_redemptions()
    create_disputes()
    create_entitlements()
    create_refunds()
    widen_payments()
    for table in TABLES_WITH_KINDS:
        replace_check(table, "object_kind", among("object_kind", KINDS))


def create_plans() -> None:
    op.create_table(
        "plans",
        identifier("id"),
        text("processor_price_id"),
        text("processor_product_id"),
        text("code"),
        text("name"),
        prose("description"),
        amount("amount"),
        currency(),
        one_of("interval", "DAY", "WEEK", "MONTH", "YEAR"),
        number("interval_count"),
        number("trial_days"),
        document("features"),
        flag("active"),
        flag("livemode"),
        *versions(),
        check("plans", "amount", "amount >= 0"),
        check("plans", "interval_count", "interval_count > 0"),
        check("plans", "trial_days", "trial_days >= 0"),
        primary_key("plans"),
        unique("plans", "processor_price_id"),
    )
    op.create_index("ix_plans_product", "plans", ["processor_product_id"])


def create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        identifier("id"),
        identifier("user_id"),
        identifier("plan_id"),
        identifier("pending_plan_id", nullable=True),
        identifier("payment_method_id", nullable=True),
        one_of(
            "status",
            "INCOMPLETE",
            "TRIALING",
            "ACTIVE",
            "PAST_DUE",
            "UNPAID",
            "PAUSED",
            "CANCELLED",
            "EXPIRED",
        ),
        flag("livemode"),
        flag("is_surplus"),
        instant("current_period_start"),
        instant("current_period_end"),
        instant("paid_through", nullable=True),
        instant("past_due_since", nullable=True),
        instant("trial_ends_at", nullable=True),
        flag("cancel_at_period_end"),
        instant("cancel_at", nullable=True),
        instant("cancelled_at", nullable=True),
        instant("ended_at", nullable=True),
        instant("paused_until", nullable=True),
        one_of(
            "cancel_reason",
            "TOO_EXPENSIVE",
            "UNUSED",
            "MISSING_CONTENT",
            "SWITCHED_SERVICE",
            "TECHNICAL_PROBLEMS",
            "OTHER",
            nullable=True,
        ),
        identifier("latest_invoice_id", nullable=True),
        document("details"),
        text("processor_customer_id"),
        text("processor_subscription_id", nullable=True),
        text("processor_item_id", nullable=True),
        text("processor_schedule_id", nullable=True),
        text("last_event_id", nullable=True),
        synced_by(),
        number("readings"),
        *versions(),
        check("subscriptions", "ended_at", "status NOT IN ('CANCELLED', 'EXPIRED') OR ended_at IS NOT NULL"),
        check("subscriptions", "version", "version > 0"),
        reference("subscriptions", "payment_method_id", "payment_methods"),
        reference("subscriptions", "pending_plan_id", "plans"),
        reference("subscriptions", "plan_id", "plans"),
        owner("subscriptions"),
        primary_key("subscriptions"),
        unique("subscriptions", "processor_subscription_id"),
    )
    op.create_index("ix_subscriptions_created", "subscriptions", ["created_at", "id"])
    op.create_index("ix_subscriptions_method", "subscriptions", ["payment_method_id"])
    op.create_index("ix_subscriptions_period_end", "subscriptions", ["current_period_end", "id"])
    op.create_index("ix_subscriptions_plan", "subscriptions", ["plan_id"])
    op.create_index("ix_subscriptions_user_created", "subscriptions", ["user_id", "created_at", "id"])
    op.create_index(
        "uq_subscriptions_live",
        "subscriptions",
        ["user_id", "plan_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('CANCELLED', 'EXPIRED') AND NOT is_surplus"),
    )


def create_charge_previews() -> None:
    op.create_table(
        "charge_previews",
        identifier("id"),
        identifier("user_id"),
        identifier("plan_id"),
        identifier("subscription_id", nullable=True),
        sa.Column("subscription_version", sa.Integer(), nullable=True),
        one_of("timing", "NOW", "PERIOD_END"),
        one_of("proration", "PRORATE", "INVOICE_NOW", "FULL_PRICE_NOW", "NONE"),
        instant("prorated_at"),
        currency(),
        document("lines"),
        *map(amount, ("subtotal", "tax", "credit_applied", "due_now", "next_renewal")),
        instant("charged_at"),
        instant("created_at"),
        instant("expires_at"),
        reference("charge_previews", "plan_id", "plans"),
        reference("charge_previews", "subscription_id", "subscriptions"),
        owner("charge_previews"),
        primary_key("charge_previews"),
    )
    op.create_index("ix_charge_previews_expiry", "charge_previews", ["expires_at"])


def create_invoices() -> None:
    op.create_table(
        "invoices",
        identifier("id"),
        identifier("user_id"),
        identifier("subscription_id", nullable=True),
        flag("livemode"),
        text("processor_invoice_id"),
        text("number", nullable=True),
        one_of("status", "DRAFT", "OPEN", "PAID", "UNCOLLECTIBLE", "VOID"),
        one_of("reason", "SUBSCRIPTION_START", "RENEWAL", "PLAN_CHANGE", "OTHER"),
        currency(),
        *map(amount, ("subtotal", "tax", "total", "amount_due", "amount_paid")),
        document("lines"),
        number("attempt_count"),
        instant("next_attempt_at", nullable=True),
        instant("period_start"),
        instant("period_end"),
        instant("paid_through", nullable=True),
        instant("paid_at", nullable=True),
        prose("hosted_url"),
        prose("pdf_url"),
        number("readings"),
        *versions(),
        check("invoices", "amount_paid", "amount_paid >= 0"),
        reference("invoices", "subscription_id", "subscriptions"),
        owner("invoices"),
        primary_key("invoices"),
        unique("invoices", "processor_invoice_id"),
    )
    op.create_index("ix_invoices_subscription", "invoices", ["subscription_id", "created_at", "id"])
    op.create_index("ix_invoices_user", "invoices", ["user_id", "created_at", "id"])


def create_trial_redemptions() -> None:
    op.create_table(
        "trial_redemptions",
        identifier("user_id"),
        text("fingerprint", nullable=True),
        identifier("subscription_id"),
        instant("redeemed_at"),
        reference("trial_redemptions", "subscription_id", "subscriptions"),
        owner("trial_redemptions"),
        primary_key("trial_redemptions", "user_id"),
        unique("trial_redemptions", "fingerprint"),
    )


def create_disputes() -> None:
    op.create_table(
        "disputes",
        identifier("id"),
        identifier("user_id"),
        identifier("payment_id"),
        one_of("status", "INQUIRY", "NEEDS_RESPONSE", "UNDER_REVIEW", "WON", "LOST", "PREVENTED", "CLOSED"),
        amount("amount"),
        currency(),
        text("reason"),
        instant("evidence_due_by", nullable=True),
        document("evidence_draft"),
        instant("evidence_submitted_at", nullable=True),
        document("history"),
        text("processor_dispute_id"),
        text("last_event_id", nullable=True),
        synced_by(),
        number("readings"),
        *versions(),
        check("disputes", "amount", "amount >= 0"),
        check("disputes", "version", "version > 0"),
        reference("disputes", "payment_id", "payments"),
        owner("disputes"),
        primary_key("disputes"),
        unique("disputes", "processor_dispute_id"),
    )
    op.create_index("ix_disputes_created", "disputes", ["created_at", "id"])
    op.create_index("ix_disputes_payment", "disputes", ["payment_id", "created_at", "id"])
    op.create_index("ix_disputes_status", "disputes", ["status", "created_at", "id"])
    op.create_index("ix_disputes_user", "disputes", ["user_id", "created_at", "id"])


def create_entitlements() -> None:
    op.create_table(
        "entitlements",
        identifier("id"),
        identifier("user_id"),
        one_of("source", "PURCHASE", "SUBSCRIPTION", "GRANT"),
        one_of("reason", *ACCESS_REASONS),
        identifier("payment_id", nullable=True),
        identifier("subscription_id", nullable=True),
        text("media_item_id", nullable=True),
        text("feature", nullable=True),
        instant("starts_at"),
        instant("ends_at", nullable=True),
        flag("renews"),
        one_of("revoked_reason", *ACCESS_REASONS, nullable=True),
        instant("revoked_at", nullable=True),
        identifier("granter_id", nullable=True),
        prose("note"),
        *versions(),
        check("entitlements", "payment", "(source = 'PURCHASE') = (payment_id IS NOT NULL)"),
        check("entitlements", "subscription", "(source = 'SUBSCRIPTION') = (subscription_id IS NOT NULL)"),
        check("entitlements", "revoked", "(revoked_reason IS NULL) = (revoked_at IS NULL)"),
        check("entitlements", "target", "num_nonnulls(media_item_id, feature) = 1"),
        reference("entitlements", "payment_id", "payments"),
        reference("entitlements", "subscription_id", "subscriptions"),
        owner("entitlements"),
        primary_key("entitlements"),
    )
    op.create_index(
        "ix_entitlements_feature",
        "entitlements",
        ["user_id", "feature"],
        postgresql_where=sa.text("feature IS NOT NULL"),
    )
    op.create_index(
        "ix_entitlements_media_item",
        "entitlements",
        ["user_id", "media_item_id"],
        postgresql_where=sa.text("media_item_id IS NOT NULL"),
    )
    op.create_index("uq_entitlements_payment", "entitlements", ["payment_id"], unique=True)
    op.create_index(
        "uq_entitlements_subscription", "entitlements", ["subscription_id", "feature"], unique=True
    )


def create_refunds() -> None:
    op.create_table(
        "refunds",
        identifier("id"),
        identifier("user_id"),
        identifier("payment_id"),
        one_of("status", "PENDING", "SUCCEEDED", "FAILED", "CANCELLED"),
        amount("amount"),
        currency(),
        one_of(
            "reason",
            "DUPLICATE",
            "FRAUDULENT",
            "CUSTOMER_REQUEST",
            "SERVICE_DISRUPTION",
            "GOODWILL",
            "DISPUTE_PREVENTION",
            "OTHER",
        ),
        prose("note"),
        text("failure_reason", nullable=True),
        one_of("origin", "API", "STRIPE_DASHBOARD", "DISPUTE_PREVENTION"),
        flag("revokes_access"),
        identifier("created_by", nullable=True),
        text("processor_refund_id", nullable=True),
        text("last_event_id", nullable=True),
        synced_by(),
        *versions(),
        instant("succeeded_at", nullable=True),
        check("refunds", "succeeded_at", "status <> 'SUCCEEDED' OR succeeded_at IS NOT NULL"),
        check("refunds", "amount", "amount > 0"),
        check("refunds", "version", "version > 0"),
        reference("refunds", "payment_id", "payments"),
        owner("refunds"),
        primary_key("refunds"),
        unique("refunds", "processor_refund_id"),
    )
    op.create_index("ix_refunds_payment", "refunds", ["payment_id", "created_at", "id"])
    op.create_index("ix_refunds_user", "refunds", ["user_id", "created_at", "id"])


def widen_payments() -> None:
    for each in NEW_AMOUNTS:
        op.add_column("payments", amount(each, server_default="0"))
        op.alter_column("payments", each, server_default=None)
    op.add_column("payments", text("media_item_id", nullable=True))
    op.add_column("payments", identifier("subscription_id", nullable=True))
    op.add_column("payments", identifier("invoice_id", nullable=True))
    op.create_index("ix_payments_charge", "payments", ["processor_charge_id"])
    op.create_index("ix_payments_invoice", "payments", ["invoice_id"])
    op.create_index("ix_payments_media_item", "payments", ["user_id", "media_item_id"])
    op.create_index("ix_payments_subscription", "payments", ["subscription_id", "created_at", "id"])
    for thing in ("invoice", "subscription"):
        op.create_foreign_key(
            op.f(f"fk_payments_{thing}_id_{thing}s"), "payments", f"{thing}s", [f"{thing}_id"], ["id"]
        )
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


def downgrade() -> None:
    """Raises CommandError where anything was written that the tables of before have no room for."""
    if any(map(has_new_kinds, TABLES_WITH_KINDS)):
        raise CommandError(NO_WAY_BACK)
    for table in TABLES_WITH_KINDS:
        replace_check(table, "object_kind", among("object_kind", FORMER_KINDS))
    replace_check("payments", "completed_at", FORMERLY_COMPLETED)
    replace_check("payments", "trigger", among("trigger", FORMER_TRIGGERS))
    replace_check("payments", "status", among("status", FORMER_STATUSES))
    for column in ("invoice_id", "subscription_id", "media_item_id", *NEW_AMOUNTS):
        op.drop_column("payments", column)
    op.drop_index("ix_payments_charge", table_name="payments")
    for table in (
        "refunds",
        "entitlements",
        "disputes",
        "trial_redemptions",
        "invoices",
        "charge_previews",
        "subscriptions",
        "plans",
    ):
        op.drop_table(table)


def has_new_kinds(table: str) -> bool:
    kind = sa.column("object_kind", sa.String())
    new = sa.select(kind).select_from(sa.table(table)).where(kind.not_in(FORMER_KINDS))
    return op.get_bind().scalar(new.limit(1)) is not None
