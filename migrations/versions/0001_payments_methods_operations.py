"""Payments, methods, operations, the audit trail and the inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSE_CHANGES = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Records of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.create_table(
        "audit_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "actor_role",
            sa.Enum(
                "ANONYMOUS",
                "USER",
                "SUPPORT",
                "ADMIN",
                "SERVICE",
                "SYSTEM",
                name="actor_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column(
            "object_kind",
            sa.Enum(
                "PAYMENT",
                "PAYMENT_METHOD",
                "PAYMENT_METHOD_SETUP",
                "BILLING_ACCOUNT",
                name="object_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_records")),
    )
    op.create_index(
        "ix_audit_records_object", "audit_records", ["object_kind", "object_id", "id"], unique=False
    )
    op.create_table(
        "billing_accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("processor_customer_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_billing_accounts")),
        sa.UniqueConstraint("processor_customer_id", name=op.f("uq_billing_accounts_processor_customer_id")),
    )
    op.create_table(
        "inbox_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("processor_event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("api_version", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "RECEIVED",
                "HANDLED",
                "IGNORED",
                "FAILED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_events")),
        sa.UniqueConstraint("processor_event_id", name=op.f("uq_inbox_events_processor_event_id")),
    )
    op.create_index("ix_inbox_events_status", "inbox_events", ["status", "received_at"], unique=False)
    op.create_table(
        "operations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caller_id", sa.Uuid(), nullable=False),
        sa.Column("mutation", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "RUNNING",
                "SUCCEEDED",
                "FAILED",
                "OUTCOME_UNKNOWN",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("fingerprint", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "object_kind",
            sa.Enum(
                "PAYMENT",
                "PAYMENT_METHOD",
                "PAYMENT_METHOD_SETUP",
                "BILLING_ACCOUNT",
                name="object_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("error", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('SUCCEEDED', 'FAILED')) = (finished_at IS NOT NULL)",
            name=op.f("ck_operations_finished_at"),
        ),
        sa.CheckConstraint("state <> 'FAILED' OR error IS NOT NULL", name=op.f("ck_operations_error")),
        sa.CheckConstraint("char_length(key) BETWEEN 8 AND 255", name=op.f("ck_operations_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
    )
    op.create_index("ix_operations_expiry", "operations", ["expires_at"], unique=False)
    op.create_index(
        "ix_operations_open",
        "operations",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('RUNNING', 'OUTCOME_UNKNOWN')"),
    )
    op.create_index("uq_operations_key", "operations", ["caller_id", "mutation", "key"], unique=True)
    op.create_index(
        "uq_operations_open_object",
        "operations",
        ["object_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('RUNNING', 'OUTCOME_UNKNOWN')"),
    )
    op.create_table(
        "payment_methods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("processor_method_id", sa.String(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "CARD",
                "BANK_ACCOUNT",
                "SEPA_DEBIT",
                "LINK",
                "OTHER",
                name="type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("last4", sa.String(length=4), nullable=True),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("wallet", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("billing_name", sa.String(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT (is_default AND detached_at IS NOT NULL)",
            name=op.f("ck_payment_methods_default_is_attached"),
        ),
        sa.CheckConstraint("exp_month BETWEEN 1 AND 12", name=op.f("ck_payment_methods_exp_month")),
        sa.CheckConstraint("version > 0", name=op.f("ck_payment_methods_version")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["billing_accounts.user_id"],
            name=op.f("fk_payment_methods_user_id_billing_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint("processor_method_id", name=op.f("uq_payment_methods_processor_method_id")),
    )
    op.create_index("ix_payment_methods_user", "payment_methods", ["user_id", "created_at"], unique=False)
    op.create_index(
        "uq_payment_methods_default",
        "payment_methods",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "payment_method_setups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "REQUIRES_METHOD",
                "REQUIRES_ACTION",
                "PROCESSING",
                "SUCCEEDED",
                "CANCELLED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("makes_default", sa.Boolean(), nullable=False),
        sa.Column("processor_setup_id", sa.String(), nullable=True),
        sa.Column("processor_customer_id", sa.String(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
        sa.Column("decline_code", sa.String(), nullable=True),
        sa.Column("decline_advice", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_payment_method_setups_payment_method_id_payment_methods"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["billing_accounts.user_id"],
            name=op.f("fk_payment_method_setups_user_id_billing_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_method_setups")),
        sa.UniqueConstraint("processor_setup_id", name=op.f("uq_payment_method_setups_processor_setup_id")),
    )
    op.create_index(
        op.f("ix_payment_method_setups_user_id"), "payment_method_setups", ["user_id"], unique=False
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "REQUIRES_ACTION",
                "PROCESSING",
                "FAILED",
                "AUTHORIZED",
                "CANCELLED",
                "COMPLETED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "trigger",
            sa.Enum(
                "PURCHASE", "ADMIN", name="trigger", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("authorized_amount", sa.BigInteger(), nullable=False),
        sa.Column("captured_amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "capture_method",
            sa.Enum(
                "AUTOMATIC",
                "MANUAL",
                name="capture_method",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
        sa.Column("processor_customer_id", sa.String(), nullable=False),
        sa.Column("processor_method_id", sa.String(), nullable=True),
        sa.Column("processor_payment_id", sa.String(), nullable=True),
        sa.Column("processor_charge_id", sa.String(), nullable=True),
        sa.Column(
            "method_type",
            sa.Enum(
                "CARD",
                "BANK_ACCOUNT",
                "SEPA_DEBIT",
                "LINK",
                "OTHER",
                name="method_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("method_brand", sa.String(), nullable=True),
        sa.Column("method_last4", sa.String(length=4), nullable=True),
        sa.Column("method_exp_month", sa.Integer(), nullable=True),
        sa.Column("method_exp_year", sa.Integer(), nullable=True),
        sa.Column("method_wallet", sa.String(), nullable=True),
        sa.Column("method_country", sa.String(), nullable=True),
        sa.Column("decline_code", sa.String(), nullable=True),
        sa.Column("decline_advice", sa.String(), nullable=True),
        sa.Column("receipt_url", sa.Text(), nullable=True),
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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'COMPLETED') = (completed_at IS NOT NULL)", name=op.f("ck_payments_completed_at")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payments_currency")),
        sa.CheckConstraint(
            "status <> 'FAILED' OR decline_code IS NOT NULL", name=op.f("ck_payments_decline")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint(
            "authorized_amount BETWEEN 0 AND amount", name=op.f("ck_payments_authorized_amount")
        ),
        sa.CheckConstraint("captured_amount BETWEEN 0 AND amount", name=op.f("ck_payments_captured_amount")),
        sa.CheckConstraint("version > 0", name=op.f("ck_payments_version")),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_payments_payment_method_id_payment_methods"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["billing_accounts.user_id"], name=op.f("fk_payments_user_id_billing_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("processor_payment_id", name=op.f("uq_payments_processor_payment_id")),
    )
    op.create_index("ix_payments_created", "payments", ["created_at", "id"], unique=False)
    op.create_index("ix_payments_method", "payments", ["payment_method_id"], unique=False)
    op.create_index("ix_payments_updated", "payments", ["updated_at", "id"], unique=False)
    op.create_index("ix_payments_user_amount", "payments", ["user_id", "amount", "id"], unique=False)
    op.create_index("ix_payments_user_created", "payments", ["user_id", "created_at", "id"], unique=False)
    op.create_index("ix_payments_user_status", "payments", ["user_id", "status", "id"], unique=False)
    op.create_index("ix_payments_user_updated", "payments", ["user_id", "updated_at", "id"], unique=False)
    op.execute(REFUSE_CHANGES)
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    for table in (
        "payments",
        "payment_method_setups",
        "payment_methods",
        "operations",
        "inbox_events",
        "billing_accounts",
        "audit_records",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change")
