"""Each metric by a small case that can be counted by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.account import BillingAccount
from domain.actor import SYSTEM, Actor, Role
from domain.decline import Decline
from domain.dispute import Dispute, DisputeStatus
from domain.errors import Forbidden, InvalidInput, Unauthenticated
from domain.identity import new_id
from domain.money import Money
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_method import MethodSnapshot, PaymentMethodType
from domain.payment_status import PaymentStatus
from domain.ports import Work
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from domain.settlement import settle
from domain.statistics.calendar import StatsInterval
from domain.statistics.facts import Delta, Measure, Traits
from domain.statistics.metrics import StatsDimension, StatsMetric
from domain.statistics.question import StatsQuestion
from domain.statistics.recording import count_dispute, count_payment, count_refund, count_subscription
from domain.statistics.report import StatsReport, StatsValue
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from tests.domain.histories import a_plan
from tests.domain.values import NOON, OWNER, a_payment

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BASIC, IN_YEN = a_plan(), a_plan(amount=100, currency="JPY")
M, D, S, P = StatsMetric, StatsDimension, SubscriptionStatus, PaymentStatus
VISA = MethodSnapshot(type=PaymentMethodType.CARD, brand="visa", country="DE")


async def paid(work: Work, *, amount: int, currency: str = "EUR", at: datetime, **known: Any) -> Payment:
    made = await asked(work, amount=amount, currency=currency, at=at, **known)
    outcome = Outcome(
        status=P.COMPLETED,
        charge_id=f"ch_{made.id}",
        authorized_amount=amount,
        captured_amount=amount,
        snapshot=VISA,
    )
    return await settle(work, made.id, outcome, at=at, by=SYSTEM)


async def asked(work: Work, *, at: datetime, **known: Any) -> Payment:
    payment = a_payment(created_at=at, updated_at=at, **known)
    await work.payments.add(payment)
    await count_payment(work, None, payment)
    return payment


async def refused(work: Work, *, code: str, at: datetime) -> Payment:
    payment = await asked(work, amount=500, currency="EUR", at=at)
    outcome = Outcome(
        status=P.FAILED, charge_id=f"ch_{payment.id}", decline=Decline(code=code), snapshot=VISA
    )
    return await settle(work, payment.id, outcome, at=at, by=SYSTEM)


async def refunded(work: Work, payment: Payment, amount: int, *, at: datetime) -> None:
    refund = Refund(
        id=new_id(),
        user_id=OWNER,
        payment_id=payment.id,
        status=RefundStatus.SUCCEEDED,
        amount=amount,
        currency=payment.currency,
        reason=RefundReason.GOODWILL,
        origin=RefundOrigin.API,
        revokes_access=False,
        created_at=at,
        updated_at=at,
        succeeded_at=at,
    )
    await work.refunds.add(refund)
    await count_refund(work, None, refund)


async def disputed(work: Work, payment: Payment, amount: int, *, at: datetime) -> None:
    dispute = Dispute(
        id=new_id(),
        user_id=OWNER,
        payment_id=payment.id,
        status=DisputeStatus.NEEDS_RESPONSE,
        amount=amount,
        currency=payment.currency,
        reason="fraudulent",
        processor_dispute_id=f"dp_{payment.id}",
        created_at=at,
        updated_at=at,
    )
    await work.disputes.add(dispute)
    await count_dispute(work, None, dispute)


async def subscribed(work: Work, plan_id: Any, *steps: tuple[SubscriptionStatus, datetime]) -> None:
    (status, at), *later = steps
    before = Subscription(
        id=new_id(),
        user_id=OWNER,
        plan_id=plan_id,
        status=status,
        livemode=False,
        is_surplus=True,
        current_period_start=at,
        current_period_end=at + 30 * DAY,
        processor_customer_id="cus_SampleCust0001",
        created_at=at,
        updated_at=at,
    )
    await work.subscriptions.add(before)
    await count_subscription(work, None, before)
    for status, at in later:
        ended = {"ended_at": at} if status is S.CANCELLED else {}
        after = before.changed(at=at, status=status, **ended)
        await work.subscriptions.save(after)
        await count_subscription(work, before, after)
        before = after


@pytest.fixture
async def week(gateway: Gateway) -> None:
    """On Monday 30.00 and 10.00 EUR and 500 JPY, two declines, one of which was paid on Tuesday after all."""
    async with gateway.services.database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
        await work.plans.add(BASIC)
        await work.plans.add(IN_YEN)
        thirty = await paid(work, amount=30_00, at=MONDAY, plan_id=BASIC.id)
        ten = await paid(work, amount=10_00, at=MONDAY)
        await paid(work, amount=500, currency="JPY", at=MONDAY)
        await refused(work, code="expired_card", at=MONDAY)
        tried = await refused(work, code="insufficient_funds", at=MONDAY)
        success = Outcome(
            status=P.COMPLETED, charge_id="ch_2", authorized_amount=500, captured_amount=500, snapshot=VISA
        )
        await settle(work, tried.id, success, at=MONDAY + DAY, by=SYSTEM)
        await asked(work, amount=700, currency="EUR", at=MONDAY + DAY)
        await refunded(work, thirty, 8_00, at=MONDAY + DAY)
        await disputed(work, ten, 10_00, at=MONDAY + DAY)
        before = MONDAY - 40 * DAY
        await subscribed(work, BASIC.id, (S.ACTIVE, before))
        await subscribed(work, BASIC.id, (S.ACTIVE, before), (S.CANCELLED, MONDAY + DAY))
        await subscribed(work, BASIC.id, (S.TRIALING, MONDAY), (S.ACTIVE, MONDAY + DAY))
        await subscribed(work, IN_YEN.id, (S.ACTIVE, before), (S.PAST_DUE, MONDAY), (S.ACTIVE, MONDAY + DAY))
        await subscribed(work, IN_YEN.id, (S.ACTIVE, before), (S.PAST_DUE, MONDAY))


async def report(gateway: Gateway, admin: Actor, *metrics: StatsMetric, **known: Any) -> StatsReport:
    usual: dict[str, Any] = {"since": MONDAY, "until": MONDAY + 2 * DAY, "interval": StatsInterval.DAY}
    question = StatsQuestion(metrics=list(metrics), **{**usual, **known})
    return await gateway.services.statistics.report(admin, question)


def told(values: Sequence[StatsValue]) -> Any:
    """A value, or values by their groups and currencies."""
    found = {
        (*(member.name for member in value.group), *filter(None, [value.currency])): value.value
        for value in values
    }
    return found.get(()) if set(found) == {()} else {" ".join(key): value for key, value in found.items()}


def series(found: StatsReport) -> list[Any]:
    """Monday, Tuesday, and both."""
    return [*(told(bucket.values) for bucket in found.buckets), told(found.totals)]


@pytest.mark.usefixtures("week")
class TestMetrics:
    @pytest.mark.parametrize(
        ("metric", "monday", "tuesday", "both"),
        [
            (M.PAYMENTS_COUNT, 5, 1, 6),
            (M.GROSS_VOLUME, {"EUR": 4000, "JPY": 500}, {"EUR": 500, "JPY": 0}, {"EUR": 4500, "JPY": 500}),
            (M.REFUNDED_VOLUME, {"EUR": 0}, {"EUR": 800}, {"EUR": 800}),
            (M.NET_VOLUME, {"EUR": 4000, "JPY": 500}, {"EUR": -1300, "JPY": 0}, {"EUR": 2700, "JPY": 500}),
            (M.REFUND_RATE, {"EUR": 0, "JPY": 0}, {"EUR": 1.6, "JPY": None}, {"EUR": 800 / 4500, "JPY": 0}),
            (M.SUCCESS_RATE, 3 / 4, 1, 4 / 5),
            (M.DECLINES, 2, 0, 2),
            (M.DISPUTE_RATE, 0, 1, 1 / 4),
            (M.ACTIVE_SUBSCRIPTIONS, 5, 4, 4),
            (M.NEW_SUBSCRIPTIONS, 1, 0, 1),
            (M.CHURN_RATE, 0, 1 / 5, 1 / 4),
            (M.MRR, {"EUR": 1998, "JPY": 200}, {"EUR": 1998, "JPY": 200}, {"EUR": 1998, "JPY": 200}),
            (M.ARPU, {"EUR": 666, "JPY": 100}, {"EUR": 999, "JPY": 100}, {"EUR": 999, "JPY": 100}),
            (M.DUNNING_RECOVERY_RATE, 1 / 2, None, 1 / 2),
        ],
    )
    async def test_are_what_one_counts_by_hand(
        self, gateway: Gateway, admin: Actor, metric: StatsMetric, monday: Any, tuesday: Any, both: Any
    ) -> None:
        found = await report(gateway, admin, metric)
        currencies = [each for each in (monday, tuesday, both) if isinstance(each, dict)]
        shown = series(found)
        if currencies:
            shown = [{name: part.get(name) for name in currencies[0]} for part in shown]

        assert shown == [pytest.approx(each) for each in (monday, tuesday, both)]

    async def test_are_counted_before_they_are_folded_and_after(self, gateway: Gateway, admin: Actor) -> None:
        unfolded = await report(gateway, admin, *StatsMetric)
        folded = await gateway.services.statistics.fold()
        again = await report(gateway, admin, *StatsMetric)

        assert folded > 10
        assert await gateway.services.statistics.fold() == 0
        assert replace(again, generated_at=unfolded.generated_at) == unfolded

    async def test_are_told_per_group_in_the_order_that_was_asked_for(
        self, gateway: Gateway, admin: Actor
    ) -> None:
        by_category = await report(gateway, admin, M.DECLINES, group_by=[D.DECLINE_CATEGORY], interval=None)
        by_plan = await report(gateway, admin, M.GROSS_VOLUME, group_by=[D.PLAN], interval=None)
        by_both = await report(
            gateway, admin, M.PAYMENTS_COUNT, group_by=[D.CURRENCY, D.BRAND], interval=None
        )
        active = await report(gateway, admin, M.ACTIVE_SUBSCRIPTIONS, group_by=[D.PLAN], interval=None)

        assert told(by_category.totals) == {"CARD_EXPIRED": 1, "INSUFFICIENT_FUNDS": 1}
        assert told(by_plan.totals) == {" EUR": 1500, " JPY": 500, f"{BASIC.id} EUR": 3000}
        assert told(by_both.totals) == {"EUR ": 1, "EUR visa": 4, "JPY visa": 1}
        assert told(active.totals) == {str(BASIC.id): 2, str(IN_YEN.id): 2}
        assert by_category.buckets == []

    async def test_are_told_of_one_currency_where_one_is_named(self, gateway: Gateway, admin: Actor) -> None:
        found = await report(gateway, admin, M.PAYMENTS_COUNT, M.GROSS_VOLUME, currency="JPY")

        assert [value.value for value in found.totals] == [1, 500]
        assert [value.money for value in found.totals] == [None, Money(minor=500, currency="JPY")]

    async def test_leave_no_bucket_out(self, gateway: Gateway, admin: Actor) -> None:
        found = await report(gateway, admin, M.GROSS_VOLUME, since=MONDAY - DAY, until=MONDAY + 4 * DAY)

        assert [told(bucket.values) for bucket in found.buckets] == [
            {"EUR": 0, "JPY": 0}, {"EUR": 4000, "JPY": 500}, {"EUR": 500, "JPY": 0},
            {"EUR": 0, "JPY": 0}, {"EUR": 0, "JPY": 0},
        ]  # fmt: skip

    async def test_do_not_mix_live_money_with_test_money(self, gateway: Gateway, admin: Actor) -> None:
        live = replace(gateway.services.statistics, is_live=True)
        question = StatsQuestion(metrics=[M.PAYMENTS_COUNT], since=MONDAY, until=MONDAY + DAY)

        assert told((await live.report(admin, question)).totals) == 0

    async def test_are_too_many_beyond_some_number_of_values(self, gateway: Gateway, admin: Actor) -> None:
        with pytest.raises(InvalidInput, match="more than 20000 values"):
            await report(
                gateway,
                admin,
                *(each for each in M if each is not M.DECLINES),
                interval=StatsInterval.HOUR,
                until=MONDAY + timedelta(hours=999),
                group_by=[D.PLAN, D.CURRENCY],
            )


class TestNothing:
    async def test_is_zero_or_null(self, gateway: Gateway, admin: Actor) -> None:
        counts = await report(gateway, admin, M.PAYMENTS_COUNT, M.SUCCESS_RATE, M.ACTIVE_SUBSCRIPTIONS)
        amounts = await report(gateway, admin, M.GROSS_VOLUME, M.MRR)

        assert [value.value for value in counts.totals] == [0, None, 0]
        assert (amounts.totals, [list(bucket.values) for bucket in amounts.buckets]) == ([], [[], []])


class TestReport:
    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT, Role.SERVICE, Role.SYSTEM])
    async def test_is_for_admins_alone(self, gateway: Gateway, role: Role) -> None:
        with pytest.raises(Forbidden):
            await report(gateway, Actor(role=role, user_id=new_id()), M.MRR)

    async def test_is_not_for_anonymous_callers(self, gateway: Gateway) -> None:
        with pytest.raises(Unauthenticated):
            await report(gateway, Actor(role=Role.ANONYMOUS), M.MRR)


class TestDays:
    async def test_begin_where_the_time_zone_says(self, gateway: Gateway, admin: Actor) -> None:
        """One thing every quarter of an hour, so that a day counts its quarters."""
        traits = Traits(livemode=False, currency="EUR")
        start = datetime(2026, 3, 27, tzinfo=UTC)
        quarters = [start + timedelta(minutes=15) * number for number in range(5 * 96)]
        async with gateway.services.database.work() as work:
            await work.statistics.append(
                [Delta(at=at, traits=traits, amounts={Measure.MADE: 1}) for at in quarters]
            )
        await gateway.services.statistics.fold()

        counted = {
            zone: [
                value.value
                for bucket in (
                    await report(
                        gateway, admin, M.PAYMENTS_COUNT, since=start, until=start + 5 * DAY, timezone=zone
                    )
                ).buckets
                for value in bucket.values
            ]
            for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham")
        }

        assert counted == {
            "UTC": [96, 96, 96, 96, 96],
            "Europe/Berlin": [92, 96, 92, 96, 96, 8],
            "Asia/Kolkata": [74, 96, 96, 96, 96, 22],
            "Asia/Kathmandu": [73, 96, 96, 96, 96, 23],
            "Pacific/Chatham": [41, 96, 96, 96, 96, 55],
        }
