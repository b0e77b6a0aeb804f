"""Whoever reads something at Stripe, and writes it down only after somebody else's newer reading, reads once more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.actor import Actor
from domain.dispute import DisputeStatus
from domain.invoice import InvoiceStatus
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, Shopper


class LateReading:
    """The first answer of one of the processor's methods: it is there, and does not arrive before it may."""

    def __init__(self, read: Callable[..., Awaitable[Any]]) -> None:
        self._read = read
        self.is_there, self.may_arrive = asyncio.Event(), asyncio.Event()
        self.readings = 0

    async def __call__(self, *named: Any) -> Any:
        self.readings += 1
        is_first = self.readings == 1
        answer = await self._read(*named)
        if is_first:
            self.is_there.set()
            await self.may_arrive.wait()
        return answer


Outrun = Callable[[str, str, Callable[[], Awaitable[object]]], Awaitable[int]]


@pytest.fixture
def outrun(gateway: Gateway, post: Post, monkeypatch: pytest.MonkeyPatch) -> Outrun:
    """
    The last event of a type is told again, and what the gateway then reads by a method of the processor arrives
    only when something else has happened and is written down. How many readings there were in all.
    """

    async def outrun(hint: str, method: str, happens: Callable[[], Awaitable[object]]) -> int:
        reading = LateReading(getattr(gateway.processor, method))
        monkeypatch.setattr(gateway.processor, method, reading)
        *_, event = post.events(hint)
        received = await post.receive({**event, "id": f"{event['id']}_late"})
        late = asyncio.create_task(gateway.webhooks.handle(received.id))
        await reading.is_there.wait()
        await happens()
        await post.deliver_all()
        reading.may_arrive.set()
        await late
        return reading.readings

    return outrun


class TestLateReading:
    async def test_of_a_subscription_does_not_revive_one_that_ended_meanwhile(
        self, dashboard: Dashboard, post: Post, actor: Actor, outrun: Outrun
    ) -> None:
        made = await dashboard.subscribes(await dashboard.customer_of(actor), await dashboard.sells())
        await dashboard.updates(made, description="as it was")
        await post.deliver_all()

        readings = await outrun(
            "customer.subscription.updated",
            "read_subscription",
            lambda: dashboard.client.v1.subscriptions.cancel_async(made.id),
        )

        assert (await dashboard.subscription(made.id)).status is SubscriptionStatus.CANCELLED
        assert readings == 3

    async def test_of_a_dispute_does_not_take_a_verdict_back(
        self, shopper: Shopper, post: Post, sandbox: Sandbox, outrun: Outrun
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays()
        dispute = str(sandbox.dispute(payment.processor_payment_id or "")["id"])
        await post.deliver_all()

        async def is_decided() -> None:
            sandbox.decide_dispute(dispute, "won")

        readings = await outrun("charge.dispute.created", "find_dispute", is_decided)

        assert [each.status for each in await shopper.disputes(payment)] == [DisputeStatus.WON]
        assert readings >= 3

    async def test_of_an_invoice_does_not_forget_that_it_was_paid(
        self, dashboard: Dashboard, post: Post, actor: Actor, outrun: Outrun
    ) -> None:
        customer = await dashboard.customer_of(actor)
        made = await dashboard.subscribes(customer, await dashboard.sells())
        await dashboard.gives_card(customer, "pm_card_chargeCustomerFail")
        dashboard.passes(32)
        card = await dashboard.gives_card(customer, "pm_card_visa")
        [*_, failed] = post.events("invoice.payment_failed")
        await post.deliver_all()

        readings = await outrun(
            "invoice.payment_failed",
            "read_invoice",
            lambda: dashboard.client.v1.invoices.pay_async(
                failed["data"]["object"]["id"], {"payment_method": card}
            ),
        )

        told = await dashboard.invoices(await dashboard.subscription(made.id))
        assert [each.status for each in told] == [InvoiceStatus.PAID] * 2
        assert readings >= 3
