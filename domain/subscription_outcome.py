"""The processor's answer to a command about a subscription."""

from dataclasses import dataclass
from typing import Self

from domain.decline import Decline
from domain.payment_status import PaymentStatus
from domain.subscription import SubscriptionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOutcome:
    """How the subscription stands after the command, and why money that it asked for was not collected."""

    facts: SubscriptionFacts
    decline: Decline | None = None

    @classmethod
    def told_by(cls, facts: SubscriptionFacts) -> Self:
        """Where the latest invoice was tried in vain, that is the command's own failure."""
        payment = facts.latest_invoice.payment if facts.latest_invoice else None
        has_failed = payment is not None and payment.status is PaymentStatus.FAILED
        return cls(facts=facts, decline=payment.decline if payment and has_failed else None)
