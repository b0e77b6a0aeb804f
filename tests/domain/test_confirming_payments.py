import pytest

from domain.commands.payments import ConfirmPayment
from domain.errors import Declined, NotFound, ProcessorRefused, StateConflict
from domain.operation import OperationState
from domain.payment import Payment
from domain.payment_status import PaymentAction, PaymentStatus
from sandbox import Sandbox
from tests.domain.shopping import Cardholder, Post, Shopper, captures


async def confirmed(shopper: Shopper, payment: Payment, **choices: object) -> Payment:
    await shopper.does(ConfirmPayment(payment_id=payment.id, **choices))  # type: ignore[arg-type]  # by name
    return await shopper.payment(payment.id)


class TestConfirmPayment:
    async def test_collects_an_unconfirmed_payment(self, shopper: Shopper, sandbox: Sandbox) -> None:
        card = await shopper.saves()
        payment = await shopper.pays(is_confirmed=False)

        settled = await confirmed(shopper, payment, payment_method_id=card)

        assert (settled.status, settled.payment_method_id) == (PaymentStatus.COMPLETED, card)
        assert captures(sandbox) == 1

    async def test_tries_a_failed_payment_with_another_card(self, shopper: Shopper, sandbox: Sandbox) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        payment = await shopper.pays()
        good = await shopper.saves("pm_card_mastercard")

        settled = await confirmed(shopper, payment, payment_method_id=good)

        assert (settled.status, settled.decline) == (PaymentStatus.COMPLETED, None)
        assert (settled.payment_method_id, settled.method_brand) == (good, "mastercard")
        assert captures(sandbox) == 1

    async def test_declined_again_tells_the_new_reason(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        payment = await shopper.pays()
        suspicious = await shopper.saves("pm_card_visa_chargeDeclinedFraudulent")

        executed = await shopper.does(
            ConfirmPayment(payment_id=payment.id, payment_method_id=suspicious), key="again-17"
        )

        failed = await shopper.payment(payment.id)
        assert (failed.status, failed.decline_code) == (PaymentStatus.FAILED, "fraudulent")
        assert isinstance(executed.operation.verdict, Declined)
        assert executed.operation.verdict.decline.code == "fraudulent"

    async def test_news_of_the_former_decline_does_not_fail_the_new_attempt(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        payment = await shopper.pays()
        secured = await shopper.saves("pm_card_authenticationRequired")
        waiting = await confirmed(shopper, payment, payment_method_id=secured)
        assert waiting.status is PaymentStatus.REQUIRES_ACTION

        await post.deliver(*post.events("payment_intent.payment_failed", "charge.failed"))

        assert (await shopper.payment(payment.id)).status is PaymentStatus.REQUIRES_ACTION
        await cardholder.answers(payment.processor_payment_id or "")
        await post.deliver_all()
        assert (await shopper.payment(payment.id)).status is PaymentStatus.COMPLETED

    async def test_failed_authentication_may_be_tried_again(
        self, shopper: Shopper, post: Post, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays()
        await cardholder.answers(payment.processor_payment_id or "", outcome="fail")
        await post.deliver_all()
        failed = await shopper.payment(payment.id)
        assert (failed.status, failed.decline_code) == (
            PaymentStatus.FAILED,
            "payment_intent_authentication_failure",
        )

        waiting = await confirmed(shopper, payment, payment_method_id=card)
        assert waiting.status is PaymentStatus.REQUIRES_ACTION
        await cardholder.answers(payment.processor_payment_id or "")
        await post.deliver_all()

        assert (await shopper.payment(payment.id)).status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 1

    async def test_with_a_card_of_another_user_changes_nothing(
        self, shopper: Shopper, stranger: Shopper
    ) -> None:
        payment = await shopper.pays(is_confirmed=False)
        foreign = await stranger.saves()

        with pytest.raises(NotFound):
            await confirmed(shopper, payment, payment_method_id=foreign)

        assert await shopper.payment(payment.id) == payment

    async def test_of_a_completed_payment_is_a_conflict(self, shopper: Shopper, sandbox: Sandbox) -> None:
        await shopper.saves()
        payment = await shopper.pays()

        with pytest.raises(StateConflict) as conflict:
            await confirmed(shopper, payment)

        assert (conflict.value.current, conflict.value.allowed) == (
            PaymentStatus.COMPLETED,
            (PaymentAction.REFUND,),
        )
        assert captures(sandbox) == 1


class TestRefusedConfirmation:
    async def test_leaves_a_failed_payment_failed_for_its_old_reason(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        payment = await shopper.pays(return_url="https://coffee.example/thanks")
        good = await shopper.saves("pm_card_mastercard")

        executed = await shopper.does(ConfirmPayment(payment_id=payment.id, payment_method_id=good))

        assert executed.operation.state is OperationState.FAILED
        assert isinstance(executed.operation.verdict, ProcessorRefused)
        failed = await shopper.payment(payment.id)
        assert (failed.status, failed.decline_code) == (PaymentStatus.FAILED, "generic_decline")

    async def test_without_a_card_leaves_an_unconfirmed_payment_open(self, shopper: Shopper) -> None:
        payment = await shopper.pays(is_confirmed=False)

        executed = await shopper.does(ConfirmPayment(payment_id=payment.id))

        assert isinstance(executed.operation.verdict, ProcessorRefused)
        assert (await shopper.payment(payment.id)).status is PaymentStatus.PENDING
        card = await shopper.saves()
        settled = await confirmed(shopper, payment, payment_method_id=card)
        assert settled.status is PaymentStatus.COMPLETED

    async def test_of_a_payment_that_never_reached_the_bank_is_a_conflict(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves()
        method = sandbox.objects.find("payment_method", (await shopper.method(card)).processor_method_id)
        assert method is not None
        sandbox.objects.save({**method, "customer": "cus_someone_else"})
        payment = await shopper.pays()
        assert (payment.status, payment.decline_code) == (PaymentStatus.FAILED, "processor_refused")

        assert payment.actions == (PaymentAction.CANCEL,)
        with pytest.raises(StateConflict):
            await confirmed(shopper, payment)
