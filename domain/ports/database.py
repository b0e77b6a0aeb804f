"""Transactions, and what is in them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.payment import Payment
from domain.payment_list import PaymentFilter
from domain.ports.billing_repositories import (
    ChargePreviews,
    Disputes,
    Entitlements,
    Invoices,
    Plans,
    Refunds,
    Subscriptions,
    Trials,
)
from domain.ports.invariants import Invariants
from domain.ports.lists import Lists
from domain.ports.people import People
from domain.ports.reconciliation import Drifts, ReconciliationRuns
from domain.ports.repositories import (
    Accounts,
    Audit,
    AuditSeals,
    Inbox,
    Operations,
    PaymentMethods,
    Payments,
    Setups,
)
from domain.ports.shown import ALL, Shown
from domain.ports.statistics import Statistics


class Jobs(Protocol):
    async def handle_events(self, event_ids: Sequence[UUID]) -> None:
        """Have the worker handle stored events, if and only if the transaction commits."""
        ...

    async def handle_event_again(self, event_id: UUID) -> None:
        """
        Have the worker handle a stored event that nobody has handled half a minute after the transaction commits.

        Whatever job of the event waits, or was given up, goes.
        """
        ...

    async def handle_strays(self, *, before: datetime, limit: int) -> int:
        """
        Have the worker handle stored events that came in before, and that neither are HELD nor have a job. How many.

        A job that was given up is none, and goes.
        """
        ...

    async def reread_subscription(self, subscription_id: UUID) -> None:
        """Have the worker read a subscription anew, if and only if the transaction commits."""
        ...

    async def begin_period(self, subscription_id: UUID) -> None:
        """Have the worker begin a paid period after a pause, if and only if the transaction commits."""
        ...

    async def reconcile(self, run_id: UUID) -> None:
        """Have the worker carry out a run that was asked for, if and only if the transaction commits."""
        ...

    async def follow_plan(self, plan_id: UUID) -> None:
        """Have the worker bring a changed plan to its subscribers, if and only if the transaction commits."""
        ...

    async def keep_default_in_step(self, user_id: UUID) -> None:
        """Have the worker tell the processor of a user's default method, if and only if the transaction commits."""
        ...

    async def keep_newest_of_same_cards(self, user_id: UUID) -> None:
        """Have the worker leave one method of each of a user's cards, if and only if the transaction commits."""
        ...


class Reads(Protocol):
    """The repositories; whoever opened them decides whether a transaction holds them together."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def subscription_payments(self) -> Lists[Payment, PaymentFilter]:
        """The payments, in a list per subscription."""
        ...

    @property
    def payment_methods(self) -> PaymentMethods: ...
    @property
    def setups(self) -> Setups: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def disputes(self) -> Disputes: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def invoices(self) -> Invoices: ...
    @property
    def previews(self) -> ChargePreviews: ...
    @property
    def trials(self) -> Trials: ...
    @property
    def entitlements(self) -> Entitlements: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def audit_seals(self) -> AuditSeals: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def reconciliation_runs(self) -> ReconciliationRuns: ...
    @property
    def drifts(self) -> Drifts: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def invariants(self) -> Invariants: ...
    @property
    def people(self) -> People: ...


class Work(Reads, Protocol):
    """One transaction."""

    @property
    def jobs(self) -> Jobs: ...


class Database(Protocol):
    def work(self) -> AbstractAsyncContextManager[Work]:
        """A transaction: a clean exit commits, an exception rolls back."""
        ...

    def reads(self, shown: Shown = ALL) -> AbstractAsyncContextManager[Reads]:
        """
        A connection for single statements, each with its own snapshot.

        Where less than all is shown, whoever looks at another attribute of what was read meets an AttributeError.
        """
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Reads]:
        """Everything as it was at one moment, for statements that may take long."""
        ...

    def counted(self) -> AbstractContextManager[Mapping[str, int]]:
        """How many statements were sent so far, by the first table that each names; it grows as more are."""
        ...


class RecountableDatabase(Database, Protocol):
    def recount(self) -> AbstractAsyncContextManager[Work]:
        """A transaction that sees one moment throughout, may take long, and during which nobody folds statistics."""
        ...
