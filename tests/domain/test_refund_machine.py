"""Any story of captures, refunds, failures, disputes and a Dashboard: what we know in the end is what happened."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.actor import SYSTEM, Actor, Role
from domain.commands.command import Step
from domain.commands.refunds import RefundPayment
from domain.dispute import HOLDS_MONEY, DisputeFacts, DisputeStatus
from domain.dispute_settlement import settle_dispute
from domain.errors import DomainError
from domain.identity import new_id
from domain.money import Money
from domain.outcome import Outcome
from domain.payment_status import PaymentStatus
from domain.refund import Refund, RefundFacts, RefundReason, RefundStatus
from domain.refund_settlement import give_up_refund, settle_refund
from domain.rules import Rules
from domain.settlement import settle
from tests.domain.memory import Ledger, is_sound, run
from tests.domain.values import NOON, a_payment

ADMIN = Actor(role=Role.ADMIN, user_id=new_id())
COUNTING = {RefundStatus.PENDING, RefundStatus.SUCCEEDED}

Letter = Callable[["TakingBack"], None]
"""A piece of news on its way to us."""


@dataclass(kw_only=True)
class Stripe:
    """What really happened, in minor units."""

    captured: int = 0
    refunds: dict[str, RefundFacts] = field(default_factory=dict)
    disputes: dict[str, DisputeFacts] = field(default_factory=dict)

    @property
    def left(self) -> int:
        counting = (refund.amount for refund in self.refunds.values() if refund.status in COUNTING)
        return self.captured - sum(counting)

    @property
    def held(self) -> int:
        return sum(each.amount for each in self.disputes.values() if each.status in HOLDS_MONEY)

    def sum_of(self, status: RefundStatus) -> int:
        return sum(refund.amount for refund in self.refunds.values() if refund.status is status)


class TakingBack(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(a_payment(processor_payment_id="pi_1"))
        self.stripe = Stripe()
        self.mail: list[Letter] = []
        self.waiting: list[Refund] = []

    @property
    def payment_id(self) -> UUID:
        return self.ledger.payment.id

    @precondition(lambda self: self.stripe.captured == 0)
    @rule(amount=st.integers(1, 2500))
    def capture(self, amount: int) -> None:
        self.stripe.captured = amount
        outcome = Outcome(
            status=PaymentStatus.COMPLETED,
            charge_id="ch_1",
            authorized_amount=2500,
            captured_amount=amount,
        )
        self.mail.append(lambda us: us.hear_of_payment(outcome))

    @rule(minor=st.none() | st.integers(-1, 2600))
    def ask_for_a_refund(self, minor: int | None) -> None:
        amount = None if minor is None else Money(minor=minor, currency="USD")
        command = RefundPayment(payment_id=self.payment_id, amount=amount, reason=RefundReason.OTHER)
        step = Step(rules=Rules(), work=self.ledger.work, at=NOON, by=ADMIN, is_live=False)
        known = self.ledger.payment.refundable_amount
        try:
            _, reserved = run(command.intend(step))
        except DomainError:
            assert known == 0 or (minor is not None and not 0 < minor <= known)
        else:
            self.waiting.append(reserved.refund)

    @precondition(lambda self: self.waiting)
    @rule(is_late=st.booleans(), is_answered=st.booleans())
    def reach_stripe(self, is_late: bool, is_answered: bool) -> None:
        """Stripe refuses what is no longer there; an answer that gets lost is told by news."""
        refund = self.waiting.pop(0)
        if refund.amount > self.stripe.left or self.stripe.held:
            run(give_up_refund(self.ledger.work, refund, "refused", at=NOON, by=ADMIN))
            return
        status = RefundStatus.PENDING if is_late else RefundStatus.SUCCEEDED
        facts = self.made(refund.amount, status, refund_id=refund.id)
        if is_answered:
            self.hear_of_refund(facts)

    @precondition(lambda self: self.stripe.left > 0 and not self.stripe.held)
    @rule(data=st.data())
    def refund_in_the_dashboard(self, data: st.DataObject) -> None:
        self.made(data.draw(st.integers(1, self.stripe.left)), RefundStatus.SUCCEEDED)

    @precondition(lambda self: self.stripe.refunds)
    @rule(data=st.data(), has_failed=st.booleans())
    def settle_at_the_bank(self, data: st.DataObject, has_failed: bool) -> None:
        refund = self.stripe.refunds[data.draw(st.sampled_from(sorted(self.stripe.refunds)))]
        if refund.status is RefundStatus.PENDING and not has_failed:
            self.moved(refund, RefundStatus.SUCCEEDED)
        elif refund.status in COUNTING and has_failed:
            self.moved(refund, RefundStatus.FAILED)

    @precondition(lambda self: self.stripe.left > 0)
    @rule(is_inquiry=st.booleans())
    def dispute(self, is_inquiry: bool) -> None:
        status = DisputeStatus.INQUIRY if is_inquiry else DisputeStatus.NEEDS_RESPONSE
        number = len(self.stripe.disputes)
        facts = DisputeFacts(
            processor_dispute_id=f"du_{number}",
            status=status,
            amount=self.stripe.left,
            currency="USD",
            reason="fraudulent",
        )
        self.decided(facts)

    @precondition(lambda self: self.stripe.disputes)
    @rule(data=st.data(), status=st.sampled_from(sorted(DisputeStatus)))
    def decide_a_dispute(self, data: st.DataObject, status: DisputeStatus) -> None:
        which = data.draw(st.sampled_from(sorted(self.stripe.disputes)))
        self.decided(replace(self.stripe.disputes[which], status=status))

    @precondition(lambda self: self.mail)
    @rule(data=st.data(), comes_again=st.booleans())
    def deliver(self, data: st.DataObject, comes_again: bool) -> None:
        number = data.draw(st.integers(0, len(self.mail) - 1))
        letter = self.mail[number] if comes_again else self.mail.pop(number)
        letter(self)

    @invariant()
    def keeps_what_the_database_insists_on(self) -> None:
        payment = self.ledger.payment
        assert is_sound(payment)
        refunds = self.ledger.all_refunds
        known = amount_in(refunds, RefundStatus.SUCCEEDED)
        assert payment.refunded_amount == min(known, payment.captured_amount)
        assert payment.refund_pending_amount <= amount_in(refunds, RefundStatus.PENDING)

    def teardown(self) -> None:
        while self.waiting:
            self.reach_stripe(is_late=False, is_answered=False)
        for letter in reversed(self.mail):
            letter(self)
        payment, stripe = self.ledger.payment, self.stripe
        assert payment.captured_amount == stripe.captured
        assert payment.refunded_amount == stripe.sum_of(RefundStatus.SUCCEEDED)
        assert payment.refund_pending_amount == stripe.sum_of(RefundStatus.PENDING)
        assert payment.disputed_amount == stripe.held
        assert payment.status is implied(stripe)
        assert {refund.processor_refund_id for refund in self.ledger.all_refunds} - {None} == set(
            stripe.refunds
        )

    def made(self, amount: int, status: RefundStatus, *, refund_id: UUID | None = None) -> RefundFacts:
        facts = RefundFacts(
            refund_id=refund_id,
            processor_refund_id=f"re_{len(self.stripe.refunds)}",
            processor_payment_id="pi_1",
            charge_id="ch_1",
            status=status,
            amount=amount,
            currency="USD",
            reason=RefundReason.OTHER,
        )
        return self.told(facts)

    def moved(self, refund: RefundFacts, status: RefundStatus) -> RefundFacts:
        return self.told(replace(refund, status=status))

    def told(self, facts: RefundFacts) -> RefundFacts:
        self.stripe.refunds[facts.processor_refund_id] = facts
        self.mail.append(lambda us: us.hear_of_refund(facts))
        return facts

    def decided(self, facts: DisputeFacts) -> None:
        """Who hears of a dispute reads it as it is by then. One that takes the money ends what was under way."""
        self.stripe.disputes[facts.processor_dispute_id] = facts
        self.mail.append(lambda us: us.hear_of_dispute(facts.processor_dispute_id))
        if facts.status in HOLDS_MONEY:
            for refund in list(self.stripe.refunds.values()):
                if refund.status is RefundStatus.PENDING:
                    self.moved(refund, RefundStatus.FAILED)

    def hear_of_payment(self, outcome: Outcome) -> None:
        run(settle(self.ledger.work, self.payment_id, outcome, at=NOON, by=SYSTEM))

    def hear_of_refund(self, facts: RefundFacts) -> None:
        run(settle_refund(self.ledger.work, self.payment_id, facts, at=NOON, by=SYSTEM))

    def hear_of_dispute(self, dispute_id: str) -> None:
        facts = self.stripe.disputes[dispute_id]
        run(settle_dispute(self.ledger.work, self.payment_id, facts, at=NOON, by=SYSTEM))


def amount_in(refunds: list[Refund], status: RefundStatus) -> int:
    return sum(refund.amount for refund in refunds if refund.status is status)


def implied(stripe: Stripe) -> PaymentStatus:
    """The state that the facts imply."""
    if stripe.captured == 0:
        return PaymentStatus.PENDING
    refunded = stripe.sum_of(RefundStatus.SUCCEEDED)
    if refunded == 0:
        return PaymentStatus.COMPLETED
    return PaymentStatus.REFUNDED if refunded == stripe.captured else PaymentStatus.PARTIALLY_REFUNDED


TestTakingBack: Any = TakingBack.TestCase
TestTakingBack.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
