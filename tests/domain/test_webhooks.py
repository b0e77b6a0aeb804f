import asyncio
import re
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import text

from domain.errors import Busy
from domain.events import InboxEvent, InboxStatus
from domain.identity import new_id
from domain.operation import OperationState
from domain.payment_status import PaymentStatus
from domain.ports import Database
from domain.webhook_service import WebhookService
from gateway.wiring import Gateway
from persistence.tables import metadata
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.domain.shopping import Post, Shopper, captures, signed, until
from tests.domain.values import NOON, a_method, a_payment, a_setup, every_stripe_event, stripe_event
from tests.tables import Contents, contents_of
from tests.watched_processor import WatchedProcessor

SAMPLES = dict(every_stripe_event())


async def jobs(gateway: Gateway) -> list[bytes]:
    async with gateway.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT payload FROM pgqueuer WHERE entrypoint = 'handle_event'")
        )
        return [row.payload for row in rows]


class TestReceive:
    async def test_stores_the_event_and_its_job(self, post: Post, gateway: Gateway) -> None:
        received = await post.receive(stripe_event("charge.succeeded"))

        stored = await post.stored(received)
        assert (stored.status, stored.attempts, stored.handled_at) == (InboxStatus.RECEIVED, 0, None)
        assert (stored.type, stored.livemode) == ("charge.succeeded", False)
        assert await jobs(gateway) == [received.id.bytes]

    async def test_stores_a_repeated_event_once(self, post: Post, gateway: Gateway) -> None:
        event = stripe_event("charge.succeeded")

        await asyncio.gather(*(post.receive(event) for _ in range(10)))
        await post.receive(event)

        async with gateway.engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM inbox_events")) == 1
        assert len(await jobs(gateway)) == 1

    async def test_handled_twice_changes_nothing_more(self, shopper: Shopper, post: Post) -> None:
        await shopper.saves()
        payment = await shopper.pays()
        received = [await post.receive(event) for event in post.events()]
        for event in received:
            await post.gateway.webhooks.handle(event.id)
        settled, stored = await shopper.payment(payment.id), [await post.stored(event) for event in received]

        for event in received:
            await post.gateway.webhooks.handle(event.id)

        assert await shopper.payment(payment.id) == settled
        assert [await post.stored(event) for event in received] == stored

    async def test_that_somebody_else_applied_meanwhile_has_not_failed(
        self, gateway: Gateway, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        received = await post.receive(stripe_event("charge.succeeded"))
        genuine = WebhookService._handle

        async def outrun(service: WebhookService, event: InboxEvent) -> None:
            await genuine(service, event)
            raise Busy("Somebody else was faster.", current="BUSY")

        monkeypatch.setattr(WebhookService, "_handle", outrun)

        with pytest.raises(Busy):
            await gateway.webhooks.handle(received.id)

        stored = await post.stored(received)
        assert (stored.status, stored.last_error) == (InboxStatus.IGNORED, None)

    async def test_handling_an_event_that_is_not_there_does_nothing(self, gateway: Gateway) -> None:
        await gateway.webhooks.handle(new_id())


class TestEverySample:
    async def test_is_handled_or_ignored_without_an_error(self, gateway: Gateway, post: Post) -> None:
        received = {name: await gateway.webhooks.receive(*signed(body)) for name, body in SAMPLES.items()}

        for event in received.values():
            await gateway.webhooks.handle(event.id)

        stored = [await post.stored(event) for event in received.values()]
        assert {event.status for event in stored} == {InboxStatus.IGNORED}
        assert all(event.handled_at and event.attempts == 1 for event in stored)

    async def test_told_again_changes_nothing(
        self, shopper: Shopper, post: Post, database: Database, database_url: str
    ) -> None:
        await what_the_samples_are_about(shopper, database)

        for name, body in SAMPLES.items():
            event = orjson.loads(body)
            await post.deliver(event)
            before = await told(database_url)
            await post.deliver(event, {**event, "id": f"{event['id']}_again"})
            assert await told(database_url) == before, name

    async def test_about_a_payment_of_ours_leaves_it_where_all_orders_do(
        self, shopper: Shopper, post: Post
    ) -> None:
        payment = await shopper.pays(is_confirmed=False)
        names = [
            name
            for name in SAMPLES
            if name.startswith(("payment_intent.", "charge.")) and "dispute" not in name
        ]
        events = [
            {**stripe_event(name, metadata={"payment_id": str(payment.id)}), "id": f"evt_{number}"}
            for number, name in enumerate(names)
        ]
        ours = [
            {
                **event,
                "data": {
                    "object": {
                        **event["data"]["object"],
                        "amount_received": 450,
                        "amount_captured": 450,
                        "amount_capturable": 0,
                        "amount": 450,
                    }
                },
            }
            for event in events
            if event["type"] != "payment_intent.canceled"
        ]

        await post.deliver(*ours, *reversed(ours))

        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.captured_amount) == (PaymentStatus.COMPLETED, 450)

    async def test_with_a_nul_byte_is_kept_and_handled(self, shopper: Shopper, post: Post) -> None:
        payment = await shopper.pays(is_confirmed=False)
        event = stripe_event(
            "payment_intent.succeeded.nul", metadata={"payment_id": str(payment.id)}, amount_received=450
        )
        assert "\0" in str(event["data"]["object"]) or "\\x00" in repr(event)

        received = await post.receive(event)
        await post.gateway.webhooks.handle(received.id)

        assert (await post.stored(received)).status is InboxStatus.HANDLED
        assert (await shopper.payment(payment.id)).status is PaymentStatus.COMPLETED


class TestIgnoredEvent:
    async def test_of_the_other_mode_changes_nothing(self, shopper: Shopper, post: Post) -> None:
        payment = await shopper.pays(is_confirmed=False)
        event = stripe_event("payment_intent.succeeded", metadata={"payment_id": str(payment.id)})

        received = await post.receive({**event, "livemode": True})
        await post.gateway.webhooks.handle(received.id)

        assert (await post.stored(received)).status is InboxStatus.IGNORED
        assert await shopper.payment(payment.id) == payment

    async def test_of_a_test_changes_nothing_where_the_money_is_real(
        self, shopper: Shopper, post: Post
    ) -> None:
        payment = await shopper.pays(is_confirmed=False)
        received = await post.receive(
            stripe_event("payment_intent.succeeded", metadata={"payment_id": str(payment.id)})
        )
        live = WatchedProcessor.connected("sk_live_0123456789")

        await replace(post.gateway.webhooks, processor=live).handle(received.id)

        await live.close()
        assert (await post.stored(received)).status is InboxStatus.IGNORED
        assert await shopper.payment(payment.id) == payment

    @pytest.mark.parametrize(
        ("name", "changes"),
        [
            ("payment_intent.succeeded", {"metadata": {"payment_id": str(new_id())}}),
            ("payment_intent.succeeded", {"metadata": {"payment_id": "not-an-id"}}),
            ("payment_method.attached", {"customer": "cus_unknown"}),
            ("payment_method.detached", {"id": "pm_unknown"}),
            ("setup_intent.succeeded", {"metadata": {"setup_id": str(new_id())}}),
        ],
    )
    async def test_of_an_unknown_object_is_kept(
        self, post: Post, name: str, changes: dict[str, object]
    ) -> None:
        received = await post.receive(stripe_event(name, **changes))

        await post.gateway.webhooks.handle(received.id)

        stored = await post.stored(received)
        assert (stored.status, stored.last_error) == (InboxStatus.IGNORED, None)


class TestFailingEvent:
    async def test_is_kept_with_its_error_and_succeeds_later(
        self, shopper: Shopper, post: Post, gateway: Gateway
    ) -> None:
        payment = await shopper.pays(is_confirmed=False)
        event = stripe_event(
            "payment_intent.succeeded", metadata={"payment_id": str(payment.id)}, amount_received=450
        )
        received = await post.receive(event)
        async with gateway.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE payments RENAME TO payments_away"))

        try:
            with pytest.raises(Exception, match="payments"):
                await gateway.webhooks.handle(received.id)
        finally:
            async with gateway.engine.begin() as connection:
                await connection.execute(text("ALTER TABLE payments_away RENAME TO payments"))

        failed = await post.stored(received)
        assert (failed.status, failed.attempts, failed.handled_at) == (InboxStatus.FAILED, 1, None)
        assert "payments" in (failed.last_error or "")
        assert len(failed.last_error or "") <= 500
        await gateway.webhooks.handle(received.id)
        handled = await post.stored(received)
        assert (handled.status, handled.attempts, handled.last_error) == (InboxStatus.HANDLED, 2, None)
        assert (await shopper.payment(payment.id)).status is PaymentStatus.COMPLETED


class TestEventThatOvertakes:
    async def test_its_own_api_answer_finds_its_payment(
        self, shopper: Shopper, post: Post, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        slow = Rule(path=re.compile("/payment_intents$"), kind=Kind.HANG_AFTER, seconds=0.3, method="POST")
        sandbox.faults.add([slow])
        paying = asyncio.create_task(shopper.pays(key="coffee-17"))
        await until(lambda: captures(sandbox))

        await post.deliver(*post.events("payment_intent.succeeded"))
        during = await shopper.operation("createPayment", "coffee-17")
        told = await shopper.payment(during.subject)
        payment = await paying

        assert (during.state, told.status) == (OperationState.RUNNING, PaymentStatus.COMPLETED)
        assert payment.status is PaymentStatus.COMPLETED
        assert (await shopper.operation("createPayment", "coffee-17")).state is OperationState.SUCCEEDED
        assert captures(sandbox) == 1


async def what_the_samples_are_about(shopper: Shopper, database: Database) -> None:
    """Their customer, payment, method and set-up, as if they were ours."""
    owner = shopper.actor.known_id
    await shopper.gateway.services.customers.account(owner, by=shopper.actor)
    async with database.work() as work:
        await work.accounts.set_customer(owner, "cus_SampleCust0001", at=NOON)
        await work.payments.add(a_payment(user_id=owner, processor_payment_id="pi_SampleIntent000000001"))
        await work.payment_methods.add(
            a_method(user_id=owner, processor_method_id="pm_SampleMethod000000001")
        )
        await work.setups.add(a_setup(user_id=owner, processor_setup_id="seti_SampleSetup0000001"))


async def told(database_url: str) -> Contents:
    """All that is known, but for the events themselves."""
    contents = await contents_of(database_url, metadata)
    return {table: rows for table, rows in contents.items() if table != "inbox_events"}
