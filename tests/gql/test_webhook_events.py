"""The processor's events in the API: lists, and one of them once more."""

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest
from sqlalchemy import text

from domain import event_service
from domain.actor import Actor
from domain.events import InboxEvent, InboxStatus
from domain.payment import Payment
from domain.payment_status import SyncSource
from domain.ports import Database
from gateway.wiring import Gateway
from gql.ids import global_id, id_of
from gql.webhook_event import KNOWN_THERE_AS
from processor import stripe_calls, stripe_client
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.api import Api, fresh_key
from tests.dashboard import Dashboard
from tests.domain.faults import spoil
from tests.domain.values import inbox_event, stripe_event
from tests.gql.many_payments import START
from tests.news import shown, signed

EVENTS: Final = """query($filter: WebhookEventFilter, $first: Int, $after: String) {
    webhookEvents(filter: $filter, first: $first, after: $after) {
        nodes { id stripeEventId } pageInfo { hasNextPage endCursor } } }"""
EVENT: Final = """query($id: ID!) { webhookEvent(id: $id) { stripeEventId type status livemode apiVersion attempts
    lastError via stripeObjectId dashboardUrl occurredAt receivedAt handledAt affected { id __typename } } }"""
CHANGES: Final = "changes { kind action summary before after object { id } }"
REPLAYED: Final = f"""webhookEvent {{ status attempts lastError handledAt }} {CHANGES} jobs
    operation {{ state replayed resource {{ id }} }} errors {{ code message retry }}"""
LOG: Final = (
    "query($id: ID!) { auditLog(objectId: $id) { nodes { action requestId actor { id } before after } } }"
)
JOBS: Final = (
    "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'handle_event' AND payload = :id AND status = :status"
)


@pytest.fixture
async def payment(api: Api, dashboard: Dashboard, database: Database) -> Payment:
    """Asked for by an app, and cancelled at Stripe, of which its event will tell."""
    payment_id = id_of(Payment, (await api.pay(confirm=False))["id"])
    async with database.reads() as reads:
        payment = await reads.payments.get(payment_id)
    assert payment is not None
    await dashboard.client.v1.payment_intents.cancel_async(payment.processor_payment_id or "")
    return payment


@pytest.fixture
async def event(payment: Payment, gateway: Gateway, sandbox: Sandbox) -> InboxEvent:
    """Tells that the payment was cancelled, and waits."""
    return await received(gateway, sandbox, "payment_intent.canceled")


@pytest.fixture
async def puzzling(api: Api, gateway: Gateway, sandbox: Sandbox, database: Database) -> InboxEvent:
    """Cannot be applied without asking Stripe: money was given back in its Dashboard."""
    await api.add_card()
    payment_id = id_of(Payment, (await api.pay())["id"])
    async with database.reads() as reads:
        payment = await reads.payments.get(payment_id)
    sandbox.refund((payment and payment.processor_payment_id) or "", reason="duplicate")
    return await received(gateway, sandbox, "charge.refunded")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(stripe_calls, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(stripe_client, "TIMEOUT", 0.2)


async def received(gateway: Gateway, sandbox: Sandbox, kind: str) -> InboxEvent:
    """The last event of that type, stored."""
    happened = [each for each in sandbox.objects.all("event") if each["type"] == kind][-1]
    body = orjson.dumps(shown(happened))
    return await gateway.webhooks.receive(body, signed(body))


async def stored(database: Database, *events: InboxEvent) -> None:
    async with database.work() as work:
        for event in events:
            await work.inbox.add_all([event])


async def became(database: Database, event: InboxEvent, **changes: Any) -> None:
    async with database.work() as work:
        await work.inbox.save(replace(event, **changes))


def an_event(number: int, **known: Any) -> InboxEvent:
    """Two of each minute, so that ids decide."""
    event = inbox_event({**stripe_event("charge.succeeded"), "id": f"evt_{number}"})
    return replace(event, received_at=START.replace(minute=number // 2), **known)


def id_in(event: InboxEvent) -> str:
    return global_id(InboxEvent, event.id)


async def replayed(admins: Api, event: InboxEvent, **given: Any) -> dict[str, Any]:
    return await admins.mutate("replayWebhookEvent", {"id": id_in(event), **given}, REPLAYED)


class TestEvents:
    async def test_are_listed_from_the_newest_to_the_oldest(self, admins: Api, database: Database) -> None:
        events = [an_event(number) for number in range(7)]
        await stored(database, *events)

        seen: list[str] = []
        page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
        while page["pageInfo"]["hasNextPage"]:
            asked = {"first": 3, "after": page["pageInfo"]["endCursor"]}
            page = (await admins.run(EVENTS, asked))["webhookEvents"]
            seen += [node["id"] for node in page["nodes"]]

        newest_first = sorted(events, key=lambda event: (event.received_at, event.id), reverse=True)
        assert seen == [id_in(event) for event in newest_first]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"status": ["HELD"]}, ["evt_2"]),
            ({"status": ["HELD", "FAILED"]}, ["evt_2", "evt_3"]),
            ({"status": []}, []),
            ({"type": "invoice.paid"}, ["evt_4"]),
            ({"stripeObjectId": "pi_1"}, ["evt_1"]),
            ({"stripeEventId": "evt_3"}, ["evt_3"]),
            ({"stripeEventId": "evt_3", "status": ["HELD"]}, []),
            ({}, ["evt_1", "evt_2", "evt_3", "evt_4"]),
        ],
    )
    async def test_are_filtered(
        self, admins: Api, database: Database, wanted: dict[str, Any], found: list[str]
    ) -> None:
        await stored(
            database,
            an_event(1, processor_object_id="pi_1"),
            an_event(2, status=InboxStatus.HELD),
            an_event(3, status=InboxStatus.FAILED),
            an_event(4, type="invoice.paid"),
        )

        page = (await admins.run(EVENTS, {"filter": wanted}))["webhookEvents"]

        assert sorted(node["stripeEventId"] for node in page["nodes"]) == found

    async def test_of_an_object_are_those_that_tell_of_it(
        self, admins: Api, payment: Payment, event: InboxEvent, puzzling: InboxEvent
    ) -> None:
        wanted = {"filter": {"objectId": global_id(Payment, payment.id)}}

        page = (await admins.run(EVENTS, wanted))["webhookEvents"]

        assert [node["id"] for node in page["nodes"]] == [id_in(event)]

    def test_of_an_object_are_looked_for_by_an_id_that_its_type_has(self) -> None:
        lacking = {
            kind.__name__: name
            for kind, name in KNOWN_THERE_AS.items()
            if name not in {part.name for part in fields(kind)}
        }

        assert lacking == {}

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"objectId": "opr_" + "0" * 32}, "NOT_FOUND"),
            ({"objectId": "pay_" + "0" * 32}, "NOT_FOUND"),
            ({"objectId": "nonsense"}, "NOT_FOUND"),
            ({"objectId": "pay_" + "0" * 32, "stripeObjectId": "pi_1"}, "INVALID_INPUT"),
        ],
    )
    async def test_refuse_a_filter_that_names_nothing(
        self, admins: Api, wanted: dict[str, Any], code: str
    ) -> None:
        assert await admins.refusals(EVENTS, {"filter": wanted}) == [code]

    @pytest.mark.parametrize("caller", ["api", "supports", "services"])
    async def test_are_for_admins_only(
        self, caller: str, event: InboxEvent, request: pytest.FixtureRequest
    ) -> None:
        other: Api = request.getfixturevalue(caller)
        identity = id_in(event)

        assert await other.refusals(EVENTS) == ["FORBIDDEN"]
        assert await other.refusals(EVENT, {"id": identity}) == ["FORBIDDEN"]
        for dry in (True, False):
            assert await other.codes("replayWebhookEvent", {"id": identity, "dryRun": dry}) == ["FORBIDDEN"]


class TestEvent:
    async def test_tells_what_it_is_and_what_it_has_changed(
        self, admins: Api, gateway: Gateway, payment: Payment, event: InboxEvent
    ) -> None:
        await gateway.webhooks.handle(event.id)

        told = (await admins.run(EVENT, {"id": id_in(event)}))["webhookEvent"]

        assert all(told.pop(moment) for moment in ("occurredAt", "receivedAt", "handledAt"))
        assert told == {
            "stripeEventId": event.processor_event_id,
            "type": "payment_intent.canceled",
            "status": "HANDLED",
            "livemode": False,
            "apiVersion": event.api_version,
            "attempts": 1,
            "lastError": None,
            "via": SyncSource.WEBHOOK.value,
            "stripeObjectId": payment.processor_payment_id,
            "dashboardUrl": f"https://dashboard.stripe.com/test/events/{event.processor_event_id}",
            "affected": [{"id": global_id(Payment, payment.id), "__typename": "Payment"}],
        }

    async def test_that_waits_has_changed_nothing(self, admins: Api, event: InboxEvent) -> None:
        told = (await admins.run(EVENT, {"id": id_in(event)}))["webhookEvent"]

        assert (told["status"], told["affected"], told["handledAt"]) == ("RECEIVED", [], None)

    async def test_that_is_not_there_is_not_found(self, admins: Api) -> None:
        assert await admins.refusals(EVENT, {"id": "whk_" + "0" * 32}) == ["NOT_FOUND"]


class TestReplay:
    @pytest.mark.parametrize("status", [InboxStatus.RECEIVED, InboxStatus.FAILED, InboxStatus.HELD])
    async def test_applies_the_event_now(
        self, admins: Api, database: Database, payment: Payment, event: InboxEvent, status: InboxStatus
    ) -> None:
        await became(database, event, status=status, attempts=100, last_error="ValueError: what?")

        told = await replayed(admins, event)

        assert told["webhookEvent"].pop("handledAt") is not None
        assert told["webhookEvent"] == {"status": "HANDLED", "attempts": 1, "lastError": None}
        [change] = told["changes"]
        assert change["before"]["status"] == "PENDING"
        assert change["after"]["status"] == "CANCELLED"
        assert (change["kind"], change["action"]) == ("PAYMENT", "payment.cancelled")
        assert change["summary"] == "The payment was cancelled."
        assert change["object"] == {"id": global_id(Payment, payment.id)}
        assert (told["errors"], told["jobs"]) == ([], [])
        assert told["operation"] == {
            "state": "SUCCEEDED",
            "replayed": False,
            "resource": {"id": id_in(event)},
        }

    async def test_of_an_event_that_was_handled_changes_nothing(
        self, admins: Api, gateway: Gateway, event: InboxEvent
    ) -> None:
        await gateway.webhooks.handle(event.id)

        told = await replayed(admins, event)

        assert (told["webhookEvent"]["status"], told["changes"], told["errors"]) == ("HANDLED", [], [])

    async def test_is_recorded_with_who_wanted_it(
        self, admins: Api, admin: Actor, database: Database, event: InboxEvent
    ) -> None:
        await became(database, event, status=InboxStatus.HELD, attempts=100, last_error="ValueError: what?")

        await replayed(admins, event)

        [entry] = (await admins.run(LOG, {"id": id_in(event)}))["auditLog"]["nodes"]
        assert (entry["action"], entry["actor"]) == ("webhook_event.replayed", {"id": str(admin.user_id)})
        assert entry["after"] == {"status": "RECEIVED", "attempts": 0, "lastError": None}

    async def test_that_fails_says_why_and_leaves_the_event_to_the_worker(
        self, admins: Api, gateway: Gateway, sandbox: Sandbox, puzzling: InboxEvent, impatient: None
    ) -> None:
        spoil(sandbox, "/v1/", Kind.ERROR_BEFORE, method="GET")

        told = await replayed(admins, puzzling)

        why = "ProcessorUnavailable: It is not known yet what became of this."
        assert told["webhookEvent"] == {
            "status": "FAILED",
            "attempts": 1,
            "lastError": why,
            "handledAt": None,
        }
        assert told["errors"] == [
            {
                "code": "EVENT_NOT_APPLIED",
                "message": f"The event could not be applied: {why}",
                "retry": "LATER_SAME_KEY",
            }
        ]
        async with gateway.engine.connect() as connection:
            queued = {"id": puzzling.id.bytes, "status": "queued"}
            assert await connection.scalar(text(JOBS), queued) == 1

    async def test_with_the_same_key_tries_again_what_failed(
        self, admins: Api, sandbox: Sandbox, puzzling: InboxEvent, impatient: None
    ) -> None:
        key = fresh_key()
        spoil(sandbox, "/v1/", Kind.ERROR_BEFORE, method="GET")
        failed = await replayed(admins, puzzling, idempotencyKey=key)

        sandbox.faults.clear()
        again = await replayed(admins, puzzling, idempotencyKey=key)

        assert (failed["operation"]["replayed"], again["operation"]["replayed"]) == (False, True)
        assert (again["webhookEvent"]["status"], again["errors"]) == ("HANDLED", [])
        assert [change["action"] for change in again["changes"]] == ["refund.found", "payment.refunded"]
        log = (await admins.run(LOG, {"id": id_in(puzzling)}))["auditLog"]["nodes"]
        assert [entry["action"] for entry in log] == ["webhook_event.replayed"]

    async def test_that_takes_too_long_is_left_to_the_worker(
        self, admins: Api, event: InboxEvent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_service, "DEADLINE", timedelta(0))

        told = await replayed(admins, event)

        assert told["webhookEvent"]["status"] == "RECEIVED"
        assert [error["code"] for error in told["errors"]] == ["EVENT_NOT_APPLIED"]

    async def test_takes_the_place_of_the_job_that_was_given_up(
        self, admins: Api, gateway: Gateway, event: InboxEvent
    ) -> None:
        async with gateway.engine.begin() as connection:
            await connection.execute(text("UPDATE pgqueuer SET status = 'failed'"))

        await replayed(admins, event)

        async with gateway.engine.connect() as connection:
            left = {
                status: await connection.scalar(text(JOBS), {"id": event.id.bytes, "status": status})
                for status in ("queued", "failed")
            }
        assert left == {"queued": 1, "failed": 0}

    async def test_twice_at_once_applies_it_once(
        self, admins: Api, payment: Payment, event: InboxEvent
    ) -> None:
        both = await asyncio.gather(*(replayed(admins, event) for _ in range(2)))

        assert [told["webhookEvent"]["status"] for told in both] == ["HANDLED", "HANDLED"]
        log = (await admins.run(LOG, {"id": global_id(Payment, payment.id)}))["auditLog"]["nodes"]
        assert [entry["action"] for entry in log].count("payment.cancelled") == 1

    @pytest.mark.parametrize("is_dry", [True, False])
    async def test_of_the_other_mode_is_refused(
        self, admins: Api, database: Database, is_dry: bool, contents: Callable[[], Any]
    ) -> None:
        event = an_event(1, livemode=True)
        await stored(database, event)
        before = await contents()

        given = {"id": id_in(event), "dryRun": is_dry}
        codes = await admins.codes("replayWebhookEvent", given)

        assert codes == ["STATE_CONFLICT"]
        assert await contents() == before

    @pytest.mark.parametrize("is_dry", [True, False])
    async def test_of_what_is_not_there_is_not_found(self, admins: Api, is_dry: bool) -> None:
        given = {"id": "whk_" + "0" * 32, "dryRun": is_dry}

        assert await admins.codes("replayWebhookEvent", given) == ["NOT_FOUND"]


class TestDryRun:
    async def test_tells_what_the_replay_then_changes_and_changes_nothing(
        self, admins: Api, event: InboxEvent, contents: Callable[[], Any]
    ) -> None:
        before = await contents()

        planned = await replayed(admins, event, dryRun=True)

        assert await contents() == before
        assert planned["webhookEvent"]["status"] == "RECEIVED"
        assert planned["operation"] is None
        assert planned["changes"] == (await replayed(admins, event))["changes"]

    async def test_of_what_would_be_made_shows_no_object_yet(self, admins: Api, puzzling: InboxEvent) -> None:
        found, refunded = (await replayed(admins, puzzling, dryRun=True))["changes"]

        assert (found["action"], found["object"], found["before"]) == ("refund.found", None, None)
        assert refunded["action"] == "payment.refunded"
        assert refunded["object"] is not None

    async def test_that_takes_too_long_says_so(
        self, admins: Api, event: InboxEvent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_service, "DEADLINE", timedelta(0))

        told = await replayed(admins, event, dryRun=True)

        assert [error["code"] for error in told["errors"]] == ["PROVIDER_UNAVAILABLE"]

    async def test_that_would_fail_says_why(
        self,
        admins: Api,
        sandbox: Sandbox,
        puzzling: InboxEvent,
        impatient: None,
        contents: Callable[[], Any],
    ) -> None:
        spoil(sandbox, "/v1/", Kind.ERROR_BEFORE, method="GET")
        before = await contents()

        told = await replayed(admins, puzzling, dryRun=True)

        assert [error["code"] for error in told["errors"]] == ["EVENT_NOT_APPLIED"]
        assert await contents() == before
