"""`payments-gateway events`, as an operator uses it after an outage."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from domain.actor import Actor, Role
from domain.commands.create_payment import CreatePayment
from domain.events import InboxEvent, InboxStatus
from domain.money import Money
from domain.operation import ObjectKind
from gateway.settings import Settings
from gateway.wiring import Gateway
from gql.ids import global_id
from persistence.tables import metadata
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.values import inbox_event, stripe_event
from tests.gateway.test_cli import Run, logging_restored, run
from tests.gateway.test_plans import environment
from tests.news import shown, signed
from tests.tables import contents_of

__all__ = ["logging_restored", "run"]


@pytest.fixture
async def held(gateway: Gateway, sandbox: Sandbox, dashboard: Dashboard, actor: Actor) -> list[InboxEvent]:
    """That two payments were cancelled at Stripe, which could not be applied for a day."""
    for number in range(2):
        command = CreatePayment(amount=Money(minor=450 + number, currency="EUR"), is_confirmed=False)
        executed = await gateway.services.commands.execute(actor, command)
        async with gateway.services.database.reads() as reads:
            payment = await reads.payments.get(executed.operation.subject)
        assert payment is not None
        await dashboard.client.v1.payment_intents.cancel_async(payment.processor_payment_id or "")
    cancelled = [each for each in sandbox.objects.all("event") if each["type"] == "payment_intent.canceled"]
    return [await held_event(gateway, each) for each in cancelled]


async def held_event(gateway: Gateway, happened: dict[str, Any]) -> InboxEvent:
    body = orjson.dumps(shown(happened))
    received = await gateway.webhooks.receive(body, signed(body))
    event = replace(received, status=InboxStatus.HELD, attempts=100, last_error="ValueError: what?")
    async with gateway.services.database.work() as work:
        await work.inbox.save(event)
    return event


def stripes_id(event: InboxEvent) -> str:
    return event.processor_event_id


def our_id(event: InboxEvent) -> str:
    return global_id(InboxEvent, event.id)


async def statuses(gateway: Gateway, events: list[InboxEvent]) -> list[InboxStatus]:
    async with gateway.services.database.reads() as reads:
        found = await reads.inbox.by_ids([event.id for event in events])
    return [found[event.id].status for event in events]


class TestList:
    async def test_tells_what_became_of_each_and_why(
        self, run: Run, settings: Settings, held: list[InboxEvent]
    ) -> None:
        result = await run("events", "list", "--status", "HELD", **environment(settings))

        first, second = reversed(result.stdout.splitlines())
        assert held[0].processor_event_id in first
        assert second.endswith(
            f"HELD     {held[1].processor_event_id} payment_intent.canceled, 100 tries: ValueError: what?"
        )

    async def test_of_another_status_or_type_is_empty(
        self, run: Run, settings: Settings, held: list[InboxEvent]
    ) -> None:
        for asked in (("--status", "FAILED"), ("--type", "invoice.paid")):
            assert (await run("events", "list", *asked, **environment(settings))).stdout == ""

    async def test_as_json_is_one_object_per_line(
        self, run: Run, settings: Settings, held: list[InboxEvent]
    ) -> None:
        result = await run("events", "list", "--json", "--limit", "1", **environment(settings))

        [line] = map(json.loads, result.stdout.splitlines())
        assert line["id"] == global_id(InboxEvent, held[1].id)
        assert (line["status"], line["attempts"]) == ("HELD", 100)

    async def test_goes_on_after_a_page(self, run: Run, settings: Settings, gateway: Gateway) -> None:
        async with gateway.services.database.work() as work:
            for number in range(130):
                await work.inbox.add_all(
                    [inbox_event({**stripe_event("charge.succeeded"), "id": f"evt_{number}"})]
                )

        result = await run("events", "list", "--json", "--limit", "120", **environment(settings))

        assert len({json.loads(line)["event"] for line in result.stdout.splitlines()}) == 120


class TestReplay:
    async def test_of_all_that_are_held_applies_them(
        self, run: Run, settings: Settings, gateway: Gateway, held: list[InboxEvent]
    ) -> None:
        result = await run("events", "replay", "--held", **environment(settings))

        assert result.exit_code == 0
        assert await statuses(gateway, held) == [InboxStatus.HANDLED] * 2
        first, change, *_ = result.stdout.splitlines()
        assert first == f"{held[0].processor_event_id} payment_intent.canceled: applied (1 change)"
        assert change.startswith("  pay_")
        assert change.endswith(": The payment was cancelled.")

    @pytest.mark.parametrize("named", [stripes_id, our_id])
    async def test_of_one_leaves_the_others(
        self,
        run: Run,
        settings: Settings,
        gateway: Gateway,
        held: list[InboxEvent],
        named: Callable[[InboxEvent], str],
    ) -> None:
        await run("events", "replay", named(held[1]), **environment(settings))

        assert await statuses(gateway, held) == [InboxStatus.HELD, InboxStatus.HANDLED]

    async def test_is_recorded_as_an_operators(
        self, run: Run, settings: Settings, gateway: Gateway, held: list[InboxEvent]
    ) -> None:
        await run("events", "replay", "--held", **environment(settings))

        async with gateway.services.database.reads() as reads:
            [record] = await reads.audit.of_object(ObjectKind.WEBHOOK_EVENT, held[0].id)
        assert (record.action, record.actor_role) == ("webhook_event.replayed", Role.SYSTEM)
        assert record.request_id == "payments-gateway events"

    async def test_dry_run_tells_the_changes_and_makes_none(
        self, run: Run, settings: Settings, held: list[InboxEvent], database_url: str
    ) -> None:
        before = await contents_of(database_url, metadata)

        result = await run("events", "replay", "--held", "--dry-run", "--json", **environment(settings))

        assert await contents_of(database_url, metadata) == before
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert [[change["action"] for change in each["changes"]] for each in told] == [
            ["payment.cancelled"]
        ] * 2
        assert {each["status"] for each in told} == {"HELD"}

    async def test_of_what_cannot_be_applied_ends_with_1_and_goes_on(
        self, run: Run, settings: Settings, gateway: Gateway, held: list[InboxEvent]
    ) -> None:
        named = ["evt_unknown", "nonsense", held[0].processor_event_id]

        result = await run("events", "replay", *named, **environment(settings))

        assert result.exit_code == 1
        assert result.stdout.splitlines()[:2] == [
            "evt_unknown: There is no such event.", "nonsense: There is no such event.",
        ]  # fmt: skip
        assert (await statuses(gateway, held))[0] is InboxStatus.HANDLED

    async def test_of_what_fails_says_why(
        self, run: Run, settings: Settings, gateway: Gateway, held: list[InboxEvent]
    ) -> None:
        async with gateway.engine.begin() as connection:
            await connection.execute(text("UPDATE inbox_events SET payload = '{}'"))

        result = await run("events", "replay", held[0].processor_event_id, **environment(settings))

        assert result.exit_code == 1
        assert "The event could not be applied: KeyError: 'data'" in result.stdout
        assert (await statuses(gateway, held))[0] is InboxStatus.FAILED

    @pytest.mark.parametrize("asked", [(), ("--held", "evt_1")])
    async def test_needs_either_names_or_held(
        self, run: Run, settings: Settings, asked: tuple[str, ...]
    ) -> None:
        result = await run("events", "replay", *asked, **environment(settings))

        assert (result.exit_code, result.stderr.strip()) == (1, "Name events, or say --held.")
