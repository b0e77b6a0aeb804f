"""The `payments-gateway` command: what it answers, and that it refuses to start with a sentence, not a trace-back."""

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.statistics.metrics import StatsMetric
from domain.statistics.question import StatsQuestion
from gateway.cli import app
from gateway.settings import (
    DEMO_USER,
    DEVELOPMENT_JWT_SECRET,
    DEVELOPMENT_STRIPE_KEY,
    Settings,
    settings_table,
)
from gateway.wiring import Gateway
from persistence.schema import wanted_revision
from tests.databases import Server, database
from tests.domain.values import NOON, OWNER, a_payment
from tests.leaks import SEARCH
from web.token_keys import secret_key
from web.token_verifier import TokenVerifier
from web.tokens import Expected

COMMAND = str(Path(sys.executable).with_name("payments-gateway"))
USER = UUID("0195d1c5-0000-7000-8000-000000000042")
SECRET = "a-secret-of-the-user-service-0123456789"
METADATA_KEY = "2026-11:LmnQ3ZcV7xYt0bB5r9sKq1wE8uHfGj2oPaTiNdMvCx4="
PASSWORD = "hunter2-is-no-password"

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """The command configures the logs of its process, which here is pytest's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logging_restored: None) -> Run:
    """Run the command with exactly these settings; one that ends by an exception fails the test."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    async def invoke(*arguments: str, **environment: str) -> Result:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if arguments[:1] != ("token",):  # Which prints one.
            SEARCH.look_at(result.output, f"output of {' '.join(arguments)}")
        return result

    return invoke


class TestToken:
    async def test_is_one_that_the_server_accepts(self, run: Run) -> None:
        settings = {
            "ENVIRONMENT": "development",
            "JWT_SECRET": SECRET,
            "JWT_ISSUER": "users",
            "JWT_AUDIENCE": "pay",
        }

        result = await run("token", str(USER), "--role", "support", **settings)

        verifier = TokenVerifier(
            secrets=[secret_key(SECRET)], expected=Expected(issuer="users", audience="pay")
        )
        actor = await verifier.verify(result.stdout.strip())
        assert (actor.user_id, actor.role) == (USER, Role.SUPPORT)

    async def test_is_for_the_demo_user_where_nothing_is_said(self, run: Run) -> None:
        result = await run("token", ENVIRONMENT="development")

        verifier = TokenVerifier(secrets=[secret_key(DEVELOPMENT_JWT_SECRET)])
        actor = await verifier.verify(result.stdout.strip())
        assert (actor.user_id, actor.role) == (DEMO_USER, Role.USER)

    @pytest.mark.parametrize(
        ("arguments", "settings", "reason"),
        [
            ((), {"JWT_SECRET": SECRET}, "ENVIRONMENT=development"),
            ((), {"ENVIRONMENT": "development", "JWT_SECRET": "short"}, "at least 32 bytes"),
            ((), {"ENVIRONMENT": "development", "JWT_JWKS_URL": "http://users.test/keys"}, "JWT_SECRET"),
            (("--role", "king"), {"ENVIRONMENT": "development"}, "'king'"),
            (("nobody",), {"ENVIRONMENT": "development"}, "Error"),
            ((), {"PORT": "http"}, "PORT: Input should be a valid integer"),
        ],
    )
    async def test_is_refused_with_a_reason(
        self, run: Run, arguments: tuple[str, ...], settings: dict[str, str], reason: str
    ) -> None:
        result = await run("token", *arguments, **settings)

        assert result.exit_code != 0
        assert reason in " ".join(result.stderr.split())
        assert result.stdout == ""


class TestSettings:
    async def test_prints_the_table(self, run: Run) -> None:
        assert (await run("settings")).stdout == f"{settings_table()}\n"


class TestMigrate:
    async def test_brings_an_empty_database_up_to_date_and_may_run_again(
        self, run: Run, postgres: Server
    ) -> None:
        async with database(postgres) as name:
            results = [await run("migrate", DATABASE_URL=postgres.url(name)) for _ in range(2)]

        assert [result.exit_code for result in results] == [0, 0], results
        assert all(result.stdout.endswith(f"at revision {wanted_revision()}.\n") for result in results)

    async def test_without_a_database_says_so(self, run: Run, postgres: Server) -> None:
        results = [
            await run("migrate"),
            await run("migrate", DATABASE_URL=postgres.url("nowhere")),
            await run("migrate", DATABASE_URL="nonsense"),
        ]

        assert [result.exit_code for result in results] == [1, 1, 1]
        assert all("DATABASE_URL" in result.stderr for result in results)


class TestStats:
    async def test_are_rebuilt_from_what_is_there(self, run: Run, gateway: Gateway, admin: Actor) -> None:
        async with gateway.services.database.work() as work:
            await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
            await work.payments.add(a_payment())

        result = await run(
            "stats",
            "rebuild",
            ENVIRONMENT="development",
            DATABASE_URL=gateway.settings.database_url,
            STRIPE_SECRET_KEY=DEVELOPMENT_STRIPE_KEY,
            JWT_SECRET=SECRET,
        )

        assert (result.exit_code, result.stdout) == (0, "Counted 1 objects.\n")
        question = StatsQuestion(
            metrics=[StatsMetric.PAYMENTS_COUNT], since=NOON, until=NOON + timedelta(days=1)
        )
        report = await gateway.services.statistics.report(admin, question)
        assert [value.number for value in report.totals] == [1]

    async def test_are_not_rebuilt_where_the_database_was_not_migrated(
        self, run: Run, postgres: Server
    ) -> None:
        settings = {"STRIPE_SECRET_KEY": DEVELOPMENT_STRIPE_KEY, "JWT_SECRET": SECRET}

        result = await run(
            "stats", "rebuild", ENVIRONMENT="development", DATABASE_URL=postgres.url("postgres"), **settings
        )

        assert result.exit_code == 1
        assert "run payments-gateway migrate" in " ".join(result.stderr.split())


class TestStart:
    """What `serve` and `worker` refuse, each with its name."""

    @pytest.fixture
    def production(self, postgres: Server) -> dict[str, str]:
        return {
            "DATABASE_URL": postgres.url("postgres"),
            "STRIPE_SECRET_KEY": "sk_live_0123456789",
            "STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
            "JWT_SECRET": SECRET,
            "METADATA_KEYS": METADATA_KEY,
        }

    @pytest.mark.parametrize("command", ["serve", "worker"])
    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ({}, f"the database is at revision None, not {wanted_revision()}: run payments-gateway migrate"),
            ({"JWT_SECRET": DEVELOPMENT_JWT_SECRET}, "JWT_SECRET is the development default"),
            ({"JWT_SECRET": "short"}, "at least 32 bytes"),
            ({"STRIPE_API_BASE": "http://localhost:12111"}, "STRIPE_API_BASE is not https"),
            ({"METADATA_KEYS": ""}, "METADATA_KEYS is not set"),
            ({"METADATA_KEYS": METADATA_KEY[:-8]}, "METADATA_KEYS is unfit (key 1 has"),
            ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
            ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be used"),
            ({"DATABASE_URL": f"postgresql://u:{PASSWORD}@127.0.0.1:1/x"}, "DATABASE_URL cannot be used"),
            ({"DATABASE_URL": "postgresql://u@nowhere.invalid/x"}, "DATABASE_URL cannot be used"),
            ({"LOG_LEVEL": "CHATTY"}, "LOG_LEVEL: Value error, one of DEBUG, INFO, WARNING, ERROR is needed"),
            ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS: Value error, This is not an origin"),
        ],
    )
    async def test_is_refused_with_a_reason(
        self, run: Run, production: dict[str, str], command: str, settings: dict[str, str], reason: str
    ) -> None:
        result = await run(command, **{**production, **settings})

        assert result.exit_code == 1
        assert reason in " ".join(result.stderr.split())
        assert not any(
            secret in result.output for secret in (SECRET, PASSWORD, METADATA_KEY[8:-8], "sk_live_0123456789")
        )

    async def test_is_refused_where_the_database_is_missing(
        self, run: Run, production: dict[str, str], postgres: Server
    ) -> None:
        result = await run("serve", **{**production, "DATABASE_URL": postgres.url("nowhere")})

        assert result.exit_code == 1
        assert "DATABASE_URL cannot be used" in result.stderr

    async def test_is_refused_where_the_port_is_taken(
        self, run: Run, production: dict[str, str], database_url: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            result = await run("serve", **{**production, "DATABASE_URL": database_url, "PORT": str(port)})

        assert result.exit_code == 1
        assert f"Choose another port: PORT={port + 1}" in " ".join(result.stderr.split())

    async def test_as_a_process_is_refused_without_a_trace_back(self, tmp_path: Path) -> None:
        ended = await asyncio.to_thread(
            subprocess.run, [COMMAND, "serve"], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60
        )  # fmt: skip

        assert ended.returncode == 1
        assert "Not starting in production: DATABASE_URL is not set" in " ".join(ended.stderr.split())
        assert "Traceback" not in ended.stderr


async def test_address_with_a_password_is_never_part_of_a_message(run: Run, postgres: Server) -> None:
    address = make_url(postgres.url("nowhere")).set(password=PASSWORD)

    result = await run("migrate", DATABASE_URL=address.render_as_string(hide_password=False))

    assert result.exit_code == 1
    assert PASSWORD not in result.output
