"""The same payment twice within minutes, under two keys: the second one is refused unless it is meant."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment
from domain.errors import LikelyDuplicate
from domain.money import Money
from domain.operation import OperationState
from domain.payment_status import PaymentStatus
from gateway.settings import Settings
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.shopping import COFFEE, Shopper, captures

WINDOW = 300


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"duplicate_window_seconds": WINDOW})


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class TestLikelyDuplicate:
    async def test_of_a_moment_ago_names_the_first(self, customer: Shopper, sandbox: Sandbox) -> None:
        first = await customer.pays(description="Coffee")

        with pytest.raises(LikelyDuplicate) as refusal:
            await customer.pays(description="Coffee")

        assert (refusal.value.existing_id, refusal.value.current) == (first.id, PaymentStatus.COMPLETED)
        assert captures(sandbox) == 1

    async def test_that_is_meant_is_paid(self, customer: Shopper, sandbox: Sandbox) -> None:
        await customer.pays()

        again = await customer.pays(allows_duplicate=True)

        assert again.status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 2

    async def test_under_the_same_key_is_the_first(self, customer: Shopper) -> None:
        first = await customer.pays(key="coffee-17")

        assert (await customer.pays(key="coffee-17")).id == first.id

    async def test_with_another_card_is_still_one(self, customer: Shopper) -> None:
        await customer.pays()
        other = await customer.saves("pm_card_amex")

        with pytest.raises(LikelyDuplicate):
            await customer.pays(payment_method_id=other)

    async def test_of_many_at_once_under_keys_of_their_own_leaves_one(
        self, customer: Shopper, sandbox: Sandbox
    ) -> None:
        answers = await asyncio.gather(
            *(customer.pays(key=f"coffee-{number:05}") for number in range(5)), return_exceptions=True
        )

        assert sum(isinstance(answer, LikelyDuplicate) for answer in answers) == 4
        assert captures(sandbox) == 1

    async def test_of_one_whose_outcome_is_not_known_is_refused(
        self, customer: Shopper, sandbox: Sandbox, impatient: None
    ) -> None:
        spoil(sandbox, "/v1/payment_intents$", Kind.RESET_BEFORE)
        first = await customer.pays()
        sandbox.faults.clear()

        with pytest.raises(LikelyDuplicate) as refusal:
            await customer.pays()

        assert refusal.value.existing_id == first.id

    async def test_of_one_that_waits_for_the_cardholder_is_refused(self, customer: Shopper) -> None:
        secured = await customer.saves("pm_card_authenticationRequired")
        first = await customer.pays(payment_method_id=secured)

        with pytest.raises(LikelyDuplicate):
            await customer.pays()

        assert first.status is PaymentStatus.REQUIRES_ACTION


class TestNoDuplicate:
    @pytest.mark.parametrize(
        "other",
        [
            {"amount": Money(minor=451, currency="EUR")},
            {"amount": Money(minor=450, currency="USD")},
            {"description": "Cake"},
            {"details": {"order": 18}},
            {"media_item_id": "film-8"},
        ],
    )
    async def test_is_what_differs_in_anything_but_the_method(
        self, customer: Shopper, sandbox: Sandbox, other: dict[str, Any]
    ) -> None:
        await customer.pays(description="Coffee", details={"order": 17}, media_item_id="film-7")

        await customer.pays(
            **{"description": "Coffee", "details": {"order": 17}, "media_item_id": "film-7", **other}
        )

        assert captures(sandbox) == 2

    async def test_is_another_users(self, customer: Shopper, stranger: Shopper, sandbox: Sandbox) -> None:
        await customer.pays()
        await stranger.saves()

        await stranger.pays()

        assert captures(sandbox) == 2

    async def test_follows_what_failed_was_given_up_or_given_back(
        self, customer: Shopper, clerk: Shopper, sandbox: Sandbox
    ) -> None:
        failing = await customer.saves("pm_card_chargeCustomerFail")
        await customer.pays(payment_method_id=failing)
        unconfirmed = await customer.pays(is_confirmed=False)
        await customer.does(CancelPayment(payment_id=unconfirmed.id))
        await clerk.gives_back(await customer.pays())

        assert (await customer.pays()).status is PaymentStatus.COMPLETED

    async def test_follows_once_the_window_is_over(self, customer: Shopper) -> None:
        await customer.pays()
        later = datetime.now(UTC) + timedelta(seconds=WINDOW + 1)
        commands = replace(customer.gateway.services.commands, clock=lambda: later)

        executed = await commands.execute(customer.actor, CreatePayment(amount=COFFEE))

        assert executed.operation.state is OperationState.SUCCEEDED
