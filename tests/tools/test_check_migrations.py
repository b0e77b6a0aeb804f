import pytest

from tools.check_migrations import unsafe

UNSAFE = [
    ("CREATE INDEX ix ON payments (user_id);", "require-concurrent-index-creation"),
    ("DROP INDEX ix;", "require-concurrent-index-deletion"),
    ("CREATE INDEX CONCURRENTLY ix ON payments (user_id);", "ban-concurrent-index-creation-in-transaction"),
    (
        "ALTER TABLE payments ADD CONSTRAINT fk FOREIGN KEY (plan_id) REFERENCES plans (id);",
        "adding-foreign-key-constraint",
    ),
    ("ALTER TABLE payments ADD CONSTRAINT positive CHECK (amount > 0);", "constraint-missing-not-valid"),
    ("ALTER TABLE payments ADD CONSTRAINT one UNIQUE (user_id);", "disallowed-unique-constraint"),
    ("ALTER TABLE payments ALTER COLUMN amount TYPE bigint;", "changing-column-type"),
    ("ALTER TABLE payments ALTER COLUMN plan_id SET NOT NULL;", "adding-not-nullable-field"),
    ("ALTER TABLE payments ADD COLUMN note text NOT NULL;", "adding-required-field"),
    (
        "ALTER TABLE payments ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        "adding-field-with-default",
    ),
    ("ALTER TABLE payments DROP COLUMN note;", "ban-drop-column"),
    ("ALTER TABLE payments RENAME COLUMN note TO remark;", "renaming-column"),
]

SAFE = [
    "CREATE TABLE notes (id uuid PRIMARY KEY, text varchar NOT NULL); CREATE INDEX ix ON notes (text);",
    "COMMIT; CREATE INDEX CONCURRENTLY ix ON payments (user_id); BEGIN;",
    "ALTER TABLE payments ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;",
    "ALTER TABLE payments VALIDATE CONSTRAINT positive;",
    "ALTER TABLE payments ADD COLUMN note varchar;",
    "ALTER TABLE payments ADD COLUMN attempts integer DEFAULT 0 NOT NULL;",
    "-- squawk-ignore ban-drop-column\nALTER TABLE payments DROP COLUMN note;",
]


class TestUnsafe:
    @pytest.mark.parametrize(("statement", "rule"), UNSAFE, ids=[rule for _, rule in UNSAFE])
    def test_statement_is_named_with_its_rule(self, statement: str, rule: str) -> None:
        problems = unsafe(f"BEGIN;\n{statement}\nCOMMIT;\n", "0008_notes.py")

        assert any(rule in problem and statement in problem for problem in problems), problems
        assert all(problem.startswith("0008_notes.py: ") for problem in problems)

    @pytest.mark.parametrize("statements", SAFE)
    def test_statement_that_holds_up_nobody_passes(self, statements: str) -> None:
        assert unsafe(f"BEGIN;\n{statements}\nCOMMIT;\n", "0008_notes.py") == []
