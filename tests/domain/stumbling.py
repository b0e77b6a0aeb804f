"""A processor that stumbles after Stripe has done its part, and whether the payment came out right all the same."""

from collections.abc import Awaitable, Callable
from typing import Any, Self

from domain.operation import OperationState
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.refund import Refund, RefundFacts
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Shopper, captures
from tests.watched_processor import WatchedProcessor

KEY = "coffee-17"


class StumblingProcessor(WatchedProcessor):
    """Stripe does what it is asked; then something else happens before the answer is written down."""

    afterwards: Callable[[], Awaitable[None]]

    @classmethod
    def beside(cls, gateway: Gateway, afterwards: Callable[[], Awaitable[None]]) -> Self:
        settings = gateway.settings
        key = settings.stripe_secret_key.get_secret_value()
        processor = cls.connected(key, api_base=settings.stripe_api_base)
        processor.afterwards = afterwards
        return processor

    async def charge(self, payment: Payment, **choices: Any) -> Outcome:
        outcome = await super().charge(payment, **choices)
        await self.afterwards()
        return outcome

    async def refund(self, refund: Refund, payment: Payment, *, key: str) -> RefundFacts:
        facts = await super().refund(refund, payment, key=key)
        await self.afterwards()
        return facts


class OvertakenProcessor(WatchedProcessor):
    """Something else happens after the first look at the database, and before Stripe hears of what follows from it."""

    beforehand: Callable[[], Awaitable[None]]

    @classmethod
    def beside(cls, gateway: Gateway, beforehand: Callable[[], Awaitable[None]]) -> Self:
        settings = gateway.settings
        key = settings.stripe_secret_key.get_secret_value()
        processor = cls.connected(key, api_base=settings.stripe_api_base)
        processor.beforehand = beforehand
        return processor

    async def refund(self, refund: Refund, payment: Payment, *, key: str) -> RefundFacts:
        await self.beforehand()
        return await super().refund(refund, payment, key=key)

    async def make_default_method(self, customer_id: str, processor_method_id: str) -> None:
        await self.beforehand()
        await super().make_default_method(customer_id, processor_method_id)


async def is_paid_once(customer: Shopper, sandbox: Sandbox) -> bool:
    operation = await customer.operation("createPayment", KEY)
    payment = await customer.payment(operation.subject)
    is_told = (operation.state, payment.status) == (OperationState.SUCCEEDED, PaymentStatus.COMPLETED)
    return is_told and payment.captured_amount == COFFEE.minor and captures(sandbox) == 1
