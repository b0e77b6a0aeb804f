import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from domain.actor import Role
from gateway.demo import ADMIN, PEOPLE, PURCHASES
from gateway.development import (
    Explorer,
    banner,
    begin_chaos,
    development_settings,
    revive_until,
    sandbox_settings,
    token,
)
from gateway.development_key import development_key, new_key
from gateway.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, comes_true
from gateway.settings import DEVELOPMENT_STRIPE_KEY, DEVELOPMENT_WEBHOOK_SECRET, Settings
from gateway.wiring import Gateway
from gql.explorer.page import DEMO_USER, placeholders, stories
from persistence.engine import create_engine, is_reachable
from sandbox import Sandbox
from sandbox.control.weather import rough
from tests.acceptance.processes import running_over
from tests.demo import demo_of
from tests.waiting import until
from web.access_statements import statement_keys
from web.token_keys import secret_key
from web.token_verifier import TokenVerifier

API, STRIPE = "http://127.0.0.1:8000", "http://127.0.0.1:12111"


@pytest.fixture
def real_money(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell in which the real thing was set up."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "ENVIRONMENT": "production",
        "DATABASE_URL": "postgresql://real/",
        "STRIPE_SECRET_KEY": "sk_live_0123456789",
        "STRIPE_WEBHOOK_SECRET": "whsec_real",
        "STRIPE_API_BASE": "https://api.stripe.com",
        "JWT_SECRET": "a-secret-of-the-user-service-0123456789",
        "RUN_WORKER": "false",
        "JWT_JWKS_URL": "https://users.example/keys.json",
        "JWT_ISSUER": "users",
    }.items():
        monkeypatch.setenv(name, value)


def verifier_of(settings: Settings) -> TokenVerifier:
    return TokenVerifier(secrets=[secret_key(settings.jwt_secret.get_secret_value())])


class TestSettings:
    def test_never_reach_real_money_whatever_the_shell_holds(self, real_money: None) -> None:
        settings = development_settings("postgresql:///demo", API, STRIPE)

        assert not settings.is_production
        assert settings.database_url == "postgresql:///demo"
        assert settings.stripe_secret_key.get_secret_value() == DEVELOPMENT_STRIPE_KEY
        assert settings.webhook_secrets == (DEVELOPMENT_WEBHOOK_SECRET,)
        assert settings.stripe_api_base == STRIPE
        assert (settings.explorer, settings.run_worker) == (True, True)
        assert (settings.jwt_issuer, settings.jwt_jwks_url) == ("users", None)

    def test_of_the_sandbox_send_its_events_to_our_webhook(self, tmp_path: Path) -> None:
        settings = sandbox_settings(tmp_path, API)

        assert [hook.url for hook in settings.webhooks] == [f"{API}/api/v1/payments/webhooks/stripe"]
        assert settings.state == tmp_path / "sandbox.sqlite"


class TestChaos:
    def test_has_the_seed_that_was_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SANDBOX_CHAOS", "7")
        settings, sandbox = development_settings("postgresql:///demo", API, STRIPE), Sandbox()

        begin_chaos(sandbox, settings.sandbox_chaos)

        assert sandbox.chaos.weather == rough(7)
        assert "seed 7" in capsys.readouterr().out

    def test_is_nothing_that_happens_unasked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SANDBOX_CHAOS", raising=False)
        settings, sandbox = development_settings("postgresql:///demo", API, STRIPE), Sandbox()

        begin_chaos(sandbox, settings.sandbox_chaos)

        assert sandbox.chaos.weather is None


class TestKey:
    def test_is_made_once_and_for_its_user_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "var"

        first = development_key(folder)

        assert development_key(folder) == first
        [file] = folder.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert len(statement_keys(first)) == 1

    def test_replaces_a_real_one(self, real_money: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ACCESS_STATEMENT_KEYS", new_key())
        key = new_key()

        settings = development_settings("postgresql:///demo", API, STRIPE, statement_key=key)

        assert settings.access_statement_keys.get_secret_value() == key


class TestBanner:
    async def test_holds_tokens_that_the_server_accepts(self, settings: Settings, tmp_path: Path) -> None:
        told = banner(settings, tmp_path, API, STRIPE)

        verifier = verifier_of(settings)
        bearers = {
            (await verifier.verify(word)).role: word for word in told.split() if word.startswith("eyJ")
        }
        assert bearers.keys() == {Role.USER, Role.ADMIN}
        assert f"{API}/graphql" in told
        assert STRIPE in told
        assert str(tmp_path) in told


def payments_of_ours(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Those of invoices carry no metadata."""
    return [intent for intent in sandbox.ledger()["payment_intents"] if intent["metadata"]]


class TestDemo:
    async def test_is_made_once_however_often_it_is_loaded(self, gateway: Gateway, sandbox: Sandbox) -> None:
        first = await demo_of(gateway, sandbox)

        statuses = {intent["status"] for intent in payments_of_ours(sandbox)}

        again = await demo_of(gateway, sandbox)

        assert again == first
        assert len(payments_of_ours(sandbox)) == len(PURCHASES)
        assert statuses == {
            "succeeded",
            "requires_payment_method",
            "requires_capture",
        }

    async def test_has_an_object_for_each_placeholder_of_the_stories(
        self, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        assert placeholders() <= (await demo_of(gateway, sandbox)).keys()


class TestExplorer:
    async def test_opens_with_everybodys_token_and_all_stories(
        self, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        explorer = Explorer(gateway.settings)
        before = await explorer.configuration()
        explorer.told = await demo_of(gateway, sandbox)

        after = await explorer.configuration()

        assert len(before["tabs"]) < len(after["tabs"]) == len(stories())
        verifier = verifier_of(gateway.settings)
        signed_in = {
            person["name"]: await verifier.verify(person["authorization"].removeprefix("Bearer "))
            for person in after["people"]
        }
        assert {name: (actor.user_id, actor.role) for name, actor in signed_in.items()} == {
            name: (person.user_id, person.role) for name, person in PEOPLE.items()
        }
        assert next(iter(signed_in)) == DEMO_USER

    async def test_token_of_an_admin_is_an_admins(self, settings: Settings) -> None:
        actor = await verifier_of(settings).verify(token(settings, ADMIN))

        assert actor.role is Role.ADMIN


class TestPostgresThatWasKilled:
    async def test_is_started_again_and_that_is_said(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stopping = asyncio.Event()
        with EmbeddedPostgres(tmp_path / "postgres") as postgres:
            kill_all(tmp_path / "postgres" / "data")
            await asyncio.to_thread(comes_true, lambda: postgres.has_ended, seconds=10)

            reviving = asyncio.create_task(revive_until(stopping, postgres))
            await until(lambda: answers(postgres))
            stopping.set()
            await reviving

        assert "PostgreSQL has ended, though nobody stopped it." in capsys.readouterr().out
        assert running_over(tmp_path / "postgres" / "data") == []

    async def test_and_cannot_start_again_ends_the_program_with_the_reason(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path / "postgres") as postgres:
            kill_all(tmp_path / "postgres" / "data")
            (tmp_path / "postgres" / "data" / "PG_VERSION").unlink()

            with pytest.raises(EmbeddedPostgresError, match="cannot run"):
                await revive_until(asyncio.Event(), postgres)


def kill_all(data: Path) -> None:
    for process_id in running_over(data):
        os.kill(process_id, signal.SIGKILL)


async def answers(postgres: EmbeddedPostgres) -> bool:
    engine = create_engine(postgres.url("postgres"))
    try:
        return not postgres.has_ended and await is_reachable(engine)
    except Exception:  # noqa: BLE001 - it is down, or on its way up
        return False
    finally:
        await engine.dispose()
