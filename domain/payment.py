"""
Payments: what may follow what, and how the processor's word changes one.

Progress has a rank. News that ranks lower than what is known is late and changes nothing, so that every
order of the same news ends in the same state. FAILED ranks below success, because the customer may try the
same payment again with another card.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Self
from uuid import UUID

from domain.currency import CURRENCIES, Currency
from domain.decline import Decline
from domain.errors import StateConflict
from domain.json_value import JsonObject, JsonValue
from domain.outcome import Outcome
from domain.payment_failure import PaymentFailure, failure_in
from domain.payment_method import MethodSnapshot, PaymentMethodType
from domain.payment_status import (
    ACTIONS,
    COLLECTED,
    PAYS,
    SUCCESSORS,
    TRYING,
    UNDER_WAY,
    CaptureMethod,
    PaymentAction,
    PaymentStatus,
    PaymentTrigger,
    SyncSource,
)
from domain.refund import RefundSums

SNAPSHOT: Final = tuple(part.name for part in fields(MethodSnapshot))

_purchase: Final = attrgetter("amount", "currency", "media_item_id", "description", "details")
"""What tells one purchase from another; the method does not, since two of them may pay for the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """
    Money collected, or not, from one billing account. Amounts are minor units of `currency`.

    `plan_id` is the plan that it pays for; `failures` are the attempts that failed, as we heard of them.
    """

    id: UUID
    user_id: UUID
    status: PaymentStatus
    trigger: PaymentTrigger
    livemode: bool
    version: int = 1
    amount: int
    currency: str
    authorized_amount: int = 0
    captured_amount: int = 0
    refunded_amount: int = 0
    refund_pending_amount: int = 0
    disputed_amount: int = 0
    capture_method: CaptureMethod
    description: str | None = None
    details: JsonObject = field(default_factory=dict)
    media_item_id: str | None = None
    subscription_id: UUID | None = None
    invoice_id: UUID | None = None
    plan_id: UUID | None = None
    payment_method_id: UUID | None = None
    processor_customer_id: str
    processor_method_id: str | None = None
    processor_payment_id: str | None = None
    processor_charge_id: str | None = None
    method_type: PaymentMethodType | None = None
    method_brand: str | None = None
    method_last4: str | None = None
    method_exp_month: int | None = None
    method_exp_year: int | None = None
    method_wallet: str | None = None
    method_country: str | None = None
    decline_code: str | None = None
    decline_advice: str | None = None
    failures: list[JsonValue] = field(default_factory=list)
    receipt_url: str | None = None
    last_event_id: str | None = None
    synced_by: SyncSource = SyncSource.API_CALL
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the processor may still change it without being asked."""
        return bool(SUCCESSORS[self.status])

    @property
    def currency_rule(self) -> Currency:
        return CURRENCIES[self.currency]

    @property
    def actions(self) -> tuple[PaymentAction, ...]:
        """
        What never reached the processor cannot be tried again there.

        What an invoice asks for is tried again, and ends, with the invoice: by `retryRenewal`, which counts.
        """
        if self.status is PaymentStatus.FAILED and self.processor_payment_id is None:
            return (PaymentAction.CANCEL,)
        if self.is_collected and self.refundable_amount == 0:
            return ()
        allowed = ACTIONS[self.status]
        if self.invoice_id is not None:
            return tuple(each for each in allowed if each is PaymentAction.REFUND)
        return allowed

    @property
    def is_collected(self) -> bool:
        return self.status in COLLECTED

    def is_likely_duplicate_of(self, earlier: Self) -> bool:
        """Whether it asks for the very same that the earlier one pays for, or may pay for: that is not known yet."""
        is_unknown = earlier.status is PaymentStatus.PENDING and earlier.processor_payment_id is None
        may_pay = earlier.invoice_id is None and (earlier.status in PAYS or is_unknown)
        return may_pay and _purchase(self) == _purchase(earlier)

    @property
    def is_disputed(self) -> bool:
        """Whether its payer's bank holds some of it, for now or for good."""
        return self.disputed_amount > 0

    @property
    def refundable_amount(self) -> int:
        """What may still be refunded; nothing while it is disputed, since the bank would give it back twice."""
        if self.is_disputed or not self.is_collected:
            return 0
        return self.captured_amount - self.refunded_amount - self.refund_pending_amount

    @property
    def decline(self) -> Decline | None:
        if self.decline_code is None:
            return None
        return Decline(code=self.decline_code, network_advice=self.decline_advice)

    @property
    def failed_attempts(self) -> Sequence[PaymentFailure]:
        """In the order in which we heard of them."""
        return [PaymentFailure.read(record) for record in self.failures if isinstance(record, dict)]

    @property
    def method_snapshot(self) -> MethodSnapshot | None:
        if self.method_type is None:
            return None
        told: dict[str, Any] = {name: getattr(self, f"method_{name}") for name in SNAPSHOT}
        return MethodSnapshot(**told)

    def must_allow(self, *wanted: PaymentAction) -> None:
        """Raises StateConflict unless one of the wanted actions may be done now."""
        if not set(wanted) & set(self.actions):
            raise StateConflict(
                f"A payment that is {self.status} does not allow this.",
                current=self.status,
                allowed=self.actions,
                path=("payment_id",),
            )

    def reopened(self, *, method_id: UUID | None, processor_method_id: str | None, at: datetime) -> Self:
        """A fresh attempt, perhaps with another method; the former decline stays visible until it is answered."""
        return replace(
            self,
            status=PaymentStatus.PENDING,
            payment_method_id=method_id or self.payment_method_id,
            processor_method_id=processor_method_id or self.processor_method_id,
            version=self.version + 1,
            updated_at=at,
        )

    def doubts(self, outcome: Outcome) -> bool:
        """
        Whether this would change how the running attempt stands, and may be about an earlier one.

        An event tells how things were. Only a first attempt can be about nothing but itself, unless it tells of a
        failure: of those we may have missed some.
        """
        if outcome.is_current or outcome.status not in TRYING:
            return False
        if outcome.status is PaymentStatus.FAILED:
            return outcome.status in SUCCESSORS[self.status]
        may_go_on = outcome.status in SUCCESSORS[self.status] or self.status is PaymentStatus.FAILED
        return may_go_on and bool(self.failures)

    def settle(self, outcome: Outcome, *, at: datetime) -> Self:
        """Take the processor's word; a late or repeated one changes nothing."""
        told = self._with_amounts(outcome)
        if self._is_news(outcome):
            told = told._in_status(outcome, at=at)._with_charge(outcome)
        elif self._is_about_its_charge(outcome):
            told = told._with_charge(outcome)
        told = told._with_collected_status()._with_failure(outcome, at=at)
        if told == self:
            return self
        return replace(
            told,
            version=self.version + 1,
            updated_at=at,
            synced_by=outcome.source,
            last_event_id=outcome.event_id or self.last_event_id,
        )

    def remembering(self, outcome: Outcome, *, at: datetime) -> Self:
        """With a failed attempt that another one has followed since, which is how the payment stands."""
        told = self._with_failure(outcome, at=at)
        return self if told == self else replace(told, version=self.version + 1, updated_at=at)

    def with_refunds(self, sums: RefundSums, *, at: datetime) -> Self:
        """
        With what its refunds come to, bounded by what was collected.

        They may come to more for a while: where one has failed already, or the collection is not known in full yet,
        and where a refund was made elsewhere of what was reserved here.
        """
        refunded = min(sums.refunded, self.captured_amount)
        told = replace(
            self,
            refunded_amount=refunded,
            refund_pending_amount=min(sums.pending, self.captured_amount - refunded),
        )._with_collected_status()
        if told == self:
            return self
        return replace(told, version=self.version + 1, updated_at=at)

    def with_disputes(self, disputed: int, *, at: datetime) -> Self:
        """With the amount that its payer's bank holds."""
        if disputed == self.disputed_amount:
            return self
        return replace(self, disputed_amount=disputed, version=self.version + 1, updated_at=at)

    def _with_collected_status(self) -> Self:
        """How much of what was collected was given back decides among the states of a collected payment."""
        if not self.is_collected:
            return self
        if self.refunded_amount == 0:
            is_known = self.status is PaymentStatus.COMPLETED
            return self if is_known else replace(self, status=PaymentStatus.COMPLETED)
        is_all = self.refunded_amount >= self.captured_amount
        return replace(self, status=PaymentStatus.REFUNDED if is_all else PaymentStatus.PARTIALLY_REFUNDED)

    def _is_news(self, outcome: Outcome) -> bool:
        may_follow = outcome.status in SUCCESSORS[self.status] or self._is_open_again(outcome)
        return may_follow and not self._knows_failure(outcome)

    def _is_open_again(self, outcome: Outcome) -> bool:
        """An answer to a call tells how things are now; an event may tell how they were."""
        return self.status is PaymentStatus.FAILED and outcome.is_current and outcome.status in UNDER_WAY

    def _knows_failure(self, outcome: Outcome) -> bool:
        """Whether this is the failure of the attempt before the one that we are about to make, told again."""
        return (
            self.status is PaymentStatus.PENDING
            and outcome.status is PaymentStatus.FAILED
            and outcome.charge_id is not None
            and outcome.charge_id == self.processor_charge_id
        )

    def _is_about_its_charge(self, outcome: Outcome) -> bool:
        """
        Whether late news is a fact about the charge that we know, or about the first that we hear of.

        The failure of another attempt is not: its card does not belong to the reason that we know.
        """
        if outcome.charge_id is None:
            return outcome.status is self.status
        if self.status is outcome.status is PaymentStatus.FAILED and outcome.decline != self.decline:
            return False
        return self.processor_charge_id in {None, outcome.charge_id}

    def _with_amounts(self, outcome: Outcome) -> Self:
        """Amounts only grow, so the order in which they are told does not matter."""
        return replace(
            self,
            processor_payment_id=self.processor_payment_id or outcome.processor_payment_id,
            processor_method_id=self.processor_method_id or outcome.processor_method_id,
            authorized_amount=max(self.authorized_amount, outcome.authorized_amount),
            captured_amount=max(self.captured_amount, outcome.captured_amount),
        )

    def _in_status(self, outcome: Outcome, *, at: datetime) -> Self:
        decline = outcome.decline if outcome.status is PaymentStatus.FAILED else None
        return replace(
            self,
            status=outcome.status,
            decline_code=decline.code if decline else None,
            decline_advice=decline.network_advice if decline else None,
            completed_at=at if outcome.status is PaymentStatus.COMPLETED else None,
        )

    def _with_failure(self, outcome: Outcome, *, at: datetime) -> Self:
        """Every failed attempt once, also one that we hear of too late for it to change anything else."""
        failure = failure_in(outcome, trigger=self.trigger, at=at)
        if failure is None or failure.attempt in {known.attempt for known in self.failed_attempts}:
            return self
        return replace(self, failures=[*self.failures, failure.record()])

    def _with_charge(self, outcome: Outcome) -> Self:
        """The card and the receipt of the attempt that led to this status; another attempt's are dropped."""
        is_same = outcome.charge_id in {None, self.processor_charge_id}
        snapshot = outcome.snapshot or (self.method_snapshot if is_same else None)
        method: dict[str, Any] = {f"method_{name}": getattr(snapshot, name, None) for name in SNAPSHOT}
        return replace(
            self,
            processor_charge_id=outcome.charge_id or self.processor_charge_id,
            receipt_url=outcome.receipt_url or (self.receipt_url if is_same else None),
            **method,
        )
