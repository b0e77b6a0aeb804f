import pytest

from domain.actor import Actor, Role
from domain.commands.payments import CancelPayment, CapturePayment
from domain.errors import (
    AmountOutOfRange,
    CurrencyRuleBroken,
    Forbidden,
    NotFound,
    ProcessorRefused,
    StateConflict,
)
from domain.identity import new_id
from domain.money import Money
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentStatus
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Cardholder, Post, Shopper, captures

MANUAL = CaptureMethod.MANUAL
SUPPORT = Actor(role=Role.SUPPORT, user_id=new_id())


@pytest.fixture
async def authorized(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays(capture_method=MANUAL)


class TestCapturePayment:
    async def test_collects_everything(
        self, shopper: Shopper, clerk: Shopper, authorized: Payment, sandbox: Sandbox
    ) -> None:
        assert (authorized.status, authorized.authorized_amount) == (PaymentStatus.AUTHORIZED, 450)
        assert captures(sandbox) == 0

        await clerk.does(CapturePayment(payment_id=authorized.id))

        payment = await shopper.payment(authorized.id)
        assert (payment.status, payment.captured_amount) == (PaymentStatus.COMPLETED, 450)
        assert sandbox.ledger()["totals"]["amount_captured"] == {"eur": 450}

    async def test_collects_a_part_and_releases_the_rest(
        self, shopper: Shopper, clerk: Shopper, authorized: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        await clerk.does(CapturePayment(payment_id=authorized.id, amount=Money(minor=300, currency="EUR")))
        await post.deliver_all()

        payment = await shopper.payment(authorized.id)
        assert (payment.status, payment.captured_amount) == (PaymentStatus.COMPLETED, 300)
        assert sandbox.ledger()["totals"]["amount_captured"] == {"eur": 300}

    @pytest.mark.parametrize("minor", [0, -1, 451])
    async def test_of_more_than_was_authorised_or_nothing_is_refused(
        self, clerk: Shopper, authorized: Payment, sandbox: Sandbox, minor: int
    ) -> None:
        with pytest.raises(AmountOutOfRange) as refused:
            await clerk.does(
                CapturePayment(payment_id=authorized.id, amount=Money(minor=minor, currency="EUR"))
            )

        assert (refused.value.path, refused.value.maximum) == (("amount", "minor"), 450)
        assert captures(sandbox) == 0

    async def test_in_another_currency_is_refused(self, clerk: Shopper, authorized: Payment) -> None:
        with pytest.raises(CurrencyRuleBroken, match="is in EUR"):
            await clerk.does(
                CapturePayment(payment_id=authorized.id, amount=Money(minor=450, currency="USD"))
            )

    async def test_of_a_fraction_that_the_currency_lacks_is_refused(
        self, shopper: Shopper, clerk: Shopper
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays(Money(minor=50_000, currency="ISK"), capture_method=MANUAL)

        with pytest.raises(CurrencyRuleBroken, match="multiples of 100"):
            await clerk.does(CapturePayment(payment_id=payment.id, amount=Money(minor=150, currency="ISK")))

    async def test_by_its_own_payer_is_forbidden(
        self, shopper: Shopper, authorized: Payment, sandbox: Sandbox
    ) -> None:
        with pytest.raises(Forbidden):
            await shopper.does(CapturePayment(payment_id=authorized.id))

        assert captures(sandbox) == 0

    async def test_of_a_collected_payment_is_a_conflict(self, shopper: Shopper, clerk: Shopper) -> None:
        await shopper.saves()
        payment = await shopper.pays()

        with pytest.raises(StateConflict):
            await clerk.does(CapturePayment(payment_id=payment.id))

    async def test_of_no_payment_finds_none(self, clerk: Shopper) -> None:
        with pytest.raises(NotFound):
            await clerk.does(CapturePayment(payment_id=new_id()))


class TestCancelPayment:
    async def test_releases_an_authorisation(
        self, shopper: Shopper, authorized: Payment, sandbox: Sandbox
    ) -> None:
        await shopper.does(CancelPayment(payment_id=authorized.id, reason="Out of beans"))

        payment = await shopper.payment(authorized.id)
        assert (payment.status, payment.captured_amount) == (PaymentStatus.CANCELLED, 0)
        assert sandbox.ledger()["payment_intents"][0]["status"] == "canceled"

    async def test_gives_up_an_unconfirmed_payment(self, shopper: Shopper) -> None:
        payment = await shopper.pays(is_confirmed=False)

        await shopper.does(CancelPayment(payment_id=payment.id))

        assert (await shopper.payment(payment.id)).status is PaymentStatus.CANCELLED

    async def test_gives_up_a_failed_payment(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        payment = await shopper.pays()

        await shopper.does(CancelPayment(payment_id=payment.id))

        cancelled = await shopper.payment(payment.id)
        assert (cancelled.status, cancelled.decline) == (PaymentStatus.CANCELLED, None)

    async def test_gives_up_a_payment_that_waits_for_its_cardholder(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays()

        await shopper.does(CancelPayment(payment_id=payment.id))

        assert (await shopper.payment(payment.id)).status is PaymentStatus.CANCELLED

    async def test_gives_up_a_payment_that_never_reached_the_bank(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves()
        method = sandbox.objects.find("payment_method", (await shopper.method(card)).processor_method_id)
        assert method is not None
        sandbox.objects.save({**method, "customer": "cus_someone_else"})
        payment = await shopper.pays()
        assert payment.processor_payment_id is None

        await shopper.does(CancelPayment(payment_id=payment.id))

        assert (await shopper.payment(payment.id)).status is PaymentStatus.CANCELLED

    async def test_of_a_collected_payment_is_a_conflict(self, shopper: Shopper) -> None:
        await shopper.saves()
        payment = await shopper.pays()

        with pytest.raises(StateConflict):
            await shopper.does(CancelPayment(payment_id=payment.id))

    async def test_that_comes_too_late_tells_that_the_money_was_collected(
        self, shopper: Shopper, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays()
        await cardholder.answers(payment.processor_payment_id or "")

        executed = await shopper.does(CancelPayment(payment_id=payment.id))

        assert isinstance(executed.operation.verdict, ProcessorRefused)
        collected = await shopper.payment(payment.id)
        assert (collected.status, collected.captured_amount) == (PaymentStatus.COMPLETED, COFFEE.minor)
        assert captures(sandbox) == 1

    async def test_by_support_who_only_sees_is_forbidden(self, shopper: Shopper) -> None:
        payment = await shopper.pays(is_confirmed=False)
        support = Shopper(gateway=shopper.gateway, actor=SUPPORT)

        with pytest.raises(Forbidden):
            await support.does(CancelPayment(payment_id=payment.id))
