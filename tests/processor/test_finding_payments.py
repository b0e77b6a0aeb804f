from typing import Any

import pytest

from domain.errors import ProcessorUnavailable
from domain.payment import Payment
from processor import stripe_calls, stripe_payments
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.values import NOON
from tests.processor.charging import charge, like
from tests.processor.conftest import Request


class TestFindPayment:
    async def test_by_our_id_over_more_than_one_page(
        self,
        processor: StripeProcessor,
        payment: Payment,
        monkeypatch: pytest.MonkeyPatch,
        requests: list[Request],
    ) -> None:
        outcome = await charge(processor, payment)
        for number in range(4):
            await charge(processor, like(payment), key=f"other-{number}")
        monkeypatch.setattr(stripe_payments, "LARGEST_PAGE", 2)
        requests.clear()

        found = await processor.find_payment(payment)

        assert found == outcome
        assert len([url for _, url, _ in requests if "customer=" in url]) == 3

    @pytest.mark.usefixtures("impatient")
    async def test_that_fails_on_a_later_page_is_not_known(
        self, processor: StripeProcessor, payment: Payment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            await charge(processor, like(payment), key=f"other-{number}")
        monkeypatch.setattr(stripe_payments, "LARGEST_PAGE", 2)
        found: list[object] = []

        async def spoil_after_the_first_page(send: Any) -> Any:
            page = await original(send)
            found.append(page)
            spoil(sandbox, "/payment_intents$", Kind.ERROR_BEFORE, method="GET")
            return page

        original = stripe_calls.call
        monkeypatch.setattr(stripe_calls, "call", spoil_after_the_first_page)

        with pytest.raises(ProcessorUnavailable):
            await processor.find_payment(payment)
        assert len(found) == 1

    async def test_that_stripe_never_heard_of_is_none(
        self, processor: StripeProcessor, payment: Payment
    ) -> None:
        await charge(processor, like(payment))

        assert await processor.find_payment(payment) is None

    async def test_looks_at_its_own_intent_where_it_knows_it(
        self, processor: StripeProcessor, payment: Payment
    ) -> None:
        outcome = await charge(processor, payment)

        assert await processor.find_payment(payment.settle(outcome, at=NOON)) == outcome
