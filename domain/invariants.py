"""
What must hold of the money, whatever happened: each rule once, with its sentence.

Whoever writes holds to them; checking them anew, from the rows, finds what a defect or a hand at the database did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.json_value import JsonValue

YOUNG: Final = timedelta(hours=1)
"""How long the work on something may take before it counts as left behind: many of the worker's attempts."""
SHOWN: Final = 20
"""How many of the objects that break an invariant are named; all are counted."""


class InvariantName(StrEnum):
    PAYMENT_SUMS = "PAYMENT_SUMS"
    MONEY_BACK = "MONEY_BACK"
    INVOICES_PAID = "INVOICES_PAID"
    ONE_SUBSCRIPTION_PER_PLAN = "ONE_SUBSCRIPTION_PER_PLAN"
    ACCESS_BY_PURCHASE = "ACCESS_BY_PURCHASE"
    ACCESS_BY_SUBSCRIPTION = "ACCESS_BY_SUBSCRIPTION"
    OPERATIONS_END = "OPERATIONS_END"
    EVENTS_HANDLED = "EVENTS_HANDLED"
    STATISTICS_ADD_UP = "STATISTICS_ADD_UP"
    AUDIT_TRAIL_AGREES = "AUDIT_TRAIL_AGREES"


class Subject(StrEnum):
    """What a violation is about."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    SUBSCRIPTION = "SUBSCRIPTION"
    INVOICE = "INVOICE"
    OPERATION = "OPERATION"
    WEBHOOK_EVENT = "WEBHOOK_EVENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold, and what is said of an object for which it does not, with the facts that were found."""

    description: str
    sentence: str


RULES: Final[Mapping[InvariantName, Rule]] = {
    InvariantName.PAYMENT_SUMS: Rule(
        description="What a payment says of refunds and disputes is what the rows of its refunds and disputes come to.",
        sentence="It is {status} with {refunded} refunded, {pending} on its way back and {disputed} disputed; its "
        "refunds and disputes come to {refunds}, {refunds_pending} and {disputes} (minor units of {currency}).",
    ),
    InvariantName.MONEY_BACK: Rule(
        description="No more goes back of a payment than was collected: refunds that succeeded and what disputes "
        "withhold are covered.",
        sentence="{captured} was collected, {refunded} refunded, and disputes withhold {disputed} "
        "(minor units of {currency}).",
    ),
    InvariantName.INVOICES_PAID: Rule(
        description="What was paid of an invoice is what its payments have collected, once for each, "
        "and an invoice that was paid is PAID.",
        sentence="It is {status} with {paid} paid; its payments have collected {collected} "
        "(minor units of {currency}).",
    ),
    InvariantName.ONE_SUBSCRIPTION_PER_PLAN: Rule(
        description="A user has one live subscription to a plan, and pays for it once.",
        sentence="User {user_id} has another live subscription to plan {plan_id}.",
    ),
    InvariantName.ACCESS_BY_PURCHASE: Rule(
        description="A media item is its buyer's from the payment's collection on, until the money has gone back.",
        sentence="The payment is {status}; access by it is {access}, and should be {rightful}.",
    ),
    InvariantName.ACCESS_BY_SUBSCRIPTION: Rule(
        description="A subscription gives access to its plan's features for as long as was paid for, "
        "and to nothing else.",
        sentence="Access is not what was paid for: {features}.",
    ),
    InvariantName.OPERATIONS_END: Rule(
        description="Every operation has ended, or began less than an hour ago.",
        sentence="{mutation} is {state} since {started_at}, after {attempts} attempts.",
    ),
    InvariantName.EVENTS_HANDLED: Rule(
        description="Every stored event of Stripe's was handled, or came in less than an hour ago.",
        sentence="{processor_event_id} ({type}) is {status} since {received_at}, after {attempts} attempts.",
    ),
    InvariantName.STATISTICS_ADD_UP: Rule(
        description="The statistics' sums are what the payments, refunds and disputes come to.",
        sentence="In {currency} (livemode: {livemode}), sums of {grain} minutes: {stored} are stored, {counted} are "
        "counted (payments made, collected, refunded, withheld).",
    ),
    InvariantName.AUDIT_TRAIL_AGREES: Rule(
        description="The status of every payment, refund, dispute, subscription and invoice is the one that the audit "
        "trail tells last.",
        sentence="Its status is {status}, where the audit trail has {recorded}.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """An object that breaks an invariant, and the facts that its sentence names. Sums are no objects."""

    subject: Subject | None = None
    object_id: UUID | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """How many there are, and the first few, by subject and id."""

    count: int = 0
    first: Sequence[Breach] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An object that breaks an invariant, and how."""

    subject: Subject | None
    object_id: UUID | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyInvariant:
    """A rule, and whether it held when it was checked; `violations` are the first of all `violation_count`."""

    name: InvariantName
    description: str
    checked_at: datetime
    violation_count: int
    violations: Sequence[Violation]

    @property
    def holds(self) -> bool:
        return self.violation_count == 0

    def record(self) -> dict[str, JsonValue]:
        """For machines: what `payments-gateway invariants --json` prints."""
        return {
            "invariant": self.name.value,
            "description": self.description,
            "checked_at": self.checked_at.isoformat(),
            "holds": self.holds,
            "violation_count": self.violation_count,
            "violations": [
                {
                    "subject": each.subject.value if each.subject else None,
                    "id": str(each.object_id) if each.object_id else None,
                    "message": each.message,
                }
                for each in self.violations
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantCheck:
    """How an invariant stood when it was last checked for the record, which metrics tell."""

    invariant: str
    violations: int
    checked_at: datetime


def judged(name: InvariantName, found: Breaches, *, at: datetime) -> MoneyInvariant:
    """The invariant with what was found to break it."""
    rule = RULES[name]
    return MoneyInvariant(
        name=name,
        description=rule.description,
        checked_at=at,
        violation_count=found.count,
        violations=[
            Violation(
                subject=each.subject,
                object_id=each.object_id,
                message=rule.sentence.format_map({fact: told(value) for fact, value in each.facts.items()}),
            )
            for each in found.first
        ],
    )


def told(value: object) -> str:
    """As a sentence has it."""
    match value:
        case None:
            return "nothing"
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return str(value)
