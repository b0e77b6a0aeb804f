"""A payment's life with a refund and a dispute in it, told in every order: always the same end."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import permutations
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actor import SYSTEM
from domain.dispute import DisputeFacts, DisputeStatus
from domain.dispute_settlement import settle_dispute
from domain.events import RefundReported
from domain.identity import new_id
from domain.outcome import Outcome
from domain.payment_status import PaymentStatus
from domain.refund import Refund, RefundFacts, RefundOrigin, RefundReason, RefundStatus
from domain.refund_settlement import settle_refund
from domain.settlement import settle
from processor.stripe_events import StripeNews
from tests.domain.memory import Ledger, is_sound, run
from tests.domain.values import NOON, OWNER, a_payment, inbox_event, outcome_in, stripe_event

TELLING: Final = {
    "id",
    "version",
    "readings",
    "updated_at",
    "synced_by",
    "last_event_id",
    "history",
    "evidence_draft",
}
"""Fields that say how and when we learned it, which the order may well change, and ids of ours."""
REFUND_ID: Final = new_id()
PAYMENT_ID: Final = new_id()


@dataclass(frozen=True, kw_only=True)
class DisputeRead:
    """An event about a dispute makes us read it, and everybody who reads it finds it as it is by then."""

    facts: DisputeFacts


News: TypeAlias = Outcome | RefundFacts | DisputeRead


def refund_in(name: str, *, is_ours: bool = True, **changes: Any) -> RefundFacts:
    """What a sample event says of its refund, of ours or of one that was made in Stripe's Dashboard."""
    ids = {"refund_id": str(REFUND_ID), "payment_id": str(PAYMENT_ID)}
    news = StripeNews([]).read(inbox_event(stripe_event(name, **{"metadata": ids, **changes})))
    assert isinstance(news, RefundReported)
    if is_ours:
        return news.facts
    told = {**asdict(news.facts), "refund_id": None, "processor_refund_id": "re_dashboard"}
    return RefundFacts(**told)


def dispute(status: DisputeStatus) -> DisputeRead:
    return DisputeRead(
        facts=DisputeFacts(
            processor_dispute_id="du_1", status=status, amount=1500, currency="USD", reason="fraudulent"
        )
    )


CREATED = outcome_in("payment_intent.created")
PROCESSING = outcome_in("payment_intent.processing")
DECLINED = outcome_in(
    "payment_intent.payment_failed",
    latest_charge="ch_SampleCharge000000000",
    last_payment_error={"type": "card_error", "code": "expired_card"},
)
CHARGED = outcome_in("charge.succeeded")
SUCCEEDED = outcome_in("payment_intent.succeeded")

LIVES: Mapping[str, tuple[PaymentStatus, int, int, Sequence[News]]] = {
    "refunded in part, then the rest disputed": (
        PaymentStatus.PARTIALLY_REFUNDED,
        1000,
        1500,
        [
            CREATED,
            CHARGED,
            SUCCEEDED,
            refund_in("refund.created"),
            refund_in("charge.refund.updated"),
            dispute(DisputeStatus.LOST),
        ],
    ),
    "declined, paid with another card, refunded, and the refund sent back by the bank": (
        PaymentStatus.COMPLETED,
        0,
        0,
        [
            DECLINED,
            SUCCEEDED,
            refund_in("refund.created"),
            refund_in("refund.updated", status="succeeded"),
            refund_in("refund.failed"),
            dispute(DisputeStatus.WON),
        ],
    ),
    "refunded here and in the Dashboard": (
        PaymentStatus.REFUNDED,
        2500,
        0,
        [
            PROCESSING,
            CHARGED,
            SUCCEEDED,
            refund_in("refund.created", status="succeeded"),
            refund_in("refund.created", is_ours=False, amount=1500),
            refund_in("refund.updated", is_ours=False, amount=1500, status="succeeded"),
        ],
    ),
    "refunded in the Dashboard, in vain, while a dispute is open": (
        PaymentStatus.COMPLETED,
        0,
        1500,
        [
            CREATED,
            SUCCEEDED,
            refund_in("refund.created", is_ours=False),
            refund_in("refund.failed", is_ours=False),
            dispute(DisputeStatus.UNDER_REVIEW),
            CHARGED,
        ],
    ),
}


def fresh_ledger(*, with_refund: bool = True) -> Ledger:
    """A payment that nobody has heard of yet, and our refund of it, which Stripe has just been asked for."""
    ledger = Ledger(a_payment(id=PAYMENT_ID))
    refund = Refund(
        id=REFUND_ID,
        user_id=OWNER,
        payment_id=PAYMENT_ID,
        status=RefundStatus.PENDING,
        amount=1000,
        currency="USD",
        reason=RefundReason.GOODWILL,
        origin=RefundOrigin.API,
        revokes_access=True,
        created_at=NOON,
        updated_at=NOON,
    )
    if with_refund:
        ledger.refunds.rows[refund.id] = refund
    return ledger


def told(ledger: Ledger, news: Sequence[News]) -> Ledger:
    for each in news:
        match each:
            case Outcome():
                run(settle(ledger.work, PAYMENT_ID, each, at=NOON, by=SYSTEM))
            case RefundFacts():
                run(settle_refund(ledger.work, PAYMENT_ID, each, at=NOON, by=SYSTEM))
            case DisputeRead(facts=facts):
                run(settle_dispute(ledger.work, PAYMENT_ID, facts, at=NOON, by=SYSTEM))
    return ledger


def end(ledger: Ledger) -> str:
    things = [ledger.payment, *sorted(ledger.all_refunds, key=processor_id), *ledger.all_disputes]
    return repr([shown(thing) for thing in things])


def processor_id(refund: Refund) -> str:
    return refund.processor_refund_id or ""


def shown(thing: Any) -> dict[str, Any]:
    names = (part.name for part in fields(thing) if part.name not in TELLING)
    return {name: getattr(thing, name) for name in names}


class TestEveryOrder:
    @pytest.mark.parametrize(("status", "refunded", "disputed", "life"), LIVES.values(), ids=LIVES.keys())
    def test_ends_in_one_state(
        self, status: PaymentStatus, refunded: int, disputed: int, life: Sequence[News]
    ) -> None:
        ends = {end(told(fresh_ledger(), order)) for order in permutations(life)}

        assert len(ends) == 1
        payment = told(fresh_ledger(), life).payment
        assert (payment.status, payment.refunded_amount) == (status, refunded)
        assert (payment.disputed_amount, payment.captured_amount) == (disputed, 2500)
        assert payment.decline is None

    @pytest.mark.parametrize(("status", "refunded", "disputed", "life"), LIVES.values(), ids=LIVES.keys())
    def test_with_everything_told_twice_ends_in_the_same_state(
        self, status: PaymentStatus, refunded: int, disputed: int, life: Sequence[News]
    ) -> None:
        ends = {end(told(fresh_ledger(), (*order, *life))) for order in permutations(life)}

        assert ends == {end(told(fresh_ledger(), life))}


statuses = st.sampled_from(sorted(RefundStatus))


def facts(status: RefundStatus) -> RefundFacts:
    return RefundFacts(
        processor_refund_id="re_1",
        processor_payment_id="pi_1",
        charge_id="ch_1",
        status=status,
        amount=1000,
        currency="USD",
        reason=RefundReason.OTHER,
    )


class TestAnyNewsOfARefund:
    @given(st.lists(statuses, max_size=6), statuses)
    def test_told_twice_changes_nothing_the_second_time(
        self, before: list[RefundStatus], news: RefundStatus
    ) -> None:
        ledger = told(fresh_ledger(with_refund=False), [facts(status) for status in [*before, news]])
        payment, refunds = ledger.payment, ledger.all_refunds

        told(ledger, [facts(news)])

        assert ledger.payment == payment
        assert ledger.all_refunds == refunds

    @given(st.lists(statuses, min_size=1, max_size=6))
    def test_keeps_what_the_database_insists_on(self, news: list[RefundStatus]) -> None:
        payment = told(fresh_ledger(with_refund=False), [facts(status) for status in news]).payment

        assert is_sound(payment)

    def test_never_takes_a_refund_back_from_an_end(self) -> None:
        for last in (RefundStatus.FAILED, RefundStatus.CANCELLED):
            ledger = told(fresh_ledger(with_refund=False), [facts(last)])
            told(ledger, [facts(status) for status in RefundStatus])
            assert [refund.status for refund in ledger.all_refunds] == [last]
