from uuid import uuid4

import pytest

from domain.commands.create_payment import CreatePayment
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.decline import DeclineCategory
from domain.errors import Declined, Forbidden, InvalidInput, NotFound
from domain.money import Money
from domain.operation import ObjectKind, OperationState
from domain.payment_status import CaptureMethod, PaymentStatus, PaymentTrigger, SyncSource
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Cardholder, Post, Shopper, captures

REFUSALS = {
    "visa_chargeDeclinedFraudulent": ("fraudulent", DeclineCategory.SUSPECTED_FRAUD),
    "chargeCustomerFail": ("generic_decline", DeclineCategory.GENERIC),
}
"""The cards that can be saved, and are refused when charged."""

REFUSALS_AFTER_AUTHENTICATION = {
    "authenticationRequiredChargeDeclinedInsufficientFunds": "insufficient_funds",
    "threeDSecureRequiredChargeDeclined": "generic_decline",
}


class TestCreatePayment:
    async def test_collects_the_amount_from_the_default_card(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves()

        payment = await shopper.pays(description="Espresso", details={"order": "A-17"})

        assert payment.status is PaymentStatus.COMPLETED
        assert (payment.amount, payment.currency, payment.captured_amount) == (450, "EUR", 450)
        assert (payment.payment_method_id, payment.method_last4) == (card, "4242")
        assert (payment.description, payment.details) == ("Espresso", {"order": "A-17"})
        assert payment.completed_at is not None
        assert payment.receipt_url is not None
        [entry] = sandbox.ledger()["payment_intents"]
        assert (entry["amount_captured"], entry["currency"]) == (450, "eur")

    async def test_charges_the_named_card_and_not_the_default_one(self, shopper: Shopper) -> None:
        await shopper.saves()
        named = await shopper.saves("pm_card_mastercard")

        payment = await shopper.pays(payment_method_id=named)

        assert (payment.payment_method_id, payment.method_brand) == (named, "mastercard")

    async def test_operation_tells_what_was_made(self, shopper: Shopper) -> None:
        await shopper.saves()

        operation = (await shopper.does(CreatePayment(amount=COFFEE), key="coffee-17")).operation

        assert operation.state is OperationState.SUCCEEDED
        assert (operation.object_kind, operation.verdict) == (ObjectKind.PAYMENT, None)
        assert (operation.leased_until, operation.request_id) == (None, "test-request")
        assert operation.finished_at is not None

    async def test_zero_decimal_amount_reaches_the_bank_unchanged(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        await shopper.saves()

        await shopper.pays(Money(minor=500, currency="JPY"))

        assert sandbox.ledger()["totals"]["amount_captured"] == {"jpy": 500}

    async def test_leaves_a_trail_of_who_did_what(self, shopper: Shopper, gateway: Gateway) -> None:
        await shopper.saves()

        payment = await shopper.pays()

        async with gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.PAYMENT, payment.id)
        assert [record.action for record in trail] == ["payment.created", "payment.completed"]
        assert {record.actor_id for record in trail} == {shopper.actor.user_id}
        assert trail[1].changes["status"] == ["PENDING", "COMPLETED"]

    async def test_without_any_card_asks_for_one(self, shopper: Shopper) -> None:
        with pytest.raises(InvalidInput, match="no default payment method"):
            await shopper.pays()

    async def test_removed_card_looks_like_none(self, shopper: Shopper) -> None:
        card = await shopper.saves()
        await shopper.does(DeletePaymentMethod(method_id=card))

        with pytest.raises(NotFound):
            await shopper.pays(payment_method_id=card)

    async def test_card_of_another_user_looks_like_none(
        self, shopper: Shopper, stranger: Shopper, sandbox: Sandbox
    ) -> None:
        others = await stranger.saves()

        with pytest.raises(NotFound) as foreign:
            await shopper.pays(payment_method_id=others)
        with pytest.raises(NotFound) as unknown:
            await shopper.pays(payment_method_id=uuid4())

        assert (foreign.value.message, foreign.value.path) == (unknown.value.message, unknown.value.path)
        assert captures(sandbox) == 0


class TestDeclinedPayment:
    @pytest.mark.parametrize(("card", "told"), REFUSALS.items())
    async def test_is_failed_and_its_operation_says_why(
        self, shopper: Shopper, sandbox: Sandbox, card: str, told: tuple[str, DeclineCategory]
    ) -> None:
        await shopper.saves(f"pm_card_{card}")

        executed = await shopper.does(CreatePayment(amount=COFFEE))

        payment = await shopper.payment(executed.operation.subject)
        assert payment.status is PaymentStatus.FAILED
        assert payment.decline is not None
        assert (payment.decline.code, payment.decline.category) == told
        assert isinstance(executed.operation.verdict, Declined)
        assert executed.operation.verdict.decline == payment.decline
        assert executed.operation.state is OperationState.FAILED
        assert captures(sandbox) == 0

    @pytest.mark.parametrize(("card", "code"), REFUSALS_AFTER_AUTHENTICATION.items())
    async def test_after_authentication_is_told_by_webhook(
        self, shopper: Shopper, post: Post, cardholder: Cardholder, card: str, code: str
    ) -> None:
        await shopper.saves(f"pm_card_{card}")
        payment = await shopper.pays()
        await cardholder.answers(payment.processor_payment_id or "")

        await post.deliver_all()

        failed = await shopper.payment(payment.id)
        assert (failed.status, failed.decline_code) == (PaymentStatus.FAILED, code)

    async def test_off_session_that_needs_the_cardholder_fails(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_authenticationRequired")

        payment = await shopper.pays(is_off_session=True)

        assert payment.status is PaymentStatus.FAILED
        assert payment.decline is not None
        assert payment.decline.category is DeclineCategory.AUTHENTICATION_REQUIRED


class TestPaymentWithAuthentication:
    async def test_completes_by_webhook_after_the_cardholder_agreed(
        self, shopper: Shopper, post: Post, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays()
        assert payment.status is PaymentStatus.REQUIRES_ACTION

        await cardholder.answers(payment.processor_payment_id or "")
        await post.deliver_all()

        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.captured_amount) == (PaymentStatus.COMPLETED, 450)
        assert settled.synced_by is SyncSource.WEBHOOK
        assert settled.last_event_id is not None
        assert captures(sandbox) == 1

    async def test_only_its_owner_learns_the_client_secret(
        self, shopper: Shopper, clerk: Shopper, gateway: Gateway
    ) -> None:
        await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays()

        own = await gateway.services.payments.next_action(shopper.actor, payment)
        seen_by_clerk = await gateway.services.payments.next_action(clerk.actor, payment)

        assert own is not None
        assert own.client_secret is not None
        assert own.client_secret.startswith(payment.processor_payment_id or "?")
        assert own.client_secret not in repr(own)
        assert seen_by_clerk is not None
        assert (seen_by_clerk.kind, seen_by_clerk.client_secret) == (own.kind, None)

    async def test_settled_payment_needs_no_action(self, shopper: Shopper, gateway: Gateway) -> None:
        await shopper.saves()
        payment = await shopper.pays()

        assert await gateway.services.payments.next_action(shopper.actor, payment) is None


class TestUnconfirmedPayment:
    async def test_waits_without_a_card(self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox) -> None:
        payment = await shopper.pays(is_confirmed=False)

        assert (payment.status, payment.payment_method_id) == (PaymentStatus.PENDING, None)
        assert await gateway.services.payments.next_action(shopper.actor, payment) is not None
        assert captures(sandbox) == 0

    async def test_cannot_be_off_session(self, shopper: Shopper) -> None:
        with pytest.raises(InvalidInput, match="must be confirmed at once"):
            await shopper.pays(is_confirmed=False, is_off_session=True)


class TestPaymentOnBehalf:
    async def test_admin_charges_the_card_of_the_owner(self, shopper: Shopper, clerk: Shopper) -> None:
        card = await shopper.saves()

        payment = await clerk.pays(owner=shopper.actor.user_id)

        assert (payment.user_id, payment.payment_method_id) == (shopper.actor.user_id, card)
        assert (payment.trigger, payment.status) == (PaymentTrigger.ADMIN, PaymentStatus.COMPLETED)

    async def test_user_may_not_charge_for_another(
        self, shopper: Shopper, stranger: Shopper, sandbox: Sandbox
    ) -> None:
        await shopper.saves()

        with pytest.raises(Forbidden):
            await stranger.pays(owner=shopper.actor.user_id)

        assert captures(sandbox) == 0

    async def test_admin_cannot_charge_the_card_of_a_third_user(
        self, shopper: Shopper, stranger: Shopper, clerk: Shopper
    ) -> None:
        foreign = await stranger.saves()
        await shopper.saves()

        with pytest.raises(NotFound):
            await clerk.pays(owner=shopper.actor.user_id, payment_method_id=foreign)


class TestSavingTheMethodOfAPayment:
    async def test_asks_stripe_to_keep_it_for_later(self, shopper: Shopper, sandbox: Sandbox) -> None:
        await shopper.saves()

        payment = await shopper.pays(saves_method=True, capture_method=CaptureMethod.MANUAL)

        intent = sandbox.objects.find("payment_intent", payment.processor_payment_id or "")
        assert intent is not None
        assert (intent["setup_future_usage"], intent["capture_method"]) == ("off_session", "manual")
