"""What Stripe told while news of the same object came in may be older than the news, and is not written down."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from domain.errors import Busy
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.payment_status import PaymentStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals, write
from tests.domain.shopping import Cardholder, Post
from tests.domain.subscriptions.subscribing import Subscriber

Happening = Callable[[], Awaitable[None]]


@pytest.fixture
def post(gateway: Gateway, sandbox: Sandbox) -> Post:
    return Post(gateway=gateway, sandbox=sandbox)


@pytest.fixture
def outruns(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has something happen between Stripe's answer to a reading and the moment at which we get to see it."""

    def outrun(reading: str, happens: Happening, *, at: int = 1, always: bool = False) -> None:
        """At the reading of that number, the first being 1, and from then on where it is always so."""
        processor = type(gateway.processor)
        read = getattr(processor, reading)
        count = 0

        async def slow(self: Any, processor_id: str) -> Any:
            nonlocal count
            count += 1
            told = await read(self, processor_id)
            if count == at or (always and count > at):
                await happens()
            return told

        monkeypatch.setattr(processor, reading, slow)

    return outrun


@pytest.fixture
def precedes(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Callable[[ObjectKind, Happening], None]:
    """Has something happen between the second look and the lock under which it is written down."""

    def precede(kind: ObjectKind, happens: Happening) -> None:
        noun = type(gateway.reconciler.comparison.nouns[kind])
        heal = noun.heal

        async def late(self: Any, *given: Any) -> None:
            monkeypatch.undo()
            await happens()
            await heal(self, *given)

        monkeypatch.setattr(noun, "heal", late)

    return precede


@pytest.fixture
async def awaiting(subscriber: Subscriber, intervals: Intervals, post: Post) -> Payment:
    """A payment whose payer is asked by their bank; all of it is known."""
    await subscriber.saves("pm_card_authenticationRequired")
    payment = await subscriber.pays()
    await post.deliver_all()
    assert payment.status is PaymentStatus.REQUIRES_ACTION
    return payment


class TestPayment:
    async def test_that_fails_while_it_is_read_stays_failed(
        self,
        awaiting: Payment,
        subscriber: Subscriber,
        intervals: Intervals,
        cardholder: Cardholder,
        post: Post,
        outruns: Callable[..., None],
    ) -> None:
        async def fails() -> None:
            await cardholder.answers(awaiting.processor_payment_id or "", outcome="fail")
            await post.deliver_all()

        outruns("one_payment", fails)

        run = await intervals.resyncs(ObjectKind.PAYMENT, awaiting.id)

        assert (await subscriber.payment(awaiting.id)).status is PaymentStatus.FAILED
        assert run.drifts_found == 0

    async def test_that_changes_after_it_was_read_is_left_to_the_next_look(
        self,
        awaiting: Payment,
        gateway: Gateway,
        subscriber: Subscriber,
        intervals: Intervals,
        cardholder: Cardholder,
        post: Post,
        precedes: Callable[..., None],
    ) -> None:
        async def fails() -> None:
            await cardholder.answers(awaiting.processor_payment_id or "", outcome="fail")
            await post.deliver_all()

        precedes(ObjectKind.PAYMENT, fails)
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        run = await intervals.compares()

        assert (await subscriber.payment(awaiting.id)).status is PaymentStatus.FAILED
        assert (run.drifts_found, run.error) == (0, None)

    async def test_that_never_stands_still_is_told_of_as_busy(
        self, awaiting: Payment, gateway: Gateway, intervals: Intervals, outruns: Callable[..., None]
    ) -> None:
        async def changes() -> None:
            await write(gateway, "UPDATE payments SET version = version + 1")

        outruns("one_payment", changes, always=True)

        with pytest.raises(Busy):
            await intervals.resyncs(ObjectKind.PAYMENT, awaiting.id)


class TestMethod:
    async def test_that_is_renewed_while_it_is_read_keeps_its_new_date(
        self,
        subscriber: Subscriber,
        intervals: Intervals,
        dashboard: Dashboard,
        post: Post,
        outruns: Callable[..., None],
    ) -> None:
        await subscriber.saves()
        await post.deliver_all()
        [method] = await subscriber.methods()
        outruns("one_method", renewal(method, dashboard, post))

        run = await intervals.resyncs(ObjectKind.PAYMENT_METHOD, method.id)

        [renewed] = await subscriber.methods()
        assert (renewed.exp_month, renewed.exp_year) == (11, 2040)
        assert run.drifts_found == 0

    async def test_that_is_renewed_after_it_was_read_is_left_to_the_next_look(
        self,
        subscriber: Subscriber,
        gateway: Gateway,
        intervals: Intervals,
        dashboard: Dashboard,
        post: Post,
        precedes: Callable[..., None],
    ) -> None:
        await subscriber.saves()
        await subscriber.pays()
        await post.deliver_all()
        [method] = await subscriber.methods()
        precedes(ObjectKind.PAYMENT_METHOD, renewal(method, dashboard, post))
        await write(gateway, "UPDATE payment_methods SET exp_year = 2030")

        run = await intervals.compares()

        [renewed] = await subscriber.methods()
        assert (renewed.exp_month, renewed.exp_year) == (11, 2040)
        assert (run.drifts_found, run.error) == (0, None)


def renewal(method: PaymentMethod, dashboard: Dashboard, post: Post) -> Happening:
    async def is_renewed() -> None:
        methods = dashboard.client.v1.payment_methods
        changes = {"card": {"exp_month": 11, "exp_year": 2040}}
        await methods.update_async(method.processor_method_id, cast("Any", changes))
        await post.deliver_all()

    return is_renewed
