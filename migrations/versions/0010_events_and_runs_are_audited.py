"""Operations and audit records may be about stored events, and about reconciliation runs."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("audit_records", "operations")
FORMER_KINDS = (
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
)
KINDS = (*FORMER_KINDS, "WEBHOOK_EVENT", "RECONCILIATION_RUN")


def upgrade() -> None:
    """May be run again where it was cut short; existing rows are looked at without a lock that stops writers."""
    allow(KINDS)
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_object_kind")


def downgrade() -> None:
    """Audit records are never deleted: those about events and runs stay, and are not looked at."""
    op.execute("DELETE FROM operations WHERE object_kind IN ('WEBHOOK_EVENT', 'RECONCILIATION_RUN')")
    allow(FORMER_KINDS)


def allow(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_object_kind"), table)
        constraint = f"ck_{table}_object_kind CHECK (object_kind IN ({listed}))"
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} NOT VALID")
