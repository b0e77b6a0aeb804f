import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.errors import Declined, InvalidInput, NotFound, ProcessorRefused
from domain.identity import new_id
from domain.method_settlement import make_default
from domain.operation import ObjectKind, OperationState
from domain.payment_method import PaymentMethod, PaymentMethodType
from domain.rules import Rules
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import Cardholder, Shopper

TEN_CARDS = ("visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "br", "ca", "at")
FOUR = TEN_CARDS[:4]


async def default_at_stripe(shopper: Shopper, gateway: Gateway, sandbox: Sandbox) -> str | None:
    account = await gateway.services.customers.account(shopper.actor.known_id, by=shopper.actor)
    customer = sandbox.objects.find("customer", account.customer_id)
    assert customer is not None
    default: str | None = customer["invoice_settings"]["default_payment_method"]
    return default


def defaults(methods: Sequence[PaymentMethod]) -> list[UUID]:
    return [method.id for method in methods if method.is_default]


class TestAddPaymentMethod:
    async def test_saves_what_may_be_known_of_a_card(self, shopper: Shopper) -> None:
        card = await shopper.saves()

        method = await shopper.method(card)

        assert (method.type, method.brand, method.last4) == (PaymentMethodType.CARD, "visa", "4242")
        assert (method.exp_month, method.exp_year, method.country) == (12, 2034, "US")
        assert method.user_id == shopper.actor.user_id
        assert method.fingerprint

    async def test_first_becomes_the_default_and_the_second_does_not(self, shopper: Shopper) -> None:
        first = await shopper.saves()
        await shopper.saves("pm_card_mastercard")

        assert defaults(await shopper.methods()) == [first]

    async def test_makes_itself_the_default_when_asked(self, shopper: Shopper) -> None:
        await shopper.saves()
        second = await shopper.saves("pm_card_mastercard", makes_default=True)

        methods = await shopper.methods()

        assert defaults(methods) == [second]
        assert methods[0].id == second

    async def test_same_method_twice_is_saved_once(self, shopper: Shopper, cardholder: Cardholder) -> None:
        card = await cardholder.enters_card()

        first, second = await shopper.saves(card), await shopper.saves(card)

        assert first == second
        assert len(await shopper.methods()) == 1

    async def test_ten_at_once_leave_one_default(self, shopper: Shopper) -> None:
        await asyncio.gather(
            *(shopper.saves(f"pm_card_{card}", makes_default=card < "m") for card in TEN_CARDS)
        )

        methods = await shopper.methods()

        assert len(methods) == 10
        assert len(defaults(methods)) == 1

    async def test_same_card_again_refreshes_the_saved_one(
        self, shopper: Shopper, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        saved = await shopper.saves(await cardholder.enters_card(exp_year=2031))

        again = await shopper.saves(await cardholder.enters_card(exp_year=2036))

        [method] = await shopper.methods()
        there = sandbox.objects.find("payment_method", method.processor_method_id)
        assert (again, method.exp_year) == (saved, 2036)
        assert there is not None
        assert there["card"]["exp_year"] == 2036

    async def test_same_card_of_another_user_is_theirs(self, shopper: Shopper, stranger: Shopper) -> None:
        assert await shopper.saves() != await stranger.saves()

    async def test_card_that_was_removed_is_saved_anew(self, shopper: Shopper) -> None:
        removed = await shopper.saves()
        await shopper.does(DeletePaymentMethod(method_id=removed))

        again = await shopper.saves()

        assert again != removed
        assert [method.id for method in await shopper.methods()] == [again]

    async def test_becomes_the_default_at_stripe_too(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        first = await shopper.method(await shopper.saves())
        assert await default_at_stripe(shopper, gateway, sandbox) == first.processor_method_id

        second = await shopper.method(await shopper.saves("pm_card_amex", makes_default=True))

        assert await default_at_stripe(shopper, gateway, sandbox) == second.processor_method_id

    async def test_declined_by_its_bank_is_not_saved(self, shopper: Shopper) -> None:
        command = AddPaymentMethod(processor_method_id="pm_card_visa_chargeDeclinedInsufficientFunds")

        executed = await shopper.does(command)

        assert isinstance(executed.operation.verdict, Declined)
        assert executed.operation.verdict.decline.code == "insufficient_funds"
        assert (executed.operation.state, executed.operation.object_id) == (OperationState.FAILED, None)
        assert await shopper.methods() == []

    async def test_of_another_user_is_refused(
        self, shopper: Shopper, stranger: Shopper, cardholder: Cardholder
    ) -> None:
        card = await cardholder.enters_card()
        await stranger.saves(card)

        executed = await shopper.does(AddPaymentMethod(processor_method_id=card))

        assert isinstance(executed.operation.verdict, ProcessorRefused)
        assert await shopper.methods() == []
        assert len(await stranger.methods()) == 1

    @pytest.mark.parametrize(
        "name", ["", "card_visa", "pm_x/../../customers", "pm_x?a=b", "pm_é", "pm_" + "x" * 300, "pm_\0"]
    )
    def test_with_a_malformed_id_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            AddPaymentMethod(processor_method_id=name).check(Rules())

        assert refused.value.path == ("stripe_payment_method_id",)


class TestUpdatePaymentMethod:
    async def test_corrects_expiry_and_billing_name(
        self, shopper: Shopper, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        card = await shopper.saves()

        await shopper.does(
            UpdatePaymentMethod(method_id=card, exp_month=2, exp_year=2040, billing_name="Ada")
        )

        method = await shopper.method(card)
        assert (method.exp_month, method.exp_year, method.billing_name) == (2, 2040, "Ada")
        assert method.version == 3
        there = sandbox.objects.find("payment_method", method.processor_method_id)
        assert there is not None
        assert there["billing_details"]["name"] == "Ada"
        async with gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.PAYMENT_METHOD, card)
        assert [record.action for record in trail] == [
            "payment_method.added",
            "payment_method.made_default",
            "payment_method.updated",
        ]

    async def test_is_recorded_of_both_the_new_default_and_the_former_one(
        self, shopper: Shopper, gateway: Gateway
    ) -> None:
        first = await shopper.saves()
        second = await shopper.saves("pm_card_mastercard")

        await shopper.does(UpdatePaymentMethod(method_id=second, makes_default=True))

        async with gateway.services.database.reads() as reads:
            former = (await reads.audit.of_object(ObjectKind.PAYMENT_METHOD, first))[-1]
            current = (await reads.audit.of_object(ObjectKind.PAYMENT_METHOD, second))[-1]
        assert (former.action, former.changes) == (
            "payment_method.no_longer_default",
            {"is_default": [True, False]},
        )
        assert current.action == "payment_method.made_default"
        assert current.changes["is_default"] == [False, True]
        assert set(current.changes) == {"is_default", "default_chosen_at"}
        assert former.actor_id == current.actor_id == shopper.actor.user_id

    async def test_makes_it_the_default_here_and_at_stripe(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        second = await shopper.method(await shopper.saves("pm_card_mastercard"))

        await shopper.does(UpdatePaymentMethod(method_id=second.id, makes_default=True))

        assert defaults(await shopper.methods()) == [second.id]
        assert await default_at_stripe(shopper, gateway, sandbox) == second.processor_method_id

    async def test_two_made_the_default_at_once_leave_one(self, shopper: Shopper) -> None:
        cards = [await shopper.saves(f"pm_card_{name}") for name in FOUR]

        await asyncio.gather(
            *(shopper.does(UpdatePaymentMethod(method_id=card, makes_default=True)) for card in cards)
        )

        [default] = defaults(await shopper.methods())
        assert default in cards

    async def test_makes_it_the_default_of_those_who_wait_for_it_too(
        self, shopper: Shopper, gateway: Gateway
    ) -> None:
        await shopper.saves()
        second = await shopper.method(await shopper.saves("pm_card_mastercard"))
        database, user_id = gateway.services.database, shopper.actor.known_id

        async def default_for_a_payment() -> PaymentMethod | None:
            async with database.work() as work:
                return await work.payment_methods.lock_default(user_id)

        async with database.work() as work:
            await make_default(work, second, at=second.updated_at, by=shopper.actor)
            waiting = asyncio.create_task(default_for_a_payment())
            await asyncio.sleep(0.1)

        default = await waiting
        assert default is not None
        assert default.id == second.id

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"exp_month": 1}, "exp_month"),
            ({"exp_year": 2030}, "exp_month"),
            ({"exp_month": 13, "exp_year": 2030}, "exp_month"),
            ({"exp_month": 0, "exp_year": 2030}, "exp_month"),
            ({"exp_month": 1, "exp_year": 2001}, "exp_year"),
            ({"exp_month": 1, "exp_year": 2101}, "exp_year"),
            ({"billing_name": ""}, "billing_name"),
            ({"billing_name": "Ada \0"}, "billing_name"),
            ({"billing_name": "x" * 201}, "billing_name"),
            ({"makes_default": False}, "make_default"),
        ],
    )
    async def test_with_wrong_input_changes_nothing(
        self, shopper: Shopper, wrong: dict[str, str | int | bool], field: str
    ) -> None:
        card = await shopper.saves()
        before = await shopper.method(card)

        with pytest.raises(InvalidInput) as refused:
            await shopper.does(UpdatePaymentMethod(method_id=card, **wrong))  # type: ignore[arg-type]  # by name

        assert refused.value.path == (field,)
        assert await shopper.method(card) == before

    async def test_of_another_users_method_finds_none(self, shopper: Shopper, stranger: Shopper) -> None:
        card = await shopper.saves()

        for method_id in (card, new_id()):
            with pytest.raises(NotFound):
                await stranger.does(UpdatePaymentMethod(method_id=method_id, makes_default=True))
