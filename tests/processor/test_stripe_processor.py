from uuid import UUID

import pytest

from domain.errors import Declined, ProcessorRefused
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_method import MethodFacts, PaymentMethodSetup, SetupStatus
from domain.payment_status import CaptureMethod, PaymentStatus
from processor.stripe_client import API_VERSION
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from tests.domain.values import NOON, OWNER, a_method, a_payment
from tests.processor.charging import charge, like
from tests.processor.conftest import Request


class TestEveryRequest:
    async def test_pins_the_version_and_carries_our_key(
        self, processor: StripeProcessor, payment: Payment, requests: list[Request], sandbox: Sandbox
    ) -> None:
        outcome = await charge(processor, payment)
        paid = payment.settle(outcome, at=NOON)
        await processor.find_payment(paid)
        setup = PaymentMethodSetup(
            id=new_id(),
            user_id=OWNER,
            status=SetupStatus.REQUIRES_METHOD,
            makes_default=False,
            processor_customer_id=payment.processor_customer_id,
            created_at=NOON,
            updated_at=NOON,
        )
        await processor.start_setup(setup, key="setup-key-1")

        assert {headers["Stripe-Version"] for _, _, headers in requests} == {API_VERSION}
        assert not [headers for _, _, headers in requests if "X-Stripe-Client-Telemetry" in headers]
        posts = [headers for method, _, headers in requests if method == "post"]
        assert [headers["Idempotency-Key"] for headers in posts] == [
            "cus-key-1",
            "card-key-1",
            "key-1",
            "setup-key-1",
        ]
        assert [entry.idempotency_key for entry in sandbox.requests.newest_first()][::-1] == [
            headers["Idempotency-Key"] for headers in posts
        ]

    async def test_names_our_objects(
        self, processor: StripeProcessor, payment: Payment, sandbox: Sandbox
    ) -> None:
        await charge(processor, payment)

        [intent] = sandbox.objects.all("payment_intent")
        assert intent["metadata"] == {"payment_id": str(payment.id), "user_id": str(OWNER)}
        [customer] = sandbox.objects.all("customer")
        assert customer["metadata"] == {"user_id": str(OWNER)}

    @pytest.mark.parametrize(
        ("key", "is_live"),
        [("sk_live_x", True), ("rk_live_x", True), ("sk_test_x", False), ("sk_test_live_", False)],
    )
    async def test_knows_whether_the_money_is_real(self, key: str, is_live: bool) -> None:
        processor = StripeProcessor.connected(key)

        assert processor.is_live is is_live
        assert key not in repr(processor)
        await processor.close()


class TestCommands:
    async def test_on_a_payment_that_never_reached_stripe_are_a_mistake_of_ours(
        self, processor: StripeProcessor
    ) -> None:
        with pytest.raises(ValueError, match="has not reached Stripe"):
            await processor.capture(a_payment(), amount=None, key="key-1")

    async def test_authorise_capture_and_cancel(self, processor: StripeProcessor, payment: Payment) -> None:
        held = like(payment, capture_method=CaptureMethod.MANUAL)
        authorized = await charge(processor, held)
        known = held.settle(authorized, at=NOON)

        captured = await processor.capture(known, amount=1_000, key="capture-1")

        assert authorized.status is PaymentStatus.AUTHORIZED
        assert (captured.status, captured.captured_amount) == (PaymentStatus.COMPLETED, 1_000)
        with pytest.raises(ProcessorRefused) as refused:
            await processor.cancel(known, key="cancel-1")
        assert refused.value.outcome is not None
        assert refused.value.outcome.status is PaymentStatus.COMPLETED

    async def test_decline_is_an_outcome_of_a_charge_and_an_error_of_an_attachment(
        self, processor: StripeProcessor, customer: str
    ) -> None:
        bad = await processor.attach_method("pm_card_chargeCustomerFail", customer, key="card-key-2")
        payment = a_payment(processor_customer_id=customer, processor_method_id=bad.processor_method_id)

        outcome = await charge(processor, payment)

        assert outcome.status is PaymentStatus.FAILED
        assert outcome.decline is not None
        assert outcome.processor_payment_id is not None
        with pytest.raises(Declined):
            await processor.attach_method("pm_card_visa_chargeDeclined", customer, key="card-key-3")

    async def test_detaching_twice_is_no_error(
        self, processor: StripeProcessor, customer: str, card: MethodFacts
    ) -> None:
        method = a_method(processor_method_id=card.processor_method_id)

        await processor.detach_method(method, key="detach-1")
        await processor.detach_method(method, key="detach-2")
        await processor.detach_method(a_method(processor_method_id="pm_unknown"), key="detach-3")

    async def test_attaching_twice_is_no_error_for_the_same_customer_only(
        self, processor: StripeProcessor, customer: str, card: MethodFacts
    ) -> None:
        other = await processor.create_customer(UUID(int=2), key="cus-key-2")

        assert await processor.attach_method(card.processor_method_id, customer, key="card-key-2") == card
        with pytest.raises(ProcessorRefused):
            await processor.attach_method(card.processor_method_id, other, key="card-key-3")

    async def test_set_up_that_never_reached_stripe_has_no_secret(self, processor: StripeProcessor) -> None:
        setup = PaymentMethodSetup(
            id=new_id(),
            user_id=OWNER,
            status=SetupStatus.REQUIRES_METHOD,
            makes_default=False,
            processor_customer_id="cus_1",
            created_at=NOON,
            updated_at=NOON,
        )

        assert await processor.setup_secret(setup) is None
