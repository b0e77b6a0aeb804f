"""A payment's life, told in every order: always the same end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decline import Decline
from domain.payment import SUCCESSORS, Outcome, Payment, PaymentStatus, SyncSource
from domain.payment_method import MethodSnapshot, PaymentMethodType
from tests.domain.values import NOON, a_payment, outcome_in

TELLING = {"version", "updated_at", "synced_by", "last_event_id"}
"""Fields that say how and when we learned it, which the order may well change."""

FIRST, SECOND = "ch_SampleCharge000000000", "ch_SampleCharge000000001"
HELD = {"amount_received": 0, "amount_capturable": 2500, "latest_charge": SECOND}
UNCAPTURED = {"captured": False, "amount_captured": 0}

CREATED = outcome_in("payment_intent.created")
ASKING = outcome_in("payment_intent.requires_action")
PROCESSING = outcome_in("payment_intent.processing")
OTHER_CARD = {"type": "card", "card": {"brand": "mastercard", "last4": "4444"}}
DECLINED = outcome_in(
    "payment_intent.payment_failed",
    latest_charge=FIRST,
    last_payment_error={"type": "card_error", "code": "expired_card", "payment_method": OTHER_CARD},
)
AUTHENTICATION_FAILED = outcome_in(
    "payment_intent.payment_failed",
    last_payment_error={"type": "invalid_request_error", "code": "payment_intent_authentication_failure"},
)
CHARGED = outcome_in("charge.succeeded")
SUCCEEDED = outcome_in("payment_intent.succeeded")
BOOKED = outcome_in("charge.updated")

LIVES: Mapping[str, tuple[PaymentStatus, Sequence[Outcome]]] = {
    "authenticated": (
        PaymentStatus.COMPLETED,
        [CREATED, ASKING, PROCESSING, CHARGED, SUCCEEDED, BOOKED],
    ),
    "declined, then paid with another card": (
        PaymentStatus.COMPLETED,
        [CREATED, DECLINED, PROCESSING, CHARGED, SUCCEEDED, BOOKED],
    ),
    "authentication failed, then paid": (
        PaymentStatus.COMPLETED,
        [CREATED, ASKING, AUTHENTICATION_FAILED, CHARGED, SUCCEEDED, BOOKED],
    ),
    "authorised, then captured": (
        PaymentStatus.COMPLETED,
        [
            CREATED,
            outcome_in("payment_intent.amount_capturable_updated", **HELD),
            outcome_in("charge.succeeded", **UNCAPTURED),
            outcome_in("charge.captured"),
            SUCCEEDED,
            BOOKED,
        ],
    ),
    "authorised, then captured in part": (
        PaymentStatus.COMPLETED,
        [
            CREATED,
            outcome_in("payment_intent.amount_capturable_updated", **HELD),
            outcome_in("charge.succeeded", **UNCAPTURED),
            outcome_in("charge.captured", amount_captured=1000),
            outcome_in("payment_intent.succeeded", amount_received=1000),
            outcome_in("charge.updated", amount_captured=1000),
        ],
    ),
    "authorised, then cancelled": (
        PaymentStatus.CANCELLED,
        [
            CREATED,
            ASKING,
            outcome_in("payment_intent.amount_capturable_updated", **HELD),
            outcome_in("charge.succeeded", **UNCAPTURED),
            outcome_in("payment_intent.canceled", latest_charge=SECOND),
        ],
    ),
    "authorised, then cancelled without a word of the charge": (
        PaymentStatus.CANCELLED,
        [
            outcome_in("payment_intent.amount_capturable_updated", **HELD),
            outcome_in("charge.succeeded", **UNCAPTURED),
            outcome_in("payment_intent.canceled", latest_charge=None),
        ],
    ),
    "declined and given up": (
        PaymentStatus.CANCELLED,
        [CREATED, ASKING, DECLINED, outcome_in("payment_intent.canceled", latest_charge=FIRST)],
    ),
    "declined": (PaymentStatus.FAILED, [CREATED, ASKING, PROCESSING, DECLINED]),
}


def told(payment: Payment, outcomes: Iterable[Outcome]) -> Payment:
    for outcome in outcomes:
        payment = payment.settle(outcome, at=NOON)
    return payment


def end(payment: Payment) -> str:
    return repr({name: value for name, value in asdict(payment).items() if name not in TELLING})


class TestEveryOrder:
    @pytest.mark.parametrize(("status", "life"), LIVES.values(), ids=LIVES.keys())
    def test_ends_in_one_state(self, status: PaymentStatus, life: Sequence[Outcome]) -> None:
        payment = a_payment()

        ends = {end(told(payment, order)) for order in permutations(life)}

        assert ends == {end(told(payment, life))}
        assert told(payment, life).status is status

    @pytest.mark.parametrize(("status", "life"), LIVES.values(), ids=LIVES.keys())
    def test_with_everything_told_twice_ends_in_the_same_state(
        self, status: PaymentStatus, life: Sequence[Outcome]
    ) -> None:
        payment = a_payment()

        ends = {end(told(payment, (*order, *life))) for order in permutations(life)}

        assert ends == {end(told(payment, life))}


class TestLives:
    def test_paid_after_a_decline_shows_the_card_that_paid_and_no_decline(self) -> None:
        paid = told(a_payment(), LIVES["declined, then paid with another card"][1])

        assert (paid.decline, paid.processor_charge_id) == (None, SECOND)
        assert (paid.captured_amount, paid.completed_at) == (2500, NOON)
        assert paid.receipt_url is not None
        assert (paid.method_brand, paid.method_last4) == ("visa", "4242")

    def test_captured_in_part_keeps_what_was_authorised(self) -> None:
        paid = told(a_payment(), LIVES["authorised, then captured in part"][1])

        assert (paid.authorized_amount, paid.captured_amount) == (2500, 1000)

    def test_reopened_does_not_take_the_former_decline_for_a_new_one(self) -> None:
        declined = told(a_payment(), [CREATED, DECLINED])
        reopened = declined.reopened(method_id=None, processor_method_id=None, at=NOON)

        assert reopened.settle(DECLINED, at=NOON).status is PaymentStatus.PENDING
        assert reopened.decline == declined.decline
        assert told(reopened, [DECLINED, CHARGED, DECLINED, SUCCEEDED]).status is PaymentStatus.COMPLETED

    def test_reopened_takes_the_decline_of_another_charge(self) -> None:
        reopened = told(a_payment(), [DECLINED]).reopened(method_id=None, processor_method_id="pm_2", at=NOON)
        other = outcome_in(
            "payment_intent.payment_failed",
            latest_charge=SECOND,
            last_payment_error={"type": "card_error", "code": "processing_error"},
        )

        failed = reopened.settle(other, at=NOON)

        assert (failed.status, failed.decline_code) == (PaymentStatus.FAILED, "processing_error")
        assert (failed.processor_charge_id, failed.processor_method_id) == (SECOND, "pm_2")

    def test_two_declines_are_never_mixed(self) -> None:
        other = outcome_in(
            "payment_intent.payment_failed",
            latest_charge=SECOND,
            last_payment_error={"type": "card_error", "code": "processing_error"},
        )

        for order in permutations([DECLINED, other]):
            failed = told(a_payment(), order)
            shown = (failed.processor_charge_id, failed.decline_code, failed.method_last4)
            assert shown in {(FIRST, "expired_card", "4444"), (SECOND, "processing_error", None)}

    def test_decline_after_reopening_outlasts_late_news_of_the_former(self) -> None:
        other = outcome_in(
            "payment_intent.payment_failed",
            latest_charge=SECOND,
            last_payment_error={"type": "card_error", "code": "processing_error"},
        )
        reopened = told(a_payment(), [DECLINED]).reopened(method_id=None, processor_method_id=None, at=NOON)
        failed = reopened.settle(other, at=NOON)

        assert failed.settle(DECLINED, at=NOON) is failed


snapshots = st.none() | st.builds(
    MethodSnapshot, type=st.sampled_from(PaymentMethodType), last4=st.sampled_from(["4242", "4444"])
)
outcomes = st.builds(
    Outcome,
    status=st.sampled_from(PaymentStatus),
    processor_payment_id=st.just("pi_1"),
    charge_id=st.sampled_from([None, "ch_1", "ch_2"]),
    authorized_amount=st.integers(0, 2500),
    captured_amount=st.integers(0, 2500),
    decline=st.builds(Decline, code=st.sampled_from(["generic_decline", "expired_card"])),
    snapshot=snapshots,
    receipt_url=st.sampled_from([None, "https://receipts/1"]),
    source=st.just(SyncSource.WEBHOOK),  # An answer to a call may open a failed payment again.
    event_id=st.sampled_from([None, "evt_1", "evt_2"]),
)


class TestAnyNews:
    @given(st.lists(outcomes, max_size=8), outcomes)
    def test_told_twice_changes_nothing_the_second_time(self, before: list[Outcome], news: Outcome) -> None:
        once = told(a_payment(), before).settle(news, at=NOON)

        assert once.settle(news, at=NOON) is once

    @given(st.lists(outcomes, max_size=8), outcomes)
    def test_never_leads_back(self, before: list[Outcome], news: Outcome) -> None:
        known = told(a_payment(), before)

        settled = known.settle(news, at=NOON)

        assert settled.status is known.status or settled.status in SUCCESSORS[known.status]
        assert settled.captured_amount >= known.captured_amount
        assert settled.authorized_amount >= known.authorized_amount
        assert settled.processor_payment_id == "pi_1"

    @given(st.lists(outcomes, min_size=1, max_size=8))
    def test_keeps_what_the_database_insists_on(self, news: list[Outcome]) -> None:
        settled = told(a_payment(), news)

        assert (settled.status is PaymentStatus.COMPLETED) == (settled.completed_at is not None)
        assert settled.status is not PaymentStatus.FAILED or settled.decline_code is not None
        assert settled.version >= 1

    def test_a_status_follows_only_those_of_lower_rank(self) -> None:
        ended = {status for status, successors in SUCCESSORS.items() if not successors}

        assert ended == {PaymentStatus.COMPLETED, PaymentStatus.CANCELLED}
        assert {status for status in PaymentStatus if a_payment(status=status).is_open} == set(
            PaymentStatus
        ) - ended
        for status, successors in SUCCESSORS.items():
            assert all(status not in SUCCESSORS[successor] for successor in successors)
