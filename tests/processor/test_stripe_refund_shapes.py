"""Stripe's refunds and disputes in our words, those of today and those that may come."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.dispute import DisputeStatus
from domain.events import DisputeChanged, RefundReported, RefundsChanged, Unhandled
from domain.identity import new_id
from domain.refund import RefundReason, RefundStatus
from processor.stripe_events import StripeNews
from processor.stripe_refund_shapes import dispute_facts, is_release, refund_facts
from tests.domain.values import inbox_event, stripe_event

OURS = {"refund_id": str(new_id()), "payment_id": str(new_id())}


def a_refund(**changes: Any) -> dict[str, Any]:
    """10.00 USD on its way back."""
    refund: dict[str, Any] = stripe_event("refund.created", **changes)["data"]["object"]
    return refund


def a_dispute(**changes: Any) -> dict[str, Any]:
    dispute: dict[str, Any] = stripe_event("charge.dispute.created", **changes)["data"]["object"]
    return dispute


class TestEvents:
    @pytest.mark.parametrize("name", ["refund.created", "refund.failed", "charge.refund.updated"])
    def test_about_a_refund_of_ours_tell_all_there_is_to_know(self, name: str) -> None:
        event = inbox_event(stripe_event(name, metadata=OURS))

        news = StripeNews([]).read(event)

        assert isinstance(news, RefundReported)
        assert str(news.payment_id) == OURS["payment_id"]
        assert news.facts.event_id == event.processor_event_id
        assert news.facts.occurred_at == event.occurred_at

    @pytest.mark.parametrize(
        "name", ["refund.created", "refund.updated", "charge.refunded.full", "charge.refunded.partial"]
    )
    def test_about_what_others_gave_back_are_hints(self, name: str) -> None:
        news = StripeNews([]).read(inbox_event(stripe_event(name)))

        assert news == RefundsChanged(processor_payment_id="pi_SampleIntent000000001")

    @pytest.mark.parametrize("name", ["created", "updated", "closed.won", "closed.lost", "funds_withdrawn"])
    def test_about_a_dispute_are_hints(self, name: str) -> None:
        news = StripeNews([]).read(inbox_event(stripe_event(f"charge.dispute.{name}")))

        assert news == DisputeChanged(
            processor_dispute_id="dp_SampleDispute0000001", processor_payment_id="pi_SampleIntent000000001"
        )

    @pytest.mark.parametrize("name", ["refund.created", "charge.refunded.full", "charge.dispute.created"])
    def test_about_a_charge_without_an_intent_are_not_ours(self, name: str) -> None:
        event = inbox_event(stripe_event(name, payment_intent=None, metadata=OURS))

        assert isinstance(StripeNews([]).read(event), Unhandled)


class TestRefundFacts:
    def test_name_the_refund_its_payment_and_its_charge(self) -> None:
        facts = refund_facts(a_refund(metadata=OURS))

        assert str(facts.refund_id) == OURS["refund_id"]
        assert facts.processor_refund_id == "re_SampleRefund00000001"
        assert facts.processor_payment_id == "pi_SampleIntent000000001"
        assert facts.charge_id == "ch_SampleCharge000000001"
        assert (facts.amount, facts.currency) == (1000, "USD")

    def test_name_them_when_they_are_expanded_too(self) -> None:
        facts = refund_facts(a_refund(charge={"id": "ch_1"}, payment_intent={"id": "pi_1"}))

        assert (facts.charge_id, facts.processor_payment_id) == ("ch_1", "pi_1")

    @pytest.mark.parametrize(
        ("told", "status"),
        [
            ("succeeded", RefundStatus.SUCCEEDED),
            ("failed", RefundStatus.FAILED),
            ("canceled", RefundStatus.CANCELLED),
            ("pending", RefundStatus.PENDING),
            ("requires_action", RefundStatus.PENDING),
            ("on_its_way_to_mars", RefundStatus.PENDING),
            (None, RefundStatus.PENDING),
        ],
    )
    def test_take_an_unknown_status_for_one_that_waits(self, told: str | None, status: RefundStatus) -> None:
        assert refund_facts(a_refund(status=told)).status is status

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            ("duplicate", RefundReason.DUPLICATE),
            ("requested_by_customer", RefundReason.CUSTOMER_REQUEST),
            (None, RefundReason.OTHER),
            ("a_new_one", RefundReason.OTHER),
        ],
    )
    def test_take_an_unknown_reason_for_another(self, told: str | None, reason: RefundReason) -> None:
        assert refund_facts(a_refund(reason=told)).reason is reason

    def test_of_somebody_elses_refund_name_none_of_ours(self) -> None:
        assert refund_facts(a_refund(metadata={"refund_id": "17"})).refund_id is None
        assert refund_facts(a_refund()).refund_id is None


class TestRelease:
    """https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""

    UNCAPTURED = {"id": "ch_1", "captured": False, "amount": 1000, "amount_captured": 0}
    CAPTURED = {"id": "ch_1", "captured": True, "amount": 2500, "amount_captured": 2500}
    PART_CAPTURED = {"id": "ch_1", "captured": True, "amount": 2500, "amount_captured": 1500}
    DONE = {"status": "succeeded"}

    @pytest.mark.parametrize(
        ("changes", "is_one"),
        [
            ({"charge": UNCAPTURED}, True),
            ({"charge": CAPTURED, "reason": "expired_uncaptured_charge"}, True),
            ({"charge": PART_CAPTURED, **DONE}, True),
            ({"charge": PART_CAPTURED, **DONE, "balance_transaction": "txn_1"}, False),
            ({"charge": PART_CAPTURED, **DONE, "amount": 999}, False),
            ({"charge": PART_CAPTURED, **DONE, "metadata": OURS}, False),
            ({"charge": PART_CAPTURED}, False),
            ({"charge": CAPTURED, **DONE}, False),
            ({"charge": "ch_1"}, False),
        ],
    )
    def test_gives_back_what_was_only_authorised(self, changes: dict[str, Any], is_one: bool) -> None:
        assert is_release(a_refund(**changes)) is is_one


class TestDisputeFacts:
    @pytest.mark.parametrize(
        ("told", "status"),
        [
            ("needs_response", DisputeStatus.NEEDS_RESPONSE),
            ("under_review", DisputeStatus.UNDER_REVIEW),
            ("won", DisputeStatus.WON),
            ("lost", DisputeStatus.LOST),
            ("appeal_needs_response", DisputeStatus.NEEDS_RESPONSE),
            ("appeal_under_review", DisputeStatus.UNDER_REVIEW),
            ("warning_needs_response", DisputeStatus.INQUIRY),
            ("warning_under_review", DisputeStatus.INQUIRY),
            ("warning_closed", DisputeStatus.CLOSED),
            ("prevented", DisputeStatus.PREVENTED),
            ("warning_of_a_new_kind", DisputeStatus.INQUIRY),
            ("in_arbitration", DisputeStatus.UNDER_REVIEW),
        ],
    )
    def test_take_an_unknown_status_for_one_in_which_the_bank_has_the_money(
        self, told: str, status: DisputeStatus
    ) -> None:
        assert dispute_facts(a_dispute(status=told)).status is status

    def test_take_prevention_that_took_money_for_a_loss(self) -> None:
        taken = [{"amount": -2500}]
        given_back = [*taken, {"amount": 2500}]

        lost = dispute_facts(a_dispute(status="prevented", balance_transactions=taken))
        prevented = dispute_facts(a_dispute(status="prevented", balance_transactions=given_back))

        assert (lost.status, prevented.status) == (DisputeStatus.LOST, DisputeStatus.PREVENTED)

    def test_tell_until_when_and_whether_it_was_answered(self) -> None:
        details = {"due_by": 1_723_679_999, "submission_count": 1}

        open_ = dispute_facts(a_dispute())
        answered = dispute_facts(a_dispute(status="under_review", evidence_details=details))
        escalated = dispute_facts(a_dispute(status="needs_response", evidence_details=details))

        assert open_.evidence_due_by == datetime(2024, 8, 14, 23, 59, 59, tzinfo=UTC)
        assert (open_.is_answered, answered.is_answered, escalated.is_answered) == (False, True, False)

    def test_tell_what_evidence_there_is(self) -> None:
        evidence = {"customer_name": "Ada", "product_description": None, "receipt": "file_1", "new": "x"}

        assert dispute_facts(a_dispute(evidence=evidence)).evidence == {"customer_name": "Ada"}

    def test_make_do_with_little(self) -> None:
        little = {"id": "du_1", "status": "lost", "amount": 1, "currency": "eur"}

        facts = dispute_facts(little)

        assert (facts.reason, facts.evidence_due_by, facts.evidence) == ("general", None, {})
