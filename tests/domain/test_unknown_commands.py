import pytest

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import StartPaymentMethodSetup, UpdatePaymentMethod
from domain.commands.payments import CancelPayment, CapturePayment, ConfirmPayment
from domain.operation import OperationState
from domain.payment_status import CaptureMethod, PaymentStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import resumed_later, spoil
from tests.domain.shopping import Cardholder, Post, Shopper, captures

pytestmark = pytest.mark.usefixtures("impatient")

KEY = "coffee-17"
LOST = [Kind.ERROR_AFTER, Kind.RESET_AFTER]
"""Once stored by Stripe as its answer for ever, once on the way."""


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


async def settle(gateway: Gateway, sandbox: Sandbox, post: Post) -> None:
    sandbox.faults.clear()
    await post.deliver_all()
    await resumed_later(gateway)


class TestSpoiltCommand:
    """Carried out by Stripe, whose answer got lost; told of by webhook, and then settled by the worker."""

    @pytest.mark.parametrize("kind", LOST)
    async def test_confirmation_collects_once(
        self,
        customer: Shopper,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        [card] = await customer.methods()
        payment = await customer.pays(is_confirmed=False)
        spoil(sandbox, "/confirm$", kind)

        await customer.does(ConfirmPayment(payment_id=payment.id, payment_method_id=card.id), key=KEY)
        await settle(gateway, sandbox, post)

        assert (await customer.operation("confirmPayment", KEY)).state is OperationState.SUCCEEDED
        assert (await customer.payment(payment.id)).status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 1

    @pytest.mark.parametrize("kind", LOST)
    async def test_capture_collects_once(
        self,
        customer: Shopper,
        clerk: Shopper,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        payment = await customer.pays(capture_method=CaptureMethod.MANUAL)
        spoil(sandbox, "/capture$", kind)

        await clerk.does(CapturePayment(payment_id=payment.id), key=KEY)
        await settle(gateway, sandbox, post)

        assert (await clerk.operation("capturePayment", KEY)).state is OperationState.SUCCEEDED
        assert (await customer.payment(payment.id)).status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 1

    @pytest.mark.parametrize("kind", LOST)
    async def test_cancellation_is_carried_out(
        self,
        customer: Shopper,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        payment = await customer.pays(is_confirmed=False)
        spoil(sandbox, "/cancel$", kind)

        await customer.does(CancelPayment(payment_id=payment.id), key=KEY)
        await settle(gateway, sandbox, post)

        assert (await customer.operation("cancelPayment", KEY)).state is OperationState.SUCCEEDED
        assert (await customer.payment(payment.id)).status is PaymentStatus.CANCELLED

    async def test_cancellation_that_stripe_never_saw_is_carried_out_though_the_payment_moved_on(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, post: Post
    ) -> None:
        await customer.saves("pm_card_authenticationRequired", makes_default=True)
        payment = await customer.pays()
        intent = sandbox.objects.find("payment_intent", payment.processor_payment_id or "")
        assert intent is not None
        sandbox.objects.save({**intent, "status": "requires_confirmation", "next_action": None})
        spoil(sandbox, "/cancel$", Kind.ERROR_BEFORE)

        await customer.does(CancelPayment(payment_id=payment.id), key=KEY)
        sandbox.objects.save(intent)
        sandbox.faults.clear()
        await resumed_later(gateway)

        assert (await customer.payment(payment.id)).status is PaymentStatus.CANCELLED

    @pytest.mark.parametrize("kind", LOST)
    async def test_new_method_is_saved_once(
        self,
        shopper: Shopper,
        cardholder: Cardholder,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        await shopper.pays(is_confirmed=False)
        card = await cardholder.enters_card()
        spoil(sandbox, "/attach$", kind)

        await shopper.does(AddPaymentMethod(processor_method_id=card), key=KEY)
        await settle(gateway, sandbox, post)

        [method] = await shopper.methods()
        operation = await shopper.operation("addPaymentMethod", KEY)
        assert (operation.state, operation.object_id) == (OperationState.SUCCEEDED, method.id)
        assert (method.processor_method_id, method.is_default) == (card, True)

    @pytest.mark.parametrize("kind", LOST)
    async def test_update_of_a_method_is_carried_out(
        self,
        customer: Shopper,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        [card] = await customer.methods()
        spoil(sandbox, f"/{card.processor_method_id}$", kind)

        command = UpdatePaymentMethod(method_id=card.id, billing_name="Ada", exp_month=1, exp_year=2031)
        await customer.does(command, key=KEY)
        await settle(gateway, sandbox, post)

        assert (await customer.operation("updatePaymentMethod", KEY)).state is OperationState.SUCCEEDED
        updated = await customer.method(card.id)
        assert (updated.billing_name, updated.exp_month, updated.exp_year) == ("Ada", 1, 2031)

    @pytest.mark.parametrize("kind", LOST)
    async def test_removal_of_a_method_hands_over_to_its_successor(
        self,
        customer: Shopper,
        gateway: Gateway,
        sandbox: Sandbox,
        post: Post,
        kind: Kind,
    ) -> None:
        [card] = await customer.methods()
        successor = await customer.saves("pm_card_mastercard")
        spoil(sandbox, "/detach$", kind)

        await customer.does(DeletePaymentMethod(method_id=card.id, successor_id=successor), key=KEY)
        await settle(gateway, sandbox, post)

        assert (await customer.operation("deletePaymentMethod", KEY)).state is OperationState.SUCCEEDED
        assert [(method.id, method.is_default) for method in await customer.methods()] == [(successor, True)]

    @pytest.mark.parametrize("kind", LOST)
    async def test_setup_can_be_completed(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, post: Post, kind: Kind
    ) -> None:
        spoil(sandbox, "/v1/setup_intents$", kind)

        await customer.does(StartPaymentMethodSetup(), key=KEY)
        await settle(gateway, sandbox, post)

        operation = await customer.operation("startPaymentMethodSetup", KEY)
        assert operation.state is OperationState.SUCCEEDED
        async with gateway.services.database.reads() as reads:
            setup = await reads.setups.get(operation.subject)
        assert setup is not None
        assert await gateway.processor.setup_secret(setup) is not None
