"""
Audit records keep what they tell of a person apart, where it can be taken away, and nothing else can.

Servers of the version before go on adding records that have everything in one. May be run again where it was cut short.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REFUSE_ALL_BUT_FORGETTING = """
CREATE FUNCTION refuse_change_but_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    OLD.personal := NULL;
    IF NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'Records of % are only ever added, and what is personal in them taken away', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
FORGETTING_ONLY = """
CREATE TRIGGER forgetting_only BEFORE UPDATE ON audit_records
FOR EACH ROW EXECUTE FUNCTION refuse_change_but_forgetting()
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE {} ON audit_records
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():  # Who has added a record may want the account next.
        op.add_column(
            "billing_accounts",
            sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
            if_not_exists=True,
        )
    op.add_column("audit_records", sa.Column("personal", postgresql.JSONB(), nullable=True))
    op.add_column("audit_records", sa.Column("personal_digest", sa.String(length=64), nullable=True))
    op.execute(REFUSE_ALL_BUT_FORGETTING)
    op.execute("DROP TRIGGER append_only ON audit_records")
    op.execute(APPEND_ONLY.format("DELETE OR TRUNCATE"))
    op.execute(FORGETTING_ONLY)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_column("billing_accounts", "forgotten_at", if_exists=True)
    op.execute("DROP TRIGGER forgetting_only ON audit_records")
    op.execute("DROP TRIGGER append_only ON audit_records")
    op.execute(APPEND_ONLY.format("UPDATE OR DELETE OR TRUNCATE"))
    op.execute("DROP FUNCTION refuse_change_but_forgetting")
    op.drop_column("audit_records", "personal_digest")
    op.drop_column("audit_records", "personal")
