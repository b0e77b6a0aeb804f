"""Many questions at once, over real rows."""

from dataclasses import replace

import pytest

from domain.access import AccessQuestion, AccessReason, AccessRemedy, AccessTarget
from domain.access_decision import AccessDecision
from domain.access_service import AccessService
from domain.account import BillingAccount
from domain.actor import ANONYMOUS, Actor, Role
from domain.errors import Forbidden, InvalidInput, Unauthenticated
from domain.identity import new_id
from domain.payment_status import PaymentStatus
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from tests.domain.access_values import FILM, HD, Books, a_plan, a_purchase, a_subscription
from tests.domain.values import NOON, OWNER, a_payment

R, M = AccessReason, AccessRemedy


@pytest.fixture
def access(gateway: Gateway) -> AccessService:
    return replace(gateway.services.access, clock=lambda: NOON)


async def asked(access: AccessService, *targets: AccessTarget) -> list[AccessDecision]:
    return await access.decisions([AccessQuestion(user_id=OWNER, target=target) for target in targets])


class TestDecisions:
    async def test_come_in_the_order_of_their_questions(self, books: Books, access: AccessService) -> None:
        await books.pays(a_purchase())
        unknown = AccessTarget(media_item_id="film-18")

        decisions = await asked(access, unknown, HD, FILM, unknown)

        assert [each.reason for each in decisions] == [
            R.NOT_PURCHASED, R.NOT_PURCHASED, R.OWNED, R.NOT_PURCHASED,
        ]  # fmt: skip
        assert [each.question.target for each in decisions] == [unknown, HD, FILM, unknown]

    async def test_tell_users_apart(self, books: Books, access: AccessService) -> None:
        await books.pays(a_purchase())
        questions = [AccessQuestion(user_id=user_id, target=FILM) for user_id in (new_id(), OWNER)]

        decisions = await access.decisions(questions)

        assert [each.allowed for each in decisions] == [False, True]

    async def test_tell_items_and_features_of_one_name_apart(
        self, books: Books, access: AccessService
    ) -> None:
        await books.pays(a_purchase(media_item_id="hd"))

        item, feature = await asked(access, AccessTarget(media_item_id="hd"), HD)

        assert (item.allowed, feature.allowed) == (True, False)

    async def test_know_of_a_purchase_that_awaits_the_bank(self, books: Books, access: AccessService) -> None:
        await books.pays(a_payment(status=PaymentStatus.REQUIRES_ACTION, media_item_id="film-17"))

        film, other = await asked(access, FILM, AccessTarget(media_item_id="film-18"))

        assert (film.remedies, other.remedies) == ((M.AUTHENTICATE,), (M.BUY,))

    @pytest.mark.parametrize(
        ("status", "remedies"),
        [
            (SubscriptionStatus.INCOMPLETE, (M.AUTHENTICATE,)),
            (SubscriptionStatus.PAST_DUE, (M.AUTHENTICATE, M.UPDATE_CARD)),
        ],
    )
    async def test_know_of_a_subscription_whose_payment_awaits_the_bank(
        self,
        books: Books,
        access: AccessService,
        status: SubscriptionStatus,
        remedies: tuple[AccessRemedy, ...],
    ) -> None:
        plan = a_plan("hd")
        subscription = a_subscription(plan, status=status, past_due_since=NOON)
        await books.offers(plan)
        await books.subscribes(subscription)

        await books.pays(a_payment(status=PaymentStatus.REQUIRES_ACTION, subscription_id=subscription.id))

        [decision] = await asked(access, HD)
        assert decision.remedies == remedies

    async def test_know_nothing_of_what_awaits_another(self, books: Books, access: AccessService) -> None:
        stranger = new_id()
        async with books.database.work() as work:
            await work.accounts.ensure(BillingAccount(user_id=stranger, created_at=NOON, updated_at=NOON))
        waiting = {"status": PaymentStatus.REQUIRES_ACTION, "media_item_id": "film-17"}
        await books.pays(a_payment(user_id=stranger, **waiting))

        [decision] = await asked(access, FILM)

        assert decision.remedies == (M.BUY,)

    async def test_about_nothing_are_none(self, access: AccessService) -> None:
        assert await access.decisions([]) == []


class TestAsking:
    @pytest.mark.parametrize("role", [Role.SERVICE, Role.ADMIN])
    def test_about_anybody_is_for_services_and_admins(self, access: AccessService, role: Role) -> None:
        access.must_answer(Actor(role=role, user_id=new_id()), count=100)

    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT])
    def test_about_anybody_is_not_for_others(self, access: AccessService, role: Role) -> None:
        with pytest.raises(Forbidden):
            access.must_answer(Actor(role=role, user_id=new_id()), count=1)

    def test_needs_a_token(self, access: AccessService) -> None:
        with pytest.raises(Unauthenticated):
            access.must_answer(ANONYMOUS, count=1)

    def test_about_too_much_at_once_is_refused(self, access: AccessService) -> None:
        with pytest.raises(InvalidInput, match="100"):
            access.must_answer(Actor(role=Role.SERVICE, user_id=new_id()), count=101)
