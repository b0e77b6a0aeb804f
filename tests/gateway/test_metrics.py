"""What Prometheus is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from domain.actor import Actor
from domain.commands.add_payment_method import AddPaymentMethod
from domain.invariants import InvariantName
from gateway.app import application
from gateway.development import address
from gateway.metrics import OwnSigns, measured, metrics_listener
from gateway.server import listening_socket
from gateway.settings import Settings
from gateway.wiring import Gateway
from persistence.pool import PoolUse
from sandbox import Sandbox
from tests.domain.shopping import Post

Metrics = dict[tuple[str, str], float]
"""By name and by the value of the one label; empty where there is none."""


def metrics_in(answer: str) -> Metrics:
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer)
        for sample in family.samples
    }


async def scraped(url: str) -> Metrics:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{url}/metrics", timeout=10)
    assert answer.status_code == 200
    return metrics_in(answer.text)


@asynccontextmanager
async def metrics_of(database_url: str, *, is_spared: bool = False) -> AsyncIterator[str]:
    with listening_socket("127.0.0.1", 0) as listener:
        own = OwnSigns(is_spared=is_spared, pool=PoolUse(size=10, in_use=3, waiting=1))
        async with measured(database_url, listener, own=lambda: own):
            yield address(listener)


async def change(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        assert (await connection.execute(text(statement))).rowcount > 0


@pytest.fixture
async def url(settings: Settings) -> AsyncIterator[str]:
    async with metrics_of(settings.database_url) as url:
        yield url


class TestMetrics:
    async def test_of_nothing_are_zeros(self, url: str) -> None:
        told = await scraped(url)

        assert told[("payments_database_up", "")] == 1
        assert told[("payments_operations_open", "RUNNING")] == 0
        assert told[("payments_operations_oldest_seconds", "OUTCOME_UNKNOWN")] == 0
        assert told[("payments_webhook_events", "RECEIVED")] == 0
        assert told[("payments_webhook_oldest_seconds", "FAILED")] == 0
        assert told[("payments_audit_unsealed_age_seconds", "")] == 0

    async def test_tell_of_operations_that_have_not_ended(
        self, url: str, gateway: Gateway, actor: Actor
    ) -> None:
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        await change(
            gateway,
            "UPDATE operations "
            "SET state = 'OUTCOME_UNKNOWN', finished_at = NULL, started_at = now() - interval '1 hour'",
        )

        told = await scraped(url)

        assert told[("payments_operations_open", "OUTCOME_UNKNOWN")] == 1
        assert told[("payments_operations_oldest_seconds", "OUTCOME_UNKNOWN")] == pytest.approx(3600, abs=30)

    async def test_tell_of_events_and_jobs_that_wait(
        self, url: str, gateway: Gateway, sandbox: Sandbox, actor: Actor
    ) -> None:
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        post = Post(gateway=gateway, sandbox=sandbox)
        for event in post.events():
            await post.receive(event)
        await change(gateway, "UPDATE inbox_events SET received_at = now() - interval '5 minutes'")
        await change(
            gateway, "UPDATE pgqueuer SET status = 'failed' WHERE entrypoint = 'keep_default_in_step'"
        )

        told = await scraped(url)

        assert told[("payments_webhook_events", "RECEIVED")] == len(post.events()) > 0
        assert told[("payments_webhook_oldest_seconds", "RECEIVED")] == pytest.approx(300, abs=30)
        assert told[("payments_jobs", "handle_event,queued")] == len(post.events())
        assert told[("payments_jobs", "keep_default_in_step,failed")] == 1

    async def test_tell_of_the_last_check_of_the_invariants(
        self, url: str, gateway: Gateway, actor: Actor
    ) -> None:
        assert ("payments_invariants_checked_age_seconds", "") not in await scraped(url)
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        await change(
            gateway, "UPDATE operations SET state = 'RUNNING', finished_at = NULL, started_at = '2026-01-01'"
        )

        await gateway.services.invariants.check()

        told = await scraped(url)
        broken = {name for name in InvariantName if told[("payments_invariant_violations", name.value)]}
        assert broken == {InvariantName.OPERATIONS_END}
        assert told[("payments_invariants_checked_age_seconds", "")] < 30

    async def test_tell_of_the_last_reconciliation(self, url: str, gateway: Gateway) -> None:
        before = await scraped(url)
        await gateway.reconciler.walk_events()
        await gateway.reconciler.compare_objects()

        await change(
            gateway, "UPDATE reconciliation_runs SET drifts_found = 3, healed = 2 WHERE kind = 'OBJECTS'"
        )

        after = await scraped(url)
        assert ("payments_reconciliation_age_seconds", "EVENTS") not in before
        assert after[("payments_reconciliation_age_seconds", "EVENTS")] < 30
        assert after[("payments_reconciliation_unhealed_drifts", "EVENTS")] == 0
        assert after[("payments_reconciliation_unhealed_drifts", "OBJECTS")] == 1

    async def test_tell_how_far_the_seals_lag_behind(
        self, url: str, gateway: Gateway, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        lagging = await scraped(url)
        await gateway.services.audit.seal()

        sealed = await scraped(url)

        assert lagging[("payments_audit_unsealed_age_seconds", "")] > 0
        assert sealed[("payments_audit_unsealed_age_seconds", "")] == 0

    async def test_tell_of_calls_to_stripe(self, url: str, gateway: Gateway, actor: Actor) -> None:
        answered = ("payments_stripe_call_seconds_count", "answered")
        before = (await scraped(url)).get(answered, 0)

        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))

        assert (await scraped(url))[answered] > before

    @pytest.mark.parametrize("is_spared", [True, False])
    async def test_tell_whether_stripe_is_left_alone(self, settings: Settings, is_spared: bool) -> None:
        async with metrics_of(settings.database_url, is_spared=is_spared) as url:
            told = await scraped(url)

        assert told[("payments_stripe_circuit_open", "")] == is_spared


class TestLostDatabase:
    async def test_is_told(self) -> None:
        with listening_socket("127.0.0.1", 0) as nobody:
            port = nobody.getsockname()[1]

        async with metrics_of(f"postgresql://nobody:x@127.0.0.1:{port}/nothing") as url:
            told = await scraped(url)

        assert told[("payments_database_up", "")] == 0
        assert not [name for name, _ in told if name.startswith("payments_operations")]

    async def test_that_does_not_answer_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("persistence.vital_signs.PATIENCE", 0.2)
        with listening_socket("127.0.0.1", 0) as mute:
            async with metrics_of(f"postgresql://nobody:x@127.0.0.1:{mute.getsockname()[1]}/nothing") as url:
                async with asyncio.timeout(3):
                    told = await scraped(url)

        assert told[("payments_database_up", "")] == 0


class TestListener:
    def test_is_not_there_by_default(self, settings: Settings) -> None:
        assert metrics_listener(settings) is None

    async def test_serves_beside_the_server(self, gateway: Gateway) -> None:
        settings = gateway.settings.model_copy(update={"metrics_port": 0})
        listener = metrics_listener(settings)
        assert listener is not None
        app = application(replace(gateway, settings=settings), metrics=listener)

        with listener:
            async with app.router.lifespan_context(app):
                told = await scraped(address(listener))

        assert told[("payments_database_up", "")] == 1
