"""The search for secrets finds them: in rows, in logs, in what programs write."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leaks import Search, allowed_in
from tests.secret_texts import CARD_NUMBER, CLIENT_SECRET, KINDS, PASSWORD, STRIPE_KEY, TOKEN, secrets_in
from tests.test_databases import CONFIGURATION, CONFTEST

CARD = "4242 4242 4242 4242"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"
LEAKS = {
    CARD_NUMBER: [f"paid with {CARD}", '{"note": "4242424242424242"}'],
    TOKEN: [JWT, f"authorization: Bearer {JWT}", "bearer 0123456789abcdef0"],
    STRIPE_KEY: ["sk_live_51Hxyz", "rk_test_51Hxyz", "sk_test_sandbox"],
    "webhook secret": ["whsec_MfKQ9r8GKYqr"],
    CLIENT_SECRET: ["pi_3Abc_secret_xYz09", "seti_1Abc_secret_xYz09"],
    PASSWORD: ["postgresql+asyncpg://ada:hunter2@db/payments", "redis://:hunter2@cache"],
    "private key": ["-----BEGIN PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----"],
    "secret that signs tokens": ["development-only-jwt-secret-0000000000"],
}
HARMLESS = [
    "",
    "[card number] and [redacted]",
    "authorization: Bearer [redacted]",
    "postgresql://[redacted]@db:5432/payments",
    "postgresql+asyncpg://postgres@/app?host=/tmp",
    "https://api.stripe.com:443/v1/payment_intents",
    "(01a22e2e-5f53-7839-ba34-efb686ed8df3,1250,EUR,2026-11-30 20:33:20.123456+00)",
    "pi_3Abc evt_1NG8Du2eZvKYlo2CUI79vXWy",
    "the bearer of bad news",
]

BEGINNING = """
import logging, pytest, structlog, sys
from tests.acceptance.processes import started

CARD = "4242 4242 4242 4242"

@pytest.fixture(scope="session")
def migrate(sql):
    import asyncio
    return lambda url: asyncio.run(sql(url, "CREATE TABLE notes (words text)"))
"""
LEAKING = """
async def test_shared_row(clean_tables, database_url, sql):
    await sql(database_url, f"INSERT INTO notes VALUES ('{CARD}')")

async def test_row_of_its_own(fresh_database, sql):
    await sql(await fresh_database(), f"INSERT INTO notes VALUES ('{CARD}')")

def test_output():
    print(CARD)

def test_log_past_the_redaction():
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    structlog.get_logger().info("a", number=CARD)
    structlog.reset_defaults()

def test_program(tmp_path):
    with started([sys.executable, "-c", f"print('{CARD}')"], {}, tmp_path / "out.log") as program:
        program.process.wait()

@pytest.mark.writes("token", why="to see that this allows no other kind")
def test_other_purpose():
    print(CARD)

async def test_last_row(clean_tables, database_url, sql):
    await sql(database_url, f"INSERT INTO notes VALUES ('{CARD}')")
"""
PLACES = {
    "test_shared_row": "table notes",
    "test_row_of_its_own": "table notes",
    "test_output": "Captured stdout call",
    "test_log_past_the_redaction": "Captured stderr call",
    "test_program": "out.log",
    "test_other_purpose": "Captured stdout call",
    "test_last_row": "table notes",
}
CLEAN = """
def test_logs_what_is_redacted():
    structlog.get_logger().info("a", number=CARD)
    logging.getLogger("theirs").warning(CARD)

@pytest.mark.writes("card number", why="to see that it is allowed")
async def test_writes_on_purpose(clean_tables, database_url, sql):
    print(CARD)
    await sql(database_url, f"INSERT INTO notes VALUES ('{CARD}')")
"""

CAPTURING = """
def test_event_past_the_redaction(monkeypatch):
    monkeypatch.setattr("web.redaction.redacted_text", lambda text: text)
    structlog.get_logger().info("a", number=CARD)

def test_exception_past_the_redaction(monkeypatch):
    monkeypatch.setattr("web.redaction.redacted_text", lambda text: text)
    try:
        raise ValueError(CARD)
    except ValueError:
        structlog.get_logger().exception("a")

def test_logs_what_is_redacted(events):
    structlog.get_logger().info("a", number=CARD)
    assert events == [{"event": "a", "log_level": "info", "number": CARD}]
"""
WEB_TESTS = '["tests.leaks", "tests.databases", "tests.web.conftest"]'

RunSuite = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """A suite of one file, with the plugin, in a process of its own."""

    def run(
        tests: str, plugins: str = '["tests.leaks", "tests.databases"]'
    ) -> subprocess.CompletedProcess[str]:
        conftest = CONFTEST.replace('["tests.databases"]', plugins)
        (tmp_path / "conftest.py").write_text(conftest)
        (tmp_path / "test_it.py").write_text(BEGINNING + tests)
        (tmp_path / "pytest.ini").write_text(CONFIGURATION)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:hypothesispytest",
            "-p",
            "no:cacheprovider",
        ]
        path = f"{Path(__file__).parents[1]}:{':'.join(sys.path)}"
        return subprocess.run(  # noqa: S603 - our own suite
            command,
            cwd=tmp_path,
            env={"PYTHONPATH": path, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return run


class TestSecretsInText:
    @pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in LEAKS for text in LEAKS[kind]])
    def test_are_found_whatever_stands_around_them(self, kind: str, text: str) -> None:
        found = {secret.kind for secret in secrets_in(f'2026-11-30 line\\n(7,"{text}",t)')}

        assert kind in found

    @pytest.mark.parametrize("text", HARMLESS)
    def test_are_not_seen_where_there_are_none(self, text: str) -> None:
        assert list(secrets_in(f"(7,{text},t)")) == []

    def test_of_every_kind_are_tried(self) -> None:
        assert {*LEAKS} == KINDS

    def test_are_not_repeated_in_full(self) -> None:
        [secret] = secrets_in(f"before {JWT}")

        assert secret.excerpt.startswith("before eyJ")
        assert JWT not in secret.excerpt


class TestSearch:
    def test_blames_the_tests_since_the_database_was_emptied(self) -> None:
        search = Search()
        search.begin("one", frozenset())
        search.begin("two", frozenset())
        search.emptied()
        search.begin("three", frozenset())

        search.look_at(CARD, "table notes")

        assert [(leak.kind, leak.tests) for leak in search.leaks] == [(CARD_NUMBER, ("two", "three"))]

    def test_lets_a_test_write_the_kind_that_it_names_and_no_other(self) -> None:
        search = Search()
        search.begin("one", frozenset({CARD_NUMBER}))

        search.look_at(f"{CARD} {JWT}", "standard error")

        assert [leak.kind for leak in search.leaks] == [TOKEN]


class TestMark:
    @pytest.mark.parametrize(
        ("kind", "reason"), [(CARD_NUMBER, {}), (CARD_NUMBER, {"why": ""}), ("a poem", {"why": "for fun"})]
    )
    def test_without_a_reason_or_of_no_known_kind_is_refused(
        self, request: pytest.FixtureRequest, kind: str, reason: dict[str, str]
    ) -> None:
        request.node.add_marker(pytest.mark.writes(kind, **reason))

        with pytest.raises(ValueError, match="A mark names one of"):
            allowed_in(request.node)


class TestRun:
    def test_fails_where_a_secret_was_written_and_tells_by_whom(self, run_suite: RunSuite) -> None:
        run = run_suite(LEAKING)

        assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
        leaks = [line for line in run.stdout.splitlines() if line.startswith("LEAK: card number in ")]
        assert len(leaks) == len(PLACES)
        for test, place in PLACES.items():
            assert [leak for leak in leaks if f"in {place}: " in leak and f"::{test}" in leak], run.stdout

    def test_passes_where_it_is_redacted_or_written_on_purpose(self, run_suite: RunSuite) -> None:
        run = run_suite(CLEAN)

        assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
        assert "for secrets: 0 found" in run.stdout

    def test_fails_where_tests_that_capture_events_would_have_logged_a_secret(
        self, run_suite: RunSuite
    ) -> None:
        run = run_suite(CAPTURING, plugins=WEB_TESTS)

        assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
        leaks = [line for line in run.stdout.splitlines() if line.startswith("LEAK: card number in captured")]
        assert [leak.rpartition("::")[2] for leak in leaks] == [
            "test_event_past_the_redaction)",
            "test_exception_past_the_redaction)",
        ]
