import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from domain.command_service import Executed
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.errors import Busy, DomainError, InvalidInput, NotFound, StateConflict
from domain.identity import new_id
from domain.operation import OperationState
from domain.payment_method import PaymentMethod, PaymentMethodState
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import resumed_later, spoil
from tests.domain.shopping import Post, Shopper

KEY = "delete-17"


def defaults(methods: Sequence[PaymentMethod]) -> list[UUID]:
    return [method.id for method in methods if method.is_default]


class TestDeletePaymentMethod:
    async def test_removes_it_for_good_here_and_at_stripe(self, shopper: Shopper, sandbox: Sandbox) -> None:
        card = await shopper.saves()

        await shopper.does(DeletePaymentMethod(method_id=card))

        method = await shopper.method(card)
        assert (method.is_attached, method.is_default) == (False, False)
        assert method.state_at(method.updated_at) is PaymentMethodState.DETACHED
        assert await shopper.methods() == []
        assert [known.id for known in await shopper.methods(with_detached=True)] == [card]
        there = sandbox.objects.find("payment_method", method.processor_method_id)
        assert there is not None
        assert there["customer"] is None

    async def test_successor_becomes_the_default_only_where_the_removed_one_was(
        self, shopper: Shopper
    ) -> None:
        first, second, third = [
            await shopper.saves(f"pm_card_{name}") for name in ("visa", "amex", "mastercard")
        ]

        await shopper.does(DeletePaymentMethod(method_id=second, successor_id=third))
        assert defaults(await shopper.methods()) == [first]
        await shopper.does(DeletePaymentMethod(method_id=first, successor_id=third))

        assert defaults(await shopper.methods()) == [third]

    async def test_default_without_a_successor_leaves_none(self, shopper: Shopper) -> None:
        first = await shopper.saves()
        await shopper.saves("pm_card_amex")

        await shopper.does(DeletePaymentMethod(method_id=first))

        assert defaults(await shopper.methods()) == []

    async def test_second_time_is_a_conflict(self, shopper: Shopper) -> None:
        card = await shopper.saves()
        await shopper.does(DeletePaymentMethod(method_id=card))

        for command in (DeletePaymentMethod(method_id=card), UpdatePaymentMethod(method_id=card)):
            with pytest.raises(StateConflict, match="was removed"):
                await shopper.does(command)

    async def test_that_stripe_no_longer_has_is_removed_here(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves()
        there = sandbox.objects.find("payment_method", (await shopper.method(card)).processor_method_id)
        assert there is not None
        sandbox.objects.save({**there, "customer": None})

        executed: Executed = await shopper.does(DeletePaymentMethod(method_id=card))

        assert executed.operation.state is OperationState.SUCCEEDED
        assert await shopper.methods() == []

    async def test_with_a_foreign_or_removed_successor_finds_none(
        self, shopper: Shopper, stranger: Shopper
    ) -> None:
        card, removed = await shopper.saves(), await shopper.saves("pm_card_amex")
        foreign = await stranger.saves()
        await shopper.does(DeletePaymentMethod(method_id=removed))

        for successor in (foreign, removed, new_id()):
            with pytest.raises(NotFound):
                await shopper.does(DeletePaymentMethod(method_id=card, successor_id=successor))
        with pytest.raises(InvalidInput, match="cannot replace itself"):
            await shopper.does(DeletePaymentMethod(method_id=card, successor_id=card))

        assert defaults(await shopper.methods()) == [card]

    async def test_late_news_does_not_bring_it_back(self, shopper: Shopper, post: Post) -> None:
        card = await shopper.saves()
        await shopper.does(UpdatePaymentMethod(method_id=card, billing_name="Ada"))
        await shopper.does(DeletePaymentMethod(method_id=card))
        removed = await shopper.method(card)

        await post.deliver(*post.events("payment_method.attached", "payment_method.updated"))

        assert await shopper.method(card) == removed


class TestMethodThatIsBeingDeleted:
    @pytest.fixture
    async def card(self, shopper: Shopper, sandbox: Sandbox, impatient: None) -> UUID:
        """Whether it is still attached is not known."""
        card = await shopper.saves()
        spoil(sandbox, "/v1/payment_methods/.*/detach$", Kind.RESET_BEFORE)
        await shopper.does(DeletePaymentMethod(method_id=card), key=KEY)
        sandbox.faults.clear()
        return card

    @pytest.mark.parametrize("is_named", [True, False])
    async def test_pays_for_nothing_new(self, shopper: Shopper, card: UUID, is_named: bool) -> None:
        with pytest.raises(Busy, match="being deleted"):
            await shopper.pays(payment_method_id=card if is_named else None)

    async def test_is_nobodys_successor(self, shopper: Shopper, card: UUID) -> None:
        other = await shopper.saves("pm_card_amex")

        with pytest.raises(Busy) as refusal:
            await shopper.does(DeletePaymentMethod(method_id=other, successor_id=card))

        assert refusal.value.path == ("replace_with_id",)

    async def test_is_gone_once_that_is_known(self, shopper: Shopper, card: UUID) -> None:
        await resumed_later(shopper.gateway)

        with pytest.raises(NotFound):
            await shopper.pays(payment_method_id=card)

    async def test_does_not_keep_another_from_paying(self, shopper: Shopper, card: UUID) -> None:
        other = await shopper.saves("pm_card_amex")

        payment = await shopper.pays(payment_method_id=other)

        assert payment.payment_method_id == other

    async def test_by_two_that_name_each_other_goes_once(self, shopper: Shopper) -> None:
        cards = [await shopper.saves(f"pm_card_{name}") for name in ("visa", "amex")]
        both = [
            DeletePaymentMethod(method_id=one, successor_id=other) for one, other in (cards, reversed(cards))
        ]

        answers = await asyncio.gather(*map(shopper.does, both), return_exceptions=True)

        [refusal] = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(refusal, DomainError)
        [left] = await shopper.methods()
        assert left.is_default
