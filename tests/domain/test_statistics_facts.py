"""What is counted when: pure functions, so no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.decline import Decline
from domain.dispute import Dispute, DisputeStatus
from domain.identity import new_id
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_method import MethodSnapshot, PaymentMethodType
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.plan import BillingInterval
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from domain.statistics.facts import Delta, Measure
from domain.statistics.payment_facts import dispute_facts, payment_facts, refund_facts
from domain.statistics.subscription_facts import subscription_facts
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from tests.domain.histories import a_plan
from tests.domain.values import NOON, OWNER, a_payment

M, S, P = Measure, SubscriptionStatus, PaymentStatus
HOUR = timedelta(hours=1)
VISA = MethodSnapshot(type=PaymentMethodType.CARD, brand="visa", country="DE")
AMEX = MethodSnapshot(type=PaymentMethodType.CARD, brand="amex", country="US")
NO_MONEY = Decline(code="insufficient_funds")
PAID = Outcome(status=P.COMPLETED, charge_id="ch_2", captured_amount=2500, snapshot=AMEX)
DECLINED = Outcome(status=P.FAILED, charge_id="ch_1", decline=NO_MONEY, snapshot=VISA)
BASIC, YEARLY = a_plan(), a_plan(amount=9_999, interval=BillingInterval.YEAR)
PLANS = {plan.id: plan for plan in (BASIC, YEARLY)}


def summed(*changes: Sequence[Delta], by: str | None = None) -> Mapping[Any, int]:
    """All amounts by measure and hours since noon, and by one trait."""
    found: dict[Any, int] = {}
    for delta in (delta for deltas in changes for delta in deltas):
        for measure, amount in delta.amounts.items():
            key = (measure, (delta.at - NOON) // HOUR, *([getattr(delta.traits, by)] if by else []))
            found[key] = found.get(key, 0) + amount
    return {key: amount for key, amount in found.items() if amount}


def life(*told: Outcome, payment: Payment | None = None) -> list[Sequence[Delta]]:
    """An hour between each of them."""
    payment = payment or a_payment()
    changes = [payment_facts(None, payment)]
    for hours, outcome in enumerate(told, start=1):
        after = payment.settle(outcome, at=NOON + hours * HOUR)
        changes.append(payment_facts(payment, after))
        payment = after
    return changes


class TestPayments:
    def test_are_made_when_they_are_asked_for_and_collected_when_they_are_paid(self) -> None:
        assert summed(*life(PAID)) == {(M.MADE, 0): 1, (M.COMPLETED, 1): 1, (M.GROSS, 1): 2500}

    def test_count_as_failed_until_another_attempt_succeeds_but_the_decline_stays(self) -> None:
        failed, paid = life(DECLINED), life(DECLINED, PAID)

        assert summed(*failed) == {(M.MADE, 0): 1, (M.DECLINED, 1): 1, (M.FAILED, 1): 1}
        assert summed(*paid) == {(M.MADE, 0): 1, (M.DECLINED, 1): 1, (M.COMPLETED, 2): 1, (M.GROSS, 2): 2500}

    def test_count_once_however_often_they_are_told_of(self) -> None:
        assert summed(*life(DECLINED, DECLINED, PAID, PAID, DECLINED)) == {
            (M.MADE, 0): 1,
            (M.DECLINED, 1): 1,
            (M.COMPLETED, 3): 1,
            (M.GROSS, 3): 2500,
        }

    def test_count_a_declined_attempt_that_is_heard_of_too_late(self) -> None:
        assert summed(*life(PAID, DECLINED))[M.DECLINED, 2] == 1

    def test_count_two_declines_of_two_attempts(self) -> None:
        again = replace(DECLINED, charge_id="ch_9")
        tried = [payment_facts(None, a_payment())]
        payment = a_payment().settle(DECLINED, at=NOON)
        for outcome in (again, again):
            pending = payment.reopened(method_id=None, processor_method_id=None, at=NOON)
            after = pending.settle(outcome, at=NOON + HOUR)
            tried += [payment_facts(payment, pending), payment_facts(pending, after)]
            payment = after

        assert summed(*tried)[M.DECLINED, 1] == 1
        assert [failure.charge_id for failure in payment.failed_attempts] == ["ch_1", "ch_9"]

    def test_go_by_the_card_that_paid_and_declines_by_the_card_that_was_declined(self) -> None:
        brands = summed(*life(DECLINED, PAID), by="brand")

        assert brands == {
            (M.MADE, 0, "amex"): 1,
            (M.DECLINED, 1, "visa"): 1,
            (M.COMPLETED, 2, "amex"): 1,
            (M.GROSS, 2, "amex"): 2500,
        }

    def test_tell_the_kind_of_trouble_of_declines_alone(self) -> None:
        categories = summed(*life(DECLINED), by="decline_category")

        assert categories[M.DECLINED, 1, "INSUFFICIENT_FUNDS"] == 1
        assert {key[2] for key in categories if key[0] is not M.DECLINED} == {None}

    def test_count_nothing_where_they_only_move_on(self) -> None:
        waiting = Outcome(status=P.REQUIRES_ACTION)

        assert life(waiting, Outcome(status=P.CANCELLED))[1:] == [[], []]

    def test_go_by_the_trigger_of_their_last_attempt(self) -> None:
        renewal = a_payment(trigger=PaymentTrigger.RENEWAL)
        retried = replace(renewal, trigger=PaymentTrigger.DUNNING_RETRY)

        moved = [payment_facts(None, renewal), payment_facts(renewal, retried)]

        assert summed(*moved, by="trigger") == {(M.MADE, 0, "DUNNING_RETRY"): 1}


class TestRefunds:
    REFUND = Refund(
        id=new_id(),
        user_id=OWNER,
        payment_id=new_id(),
        status=RefundStatus.PENDING,
        amount=700,
        currency="USD",
        reason=RefundReason.GOODWILL,
        origin=RefundOrigin.API,
        revokes_access=False,
        created_at=NOON,
        updated_at=NOON,
    )

    def test_count_when_they_succeed_and_not_if_the_bank_returns_them(self) -> None:
        payment = a_payment(method_brand="visa")
        succeeded = replace(self.REFUND, status=RefundStatus.SUCCEEDED, succeeded_at=NOON + HOUR)
        returned = replace(succeeded, status=RefundStatus.FAILED)

        pending = refund_facts(None, self.REFUND, payment)
        given = refund_facts(self.REFUND, succeeded, payment)
        taken = refund_facts(succeeded, returned, payment)

        assert pending == []
        assert summed(given, by="brand") == {(M.REFUNDED, 1, "visa"): 700}
        assert summed(given, taken) == {}


class TestDisputes:
    @pytest.mark.parametrize(
        ("status", "counted"),
        [
            (DisputeStatus.INQUIRY, {}),
            (DisputeStatus.CLOSED, {}),
            (DisputeStatus.PREVENTED, {}),
            (DisputeStatus.NEEDS_RESPONSE, {(M.DISPUTED, 0): 1, (M.WITHHELD, 0): 900}),
            (DisputeStatus.UNDER_REVIEW, {(M.DISPUTED, 0): 1, (M.WITHHELD, 0): 900}),
            (DisputeStatus.LOST, {(M.DISPUTED, 0): 1, (M.WITHHELD, 0): 900}),
            (DisputeStatus.WON, {(M.DISPUTED, 0): 1}),
        ],
    )
    def test_count_when_they_were_opened_and_withhold_money_unless_won(
        self, status: DisputeStatus, counted: Mapping[Any, int]
    ) -> None:
        opened = Dispute(
            id=new_id(),
            user_id=OWNER,
            payment_id=new_id(),
            status=DisputeStatus.NEEDS_RESPONSE,
            amount=900,
            currency="USD",
            reason="fraudulent",
            processor_dispute_id="dp_1",
            created_at=NOON,
            updated_at=NOON,
        )
        after = replace(opened, status=status, updated_at=NOON + HOUR)

        changes = [dispute_facts(None, opened, a_payment()), dispute_facts(opened, after, a_payment())]

        assert summed(*changes) == counted


def subscribed(*steps: tuple[SubscriptionStatus, Any] | SubscriptionStatus) -> list[Sequence[Delta]]:
    """A life, an hour between steps; the first step is how it was made."""
    first, *later = [step if isinstance(step, tuple) else (step, BASIC) for step in steps]
    before = Subscription(
        id=new_id(),
        user_id=OWNER,
        plan_id=first[1].id,
        status=first[0],
        livemode=False,
        current_period_start=NOON,
        current_period_end=NOON + 30 * 24 * HOUR,
        processor_customer_id="cus_SampleCust0001",
        created_at=NOON,
        updated_at=NOON,
    )
    changes = [subscription_facts(None, before, PLANS)]
    for hours, (status, plan) in enumerate(later, start=1):
        at = NOON + hours * HOUR
        ended = {"ended_at": at} if status in {S.CANCELLED, S.EXPIRED} else {}
        after = before.changed(at=at, status=status, plan_id=plan.id, **ended)
        changes.append(subscription_facts(before, after, PLANS))
        before = after
    return changes


class TestSubscriptions:
    def test_begin_with_a_trial_and_recur_once_it_is_over(self) -> None:
        assert summed(*subscribed(S.TRIALING, S.ACTIVE)) == {
            (M.STARTED, 0): 1,
            (M.ACTIVE, 0): 1,
            (M.RECURRING, 1): 999,
        }

    def test_begin_once_the_first_payment_came_or_never(self) -> None:
        paid, unpaid = subscribed(S.INCOMPLETE, S.ACTIVE), subscribed(S.INCOMPLETE, S.EXPIRED)

        assert summed(*paid) == {(M.STARTED, 1): 1, (M.ACTIVE, 1): 1, (M.RECURRING, 1): 999}
        assert summed(*unpaid) == {}

    def test_end_once(self) -> None:
        counted = summed(*subscribed(S.ACTIVE, S.CANCELLED, S.CANCELLED))

        assert counted[M.ENDED, 1] == 1
        assert counted[M.ACTIVE, 1] == -1
        assert counted[M.RECURRING, 1] == -999
        assert all(hours < 2 for _, hours in counted)

    def test_move_their_price_to_another_plan_without_beginning_or_ending(self) -> None:
        counted = summed(*subscribed(S.ACTIVE, (S.ACTIVE, YEARLY)), by="plan_id")

        assert counted[M.RECURRING, 1, BASIC.id] == -999
        assert counted[M.RECURRING, 1, YEARLY.id] == 833
        assert counted[M.ACTIVE, 1, YEARLY.id] == 1
        assert not any(measure in {M.ENDED, M.STARTED} and hours for measure, hours, _ in counted)

    def test_do_not_recur_while_they_are_paused_or_given_up(self) -> None:
        counted = summed(*subscribed(S.ACTIVE, S.PAUSED, S.ACTIVE, S.PAST_DUE, S.UNPAID))

        recurring = {hours: amount for (measure, hours), amount in counted.items() if measure is M.RECURRING}
        assert recurring == {0: 999, 1: -999, 2: 999, 4: -999}

    def test_count_a_recovery_where_its_dunning_began(self) -> None:
        recovered = summed(*subscribed(S.ACTIVE, S.PAST_DUE, S.UNPAID, S.ACTIVE, S.PAST_DUE, S.CANCELLED))

        assert {key: value for key, value in recovered.items() if "dunning" in key[0]} == {
            (M.DUNNING_STARTED, 1): 1,
            (M.DUNNING_RECOVERED, 1): 1,
            (M.DUNNING_STARTED, 4): 1,
        }

    def test_count_nothing_for_what_is_neither_status_nor_plan(self) -> None:
        before = subscribed(S.ACTIVE)
        assert before[0]
        subscription = Subscription(
            id=new_id(),
            user_id=OWNER,
            plan_id=BASIC.id,
            status=S.ACTIVE,
            livemode=False,
            current_period_start=NOON,
            current_period_end=NOON + HOUR,
            processor_customer_id="cus_SampleCust0001",
            created_at=NOON,
            updated_at=NOON,
        )

        cancelling = subscription.changed(at=NOON + HOUR, cancel_at_period_end=True)

        assert cancelling.history == []
        assert subscription_facts(subscription, cancelling, PLANS) == []

    def test_keep_when_they_ended_by_the_processors_clock(self) -> None:
        subscription = Subscription(
            id=new_id(),
            user_id=OWNER,
            plan_id=BASIC.id,
            status=S.ACTIVE,
            livemode=False,
            current_period_start=NOON,
            current_period_end=NOON + HOUR,
            processor_customer_id="cus_SampleCust0001",
            created_at=NOON,
            updated_at=NOON,
        )

        ended = subscription.changed(at=NOON + 9 * HOUR, status=S.CANCELLED, ended_at=NOON + HOUR)

        assert [step.at for step in ended.steps] == [NOON, NOON + HOUR]


class TestMonthlyAmount:
    @pytest.mark.parametrize(
        ("amount", "interval", "count", "monthly"),
        [
            (999, BillingInterval.MONTH, 1, 999),
            (1_000, BillingInterval.MONTH, 3, 333),
            (12_000, BillingInterval.YEAR, 1, 1_000),
            (9_999, BillingInterval.YEAR, 2, 417),
            (300, BillingInterval.WEEK, 1, 1_300),
            (300, BillingInterval.WEEK, 2, 650),
            (12, BillingInterval.DAY, 1, 365),
            (0, BillingInterval.MONTH, 1, 0),
        ],
    )
    def test_is_the_price_per_month_to_the_nearest_minor_unit(
        self, amount: int, interval: BillingInterval, count: int, monthly: int
    ) -> None:
        assert a_plan(amount=amount, interval=interval, interval_count=count).monthly_amount == monthly
