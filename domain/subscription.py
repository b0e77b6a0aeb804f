"""
Subscriptions: a plan that is paid for period after period.

The processor runs them; ours are mirrors that name the user, the plan and the method in our ids. They go back and
forth (past due, active, past due), so the processor's news are hints: the subscription is read anew, and `readings`
tells whether somebody else did so meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.errors import StateConflict
from domain.invoice import BillingReason, InvoiceFacts
from domain.json_value import JsonObject, JsonValue
from domain.payment_status import SyncSource
from domain.subscription_status import (
    ACTIONS,
    ENDED,
    LIVE,
    OVERDUE,
    UNPAID_FOR,
    SubscriptionAction,
    SubscriptionStatus,
)

SKEW: Final = timedelta(minutes=5)
"""How far the processor's clock may be ahead of ours."""


class CancelTiming(StrEnum):
    NOW = "NOW"
    PERIOD_END = "PERIOD_END"


class CancelReason(StrEnum):
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    UNUSED = "UNUSED"
    MISSING_CONTENT = "MISSING_CONTENT"
    SWITCHED_SERVICE = "SWITCHED_SERVICE"
    TECHNICAL_PROBLEMS = "TECHNICAL_PROBLEMS"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFacts:
    """
    The processor's word about a subscription, read anew with its latest invoice.

    `subscription_id` is what we wrote into its metadata. Prices and methods go by the processor's ids.
    """

    processor_subscription_id: str
    subscription_id: UUID | None
    customer_id: str
    status: SubscriptionStatus
    livemode: bool
    processor_item_id: str
    processor_price_id: str
    processor_schedule_id: str | None = None
    pending_price_id: str | None = None
    processor_method_id: str | None = None
    current_period_start: datetime
    current_period_end: datetime
    trial_ends_at: datetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: CancelReason | None = None
    ended_at: datetime | None = None
    paused_until: datetime | None = None
    created_at: datetime
    latest_invoice: InvoiceFacts | None = None
    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_ending(self) -> bool:
        """Whether somebody, or a first payment that never came, has ended it or will."""
        return self.cancel_at_period_end or self.cancel_at is not None or self.has_ended

    @property
    def is_lapsed(self) -> bool:
        """Whether the current period will never be paid for, since its renewal was written off, as in a pause."""
        if self.latest_invoice is None or self.status not in {
            SubscriptionStatus.ACTIVE,
            SubscriptionStatus.PAUSED,
        }:
            return False
        return self.latest_invoice.terms.writes_off(self.current_period_end)

    @property
    def awaits_a_period(self) -> bool:
        """Whether it goes on, to no end, in a period that will never be paid for."""
        return self.is_lapsed and self.status is SubscriptionStatus.ACTIVE and not self.is_ending

    def told_by(self, source: SyncSource, event_id: str | None) -> Self:
        """As what this, or an event, made us read."""
        invoice = self.latest_invoice and self.latest_invoice.told_by(source, event_id)
        return replace(self, latest_invoice=invoice, source=source, event_id=event_id)

    @property
    def first_tried_at(self) -> datetime | None:
        """When the latest invoice was first tried to be collected, where it was."""
        invoice = self.latest_invoice
        return invoice.finalized_at if invoice and invoice.terms.attempt_count else None

    @property
    def assumed_paid_through(self) -> datetime | None:
        """Where no invoice tells: a renewal that waits to be paid follows a period that was."""
        if self.latest_invoice is None:
            return self.current_period_end if self.status is SubscriptionStatus.ACTIVE else None
        is_renewal = self.latest_invoice.terms.reason is BillingReason.RENEWAL
        return self.current_period_start if is_renewal else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLinks:
    """Ours of what the processor's word names by its own ids, and what our invoices say was paid for."""

    plan_id: UUID
    pending_plan_id: UUID | None = None
    payment_method_id: UUID | None = None
    latest_invoice_id: UUID | None = None
    is_surplus: bool = False
    paid_through: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a subscription was from a moment on."""

    at: datetime
    status: SubscriptionStatus
    plan_id: UUID

    def record(self) -> JsonValue:
        """One entry of a subscription's history; `read` is the way back."""
        return {"at": self.at.isoformat(), "status": self.status.value, "plan_id": str(self.plan_id)}

    @classmethod
    def read(cls, record: JsonObject) -> Self:
        return cls(
            at=datetime.fromisoformat(str(record["at"])),
            status=SubscriptionStatus(str(record["status"])),
            plan_id=UUID(str(record["plan_id"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    `paid_through` is the end of the last period that was paid for (or is free), `past_due_since` the first failure
    of the renewal that is being retried. `is_surplus` marks one that the processor has although the user already
    had a live one to the plan: it was not made here. A pause without `paused_until` lasts until it is resumed.
    `history` holds its status and plan with a time (ISO 8601) from each change on; nothing changed while it is empty.
    """

    id: UUID
    user_id: UUID
    plan_id: UUID
    pending_plan_id: UUID | None = None
    payment_method_id: UUID | None = None
    status: SubscriptionStatus
    livemode: bool
    is_surplus: bool = False
    current_period_start: datetime
    current_period_end: datetime
    paid_through: datetime | None = None
    past_due_since: datetime | None = None
    trial_ends_at: datetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None
    paused_until: datetime | None = None
    cancel_reason: CancelReason | None = None
    latest_invoice_id: UUID | None = None
    history: list[JsonValue] = field(default_factory=list)
    details: JsonObject = field(default_factory=dict)
    processor_customer_id: str
    processor_subscription_id: str | None = None
    processor_item_id: str | None = None
    processor_schedule_id: str | None = None
    last_event_id: str | None = None
    synced_by: SyncSource = SyncSource.API_CALL
    readings: int = 0
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def steps(self) -> Sequence["Step"]:
        """Its life: what it was from each moment on, the first of which is when it was made."""
        if not self.history:
            return [Step(at=self.created_at, status=self.status, plan_id=self.plan_id)]
        return [Step.read(record) for record in self.history if isinstance(record, dict)]

    @property
    def plan_ids_ever(self) -> frozenset[UUID]:
        """Every plan that it ever was to."""
        return frozenset(step.plan_id for step in self.steps)

    @property
    def plan_ids(self) -> tuple[UUID, ...]:
        """The plan, and the one that is to follow it."""
        return (self.plan_id,) if self.pending_plan_id is None else (self.plan_id, self.pending_plan_id)

    @property
    def ends_at(self) -> datetime | None:
        """When it will end, or has ended, as far as that is settled."""
        if self.has_ended:
            return self.ended_at
        return self.current_period_end if self.cancel_at_period_end else self.cancel_at

    @property
    def will_charge_again(self) -> bool:
        """Whether any charge can follow: not once it is cancelled, unpaid or expired, or ends with this period."""
        if self.has_ended or self.status is SubscriptionStatus.UNPAID:
            return False
        is_owed = self.status in {SubscriptionStatus.INCOMPLETE, SubscriptionStatus.PAST_DUE}
        return is_owed or not self.is_last_period

    @property
    def is_last_period(self) -> bool:
        return self.ends_at is not None and self.ends_at <= self.current_period_end

    @property
    def actions(self) -> tuple[SubscriptionAction, ...]:
        allowed = ACTIONS[self.status]
        is_planned = self.ends_at is not None or self.pending_plan_id is not None
        return (*allowed, SubscriptionAction.KEEP) if is_planned and not self.has_ended else allowed

    def access_until(self, grace: timedelta) -> datetime | None:
        """While a renewal is being retried: when access ends, if it is not paid before."""
        return None if self.past_due_since is None else self.past_due_since + grace

    @property
    def will_renew(self) -> bool:
        """Whether another period will be charged for, as things are now."""
        if not self.will_charge_again or self.status is SubscriptionStatus.INCOMPLETE or self.is_last_period:
            return False
        if self.status is SubscriptionStatus.PAUSED:
            return self.paused_until is not None and self.paused_until <= self.current_period_end
        return True

    def ends_at_once(self, timing: CancelTiming) -> bool:
        """Whether a cancellation ends it now: also where the current period was not paid for."""
        return timing is CancelTiming.NOW or self.status in UNPAID_FOR

    def has_sat_out_its_pause(self, moment: datetime) -> bool:
        """Whether its pause was to end by itself by then."""
        is_paused = self.status is SubscriptionStatus.PAUSED
        return is_paused and self.paused_until is not None and self.paused_until <= moment + SKEW

    def must_allow(self, wanted: SubscriptionAction, *, path: Sequence[str] = ("id",)) -> None:
        """Raises StateConflict unless this may be done now."""
        if wanted not in self.actions:
            raise StateConflict(
                f"A subscription that is {self.status} does not allow this.",
                current=self.status,
                allowed=self.actions,
                path=path,
            )

    def take(self, facts: SubscriptionFacts, links: SubscriptionLinks, *, at: datetime) -> Self:
        """The subscription with what the processor says now; the same again changes only the number of readings."""
        read = replace(self, readings=self.readings + 1)
        fresh = replace(
            read,
            status=facts.status,
            plan_id=links.plan_id,
            pending_plan_id=links.pending_plan_id,
            payment_method_id=links.payment_method_id,
            is_surplus=links.is_surplus,
            latest_invoice_id=links.latest_invoice_id,
            current_period_start=facts.current_period_start,
            current_period_end=facts.current_period_end,
            paid_through=self._paid_through(facts, links.paid_through),
            past_due_since=self._past_due_since(facts, at),
            trial_ends_at=facts.trial_ends_at,
            cancel_at_period_end=facts.cancel_at_period_end,
            cancel_at=facts.cancel_at,
            cancelled_at=facts.cancelled_at,
            cancel_reason=(facts.cancel_reason or self.cancel_reason) if facts.is_ending else None,
            ended_at=(facts.ended_at or self.ended_at or at) if facts.has_ended else None,
            paused_until=facts.paused_until,
            processor_subscription_id=facts.processor_subscription_id,
            processor_item_id=facts.processor_item_id,
            processor_schedule_id=facts.processor_schedule_id,
        )
        if fresh == read:
            return read
        return replace(
            fresh.following(self, at=at),
            version=self.version + 1,
            updated_at=at,
            synced_by=facts.source,
            last_event_id=facts.event_id or self.last_event_id,
        )

    def paid_up_to(self, moment: datetime | None, *, at: datetime) -> Self:
        """With what one of its invoices has paid for, until the end of the current period."""
        return self.changed(
            at=at, paid_through=_latest_until(self.current_period_end, self.paid_through, moment)
        )

    def _paid_through(self, facts: SubscriptionFacts, paid: datetime | None) -> datetime | None:
        """
        A change to a shorter period takes back what lies beyond it, for which the customer was credited. One that is
        to end within its period has a shorter one, too, but that was paid for.
        """
        free = facts.trial_ends_at if facts.status is SubscriptionStatus.TRIALING else None
        before = self.paid_through
        if before is not None and facts.cancel_at == facts.current_period_end:
            before = min(before, facts.current_period_end)
        known = _latest_until(facts.current_period_end, before, paid, free)
        return known or facts.assumed_paid_through

    def _past_due_since(self, facts: SubscriptionFacts, at: datetime) -> datetime | None:
        if facts.status not in OVERDUE:
            return None
        return self.past_due_since or facts.first_tried_at or at

    def changed(self, *, at: datetime, **attributes: object) -> Self:
        """With these attributes, as a new version; itself where they are what it has."""
        fresh: Self = replace(self, **attributes)  # type: ignore[arg-type]  # The names are checked by replace.
        if fresh == self:
            return self
        return replace(fresh.following(self, at=at), version=self.version + 1, updated_at=at)

    def following(self, before: Self, *, at: datetime) -> Self:
        """With the step that led here from what it was before; itself where its status and plan are the same."""
        if (self.status, self.plan_id) == (before.status, before.plan_id):
            return self
        moment = self.ended_at if self.has_ended and self.ended_at is not None else at
        step = Step(at=moment, status=self.status, plan_id=self.plan_id)
        return replace(self, history=[*(known.record() for known in before.steps), step.record()])


def _latest_until(bound: datetime, *moments: datetime | None) -> datetime | None:
    """The latest of these moments that are not after the bound; what is after it counts for nothing."""
    return max((moment for moment in moments if moment is not None and moment <= bound), default=None)
