"""What a subscription gives to its subscriber, through all that may become of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.access import AccessReason, AccessTarget
from domain.actor import SYSTEM
from domain.entitlements import follow_subscription
from domain.subscription_status import SubscriptionStatus
from tests.domain.access_values import HD, MONTH, RULES, Books, a_plan, a_subscription
from tests.domain.values import NOON

R, S = AccessReason, SubscriptionStatus
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PERIOD_END = NOON + MONTH
LEEWAY_END = PERIOD_END + RULES.renewal_leeway
DOWNLOADS = AccessTarget(feature="downloads")
PLAN = a_plan("hd", "downloads")


@pytest.fixture(autouse=True)
async def offered(books: Books) -> None:
    await books.offers(PLAN)


class TestTable:
    """How access stands at a moment, by what the processor said last."""

    @pytest.mark.parametrize(
        ("known", "moment", "reason"),
        [
            ({}, NOON, R.SUBSCRIBED),
            ({}, PERIOD_END - SECOND, R.SUBSCRIBED),
            ({}, PERIOD_END, R.SUBSCRIBED),
            ({}, LEEWAY_END - SECOND, R.SUBSCRIBED),
            ({}, LEEWAY_END, R.PAYMENT_OVERDUE),
            ({"paid_through": None}, NOON, R.SUBSCRIBED),
            ({"paid_through": None}, NOON + RULES.renewal_leeway, R.PAYMENT_OVERDUE),
            ({"cancel_at_period_end": True}, PERIOD_END - SECOND, R.SUBSCRIBED),
            ({"cancel_at_period_end": True}, PERIOD_END, R.SUBSCRIPTION_ENDED),
            ({"cancel_at": NOON + DAY}, NOON + DAY, R.SUBSCRIPTION_ENDED),
            ({"status": S.INCOMPLETE, "paid_through": None}, NOON, R.NOT_PURCHASED),
            ({"status": S.TRIALING, "trial_ends_at": NOON + 3 * DAY}, NOON, R.TRIAL),
            (
                {"status": S.TRIALING, "trial_ends_at": NOON + 3 * DAY},
                NOON + 3 * DAY + RULES.renewal_leeway,
                R.PAYMENT_OVERDUE,
            ),
            (
                {"status": S.TRIALING, "trial_ends_at": PERIOD_END, "cancel_at_period_end": True},
                PERIOD_END,
                R.SUBSCRIPTION_ENDED,
            ),
            ({"status": S.ACTIVE, "trial_ends_at": NOON}, NOON, R.SUBSCRIBED),
            ({"status": S.PAST_DUE, "past_due_since": PERIOD_END}, PERIOD_END, R.GRACE_PERIOD),
            (
                {"status": S.PAST_DUE, "past_due_since": PERIOD_END},
                PERIOD_END + 7 * DAY - SECOND,
                R.GRACE_PERIOD,
            ),
            ({"status": S.PAST_DUE, "past_due_since": PERIOD_END}, PERIOD_END + 7 * DAY, R.PAYMENT_OVERDUE),
            ({"status": S.UNPAID, "past_due_since": PERIOD_END}, PERIOD_END, R.PAYMENT_OVERDUE),
            ({"status": S.PAUSED}, PERIOD_END - SECOND, R.SUBSCRIBED),
            ({"status": S.PAUSED}, PERIOD_END, R.SUBSCRIPTION_ENDED),
            (
                {"status": S.PAUSED, "paid_through": NOON, "trial_ends_at": NOON + DAY},
                NOON + DAY - SECOND,
                R.TRIAL,
            ),
            ({"status": S.CANCELLED, "ended_at": NOON + DAY}, NOON + DAY, R.SUBSCRIPTION_ENDED),
            ({"status": S.EXPIRED, "ended_at": NOON + DAY}, NOON + DAY, R.SUBSCRIPTION_ENDED),
            ({"status": S.EXPIRED, "ended_at": NOON, "paid_through": None}, NOON, R.NOT_PURCHASED),
            (
                {
                    "status": S.CANCELLED,
                    "ended_at": NOON + DAY,
                    "trial_ends_at": NOON + 3 * DAY,
                    "paid_through": None,
                },
                NOON + DAY,
                R.SUBSCRIPTION_ENDED,
            ),
        ],
    )
    async def test_of_reasons(
        self, books: Books, known: dict[str, Any], moment: datetime, reason: AccessReason
    ) -> None:
        await books.subscribes(a_subscription(PLAN, **known))

        assert await books.reason(HD, at=moment) is reason


class TestSubscription:
    async def test_gives_one_entitlement_for_each_feature(self, books: Books) -> None:
        subscription = a_subscription(PLAN)

        await books.subscribes(subscription)

        rows = await books.rows()
        assert {row.feature for row in rows} == {"hd", "downloads"}
        assert {(row.subscription_id, row.payment_id) for row in rows} == {(subscription.id, None)}
        decision = await books.decision(HD)
        assert (decision.allowed, decision.until) == (True, LEEWAY_END)

    async def test_told_again_changes_nothing(self, books: Books) -> None:
        subscription = a_subscription(PLAN, status=S.UNPAID)
        await books.subscribes(subscription)
        before = await books.rows()

        await books.subscribes(subscription, at=NOON + DAY)

        assert await books.rows() == before
        assert [len(await books.audit(row)) for row in before] == [1, 1]

    async def test_that_is_renewed_goes_on(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        await books.subscribes(subscription)

        renewed = replace(
            subscription, paid_through=PERIOD_END + MONTH, current_period_end=PERIOD_END + MONTH
        )
        await books.subscribes(renewed, at=LEEWAY_END)

        assert await books.reason(HD, at=PERIOD_END + MONTH) is R.SUBSCRIBED
        [row, _] = await books.rows()
        assert [record.action for record in await books.audit(row)] == [
            "entitlement.made",
            "entitlement.changed",
        ]

    async def test_does_not_blink_off_before_the_renewal_is_heard_of(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        await books.subscribes(subscription)
        begun = replace(subscription, current_period_start=PERIOD_END, current_period_end=PERIOD_END + MONTH)
        await books.subscribes(begun, at=PERIOD_END + SECOND)

        hours = [await books.reason(HD, at=PERIOD_END + timedelta(hours=passed)) for passed in range(7)]

        assert hours == [R.SUBSCRIBED] * 6 + [R.PAYMENT_OVERDUE]

    async def test_goes_through_dunning_and_back(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        failed = replace(subscription, status=S.PAST_DUE, past_due_since=PERIOD_END)
        given_up = replace(failed, status=S.UNPAID)
        paid = replace(subscription, paid_through=PERIOD_END + MONTH)
        reasons = []

        for told in (subscription, failed, given_up, paid, failed, paid):
            await books.subscribes(told, at=PERIOD_END)
            reasons.append(await books.reason(HD, at=PERIOD_END + SECOND))

        assert reasons == [
            R.SUBSCRIBED, R.GRACE_PERIOD, R.PAYMENT_OVERDUE, R.SUBSCRIBED, R.GRACE_PERIOD, R.SUBSCRIBED,
        ]  # fmt: skip

    async def test_changes_its_grace_with_the_rules_at_once(self, books: Books) -> None:
        await books.subscribes(a_subscription(PLAN, status=S.PAST_DUE, past_due_since=NOON))

        [row, _] = await books.rows()

        assert row.lasts_until(RULES) == NOON + 7 * DAY
        assert row.lasts_until(replace(RULES, grace=3 * DAY)) == NOON + 3 * DAY

    async def test_whose_cancellation_is_taken_back_is_renewed_again(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        await books.subscribes(replace(subscription, cancel_at_period_end=True))

        await books.subscribes(subscription)

        assert await books.reason(HD, at=PERIOD_END) is R.SUBSCRIBED

    async def test_that_is_cancelled_at_once_ends_at_once(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        await books.subscribes(subscription)

        await books.subscribes(replace(subscription, status=S.CANCELLED, ended_at=NOON + DAY), at=NOON + DAY)

        decision = await books.decision(HD, at=NOON + DAY)
        assert (decision.allowed, decision.reason) == (False, R.SUBSCRIPTION_ENDED)

    async def test_that_is_paused_and_resumed_goes_on(self, books: Books) -> None:
        subscription = a_subscription(PLAN)
        await books.subscribes(replace(subscription, status=S.PAUSED))

        await books.subscribes(replace(subscription, paid_through=PERIOD_END + MONTH), at=PERIOD_END + DAY)

        assert await books.reason(HD, at=PERIOD_END + DAY) is R.SUBSCRIBED

    async def test_of_another_plan_has_that_ones_features(self, books: Books) -> None:
        other = a_plan("hd", "4k")
        await books.offers(other)
        subscription = a_subscription(PLAN)
        await books.subscribes(subscription)

        await books.subscribes(replace(subscription, plan_id=other.id), at=NOON + DAY)

        assert await books.reason(HD) is R.SUBSCRIBED
        assert await books.reason(AccessTarget(feature="4k")) is R.SUBSCRIBED
        assert await books.reason(DOWNLOADS) is R.SUBSCRIPTION_ENDED

    async def test_that_returns_to_a_plan_has_its_features_again(self, books: Books) -> None:
        other = a_plan("hd")
        await books.offers(other)
        subscription = a_subscription(PLAN)
        for plan in (PLAN, other, PLAN):
            await books.subscribes(replace(subscription, plan_id=plan.id))

        assert await books.reason(DOWNLOADS) is R.SUBSCRIBED
        assert len(await books.rows()) == 2

    async def test_with_a_lesser_one_beside_it_is_what_counts(self, books: Books) -> None:
        other = a_plan("hd")
        await books.offers(other)
        await books.subscribes(a_subscription(other, status=S.CANCELLED, ended_at=NOON))

        await books.subscribes(a_subscription(PLAN))

        assert await books.reason(HD) is R.SUBSCRIBED

    async def test_without_its_plan_is_a_mistake(self, books: Books) -> None:
        stray = replace(a_subscription(PLAN), plan_id=a_plan().id)

        with pytest.raises(LookupError, match="no plan"):
            async with books.database.work() as work:
                await follow_subscription(work, stray, at=NOON, by=SYSTEM)
