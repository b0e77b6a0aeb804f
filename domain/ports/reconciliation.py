"""What reconciliation needs: lists of what the processor has, and where runs are kept."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.dispute import DisputeFacts
from domain.events import InboxEvent
from domain.invoice import InvoiceTerms
from domain.outcome import Outcome
from domain.payment_method import MethodFacts
from domain.plan import PlanFacts
from domain.ports.lists import Lists
from domain.reconciliation.progress import Obstacle
from domain.reconciliation.run import Drift, ReconciliationRun
from domain.reconciliation.run_list import DriftFilter, RunFilter
from domain.refund import RefundFacts
from domain.subscription import SubscriptionFacts

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Some events, the oldest first, or none: a sign of life. `unreadable` are the ids of what is no event."""

    events: Sequence[InboxEvent] = ()
    unreadable: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[F]):
    """
    An object in a list of the processor's.

    `our_id` is what we wrote into its metadata, `customer_id` whose it is and `parent_id` the processor's id of what
    it belongs to, where the list tells them.
    """

    processor_id: str
    customer_id: str | None = None
    our_id: UUID | None = None
    parent_id: str | None = None
    created_at: datetime | None = None
    facts: F


class ProcessorLists(Protocol):
    """
    All that the processor has, page by page, read as things are now. Each page is a call of its own.

    All raise ProcessorUnavailable where it cannot be asked.
    """

    def events_between(self, since: datetime, until: datetime, *, at: datetime) -> AsyncIterator[EventBatch]:
        """
        In the order of their time, `until` excluded; `at` is when they are heard of. It remembers 30 days.

        No more than a bounded number is held at a time.
        """
        ...

    def payments_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[Outcome]]]: ...
    def refunds_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[RefundFacts]]]: ...
    def disputes_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[DisputeFacts]]]: ...
    def subscriptions_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        """Those made since then, ended or not, without their invoices."""
        ...

    def live_subscriptions(self) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        """Every one that has not ended, without its invoices."""
        ...

    def invoices_since(self, since: datetime) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]: ...
    def open_invoices(self) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]: ...
    def plans(self) -> AsyncIterator[Sequence[Listed[PlanFacts]]]:
        """For sale or not."""
        ...

    def methods_of(self, customer_id: str) -> AsyncIterator[Sequence[Listed[MethodFacts]]]:
        """What is attached to the customer: nothing where there is none, or none any more."""
        ...

    async def one_payment(self, processor_id: str) -> Listed[Outcome] | None:
        """As it is now, as all that follow; None for what the processor does not know."""
        ...

    async def one_refund(self, processor_id: str) -> Listed[RefundFacts] | None: ...
    async def one_dispute(self, processor_id: str) -> Listed[DisputeFacts] | None: ...
    async def one_subscription(self, processor_id: str) -> Listed[SubscriptionFacts] | None:
        """Without its invoice."""
        ...

    async def one_invoice(self, processor_id: str) -> Listed[InvoiceTerms] | None: ...
    async def one_method(self, processor_id: str) -> Listed[MethodFacts] | None:
        """Without a customer where it is attached to nobody."""
        ...


class ReconciliationRuns(Lists[ReconciliationRun, RunFilter], Protocol):
    async def get(self, run_id: UUID) -> ReconciliationRun | None: ...
    async def by_ids(self, run_ids: Sequence[UUID]) -> Mapping[UUID, ReconciliationRun]: ...
    async def lock(self, run_id: UUID) -> ReconciliationRun | None: ...
    async def walked_until(self, *, livemode: bool, by: datetime) -> datetime | None:
        """
        How far the scheduled walks have come, which follow each other without a gap.

        What lies after `by` is not believed: somebody's clock was ahead.
        """
        ...

    async def moment(self) -> datetime:
        """Now by the database's clock, which is the same for all, so that leases go by it."""
        ...

    async def add(self, run: ReconciliationRun) -> bool:
        """False where one of its kind is being carried out; nothing is added then."""
        ...

    async def take(self, run: ReconciliationRun) -> None:
        """Keep that a run is being carried out. Raises Busy where another one of its kind is."""
        ...

    async def advance(self, before: ReconciliationRun, after: ReconciliationRun) -> bool:
        """False where the run was taken from its holder since `before`; nothing is changed then."""
        ...

    async def lock_abandoned(self) -> Sequence[ReconciliationRun]:
        """Runs whose lease is over, since their process is gone; held until the transaction ends."""
        ...

    async def save(self, run: ReconciliationRun) -> None: ...

    async def drop(self, *, empty_before: datetime, all_before: datetime) -> int:
        """Forget runs that found nothing, and later the others; never the last of a kind. How many."""
        ...


class Drifts(Lists[Drift, DriftFilter], Protocol):
    async def add_all(self, drifts: Sequence[Drift]) -> None: ...
    async def drop_of(self, run_id: UUID) -> None:
        """Forget what a run had found that begins anew."""
        ...


class RunJournal(Protocol):
    """Whoever watches runs from outside: a log, or a person at a terminal."""

    def advanced(self, run: ReconciliationRun) -> None: ...
    def drifted(self, drift: Drift) -> None: ...
    def unreadable(self, processor_event_id: str) -> None:
        """What the processor lists as an event, and is none. It is passed over."""
        ...

    def not_healed(self, obstacle: Obstacle) -> None:
        """What stood in the way; the drift itself is told of apart from that."""
        ...

    def not_compared(self, obstacle: Obstacle) -> None:
        """What stood in the way. The run goes on without it, and fails in the end."""
        ...

    def finished(self, run: ReconciliationRun) -> None: ...
    def failed(self, run: ReconciliationRun) -> None: ...
    def put_back(self, run: ReconciliationRun) -> None:
        """Whoever carried it out is gone, and another worker begins it anew."""
        ...
