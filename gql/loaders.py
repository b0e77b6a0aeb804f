"""One lookup for all objects of a kind that a response mentions. Made anew for each request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from domain.access import Entitlement
from domain.access_service import AccessService
from domain.account import BillingAccount
from domain.actor import Actor
from domain.audit import KINDS, AuditRecord
from domain.audit_log import OLDEST_FIRST, AuditFilter
from domain.audit_service import AUDITORS
from domain.dispute import Dispute
from domain.event_list import AffectedObject
from domain.event_queue import OPERATORS
from domain.events import InboxEvent
from domain.invoice import Invoice
from domain.operation import ObjectKind, Operation
from domain.paging import Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
from domain.ports import ALL, Database, Reads, Shown
from domain.reconciliation.run import Drift, ReconciliationRun
from domain.reconciliation.run_list import DRIFTS, DriftFilter
from domain.reconciliation.service import WATCHERS
from domain.refund import Refund
from domain.subscription import Subscription
from domain.subscription_list import INVOICES, SUBSCRIPTIONS, InvoiceFilter, SubscriptionFilter
from gql.lookup import Decisions, Lookup, Query

LOADERS: Final[Mapping[type, str]] = {
    Payment: "payments",
    PaymentMethod: "payment_methods",
    PaymentMethodSetup: "setups",
    BillingAccount: "accounts",
    Refund: "refunds",
    Dispute: "disputes",
    Operation: "operations",
    Plan: "plans",
    Subscription: "subscriptions",
    Invoice: "invoices",
    Entitlement: "entitlements",
    AuditRecord: "audit_records",
    InboxEvent: "webhook_events",
    ReconciliationRun: "reconciliation_runs",
}
"""By which of its loaders `Loaders` finds the objects of a type."""
RECORDED: Final = {kind: of for of, kind in KINDS.items()}
"""The type of the objects that an operation or an audit record is about."""

T = TypeVar("T")
Filter = TypeVar("Filter", PaymentFilter, SubscriptionFilter)

OwnedQuery: TypeAlias = Callable[[Reads, list[UUID], UUID | None], Awaitable[Mapping[UUID, T]]]
"""Is told whose objects to look among; None means everybody's."""


class Loaders:
    """
    The owner rule is a predicate of each query, never a check after it.

    `shown` is what will be looked at of the objects, where that is known beforehand; `waits` is whether a lookup does,
    for whatever else is asked of it at the same time.
    """

    def __init__(
        self,
        database: Database,
        actor: Actor,
        access: AccessService,
        shown: Shown = ALL,
        *,
        waits: bool = True,
    ) -> None:
        self._database, self._actor, self._access = database, actor, access
        self._shown, self._waits = shown, waits
        self._lists: dict[object, Lookup[Any]] = {}

    @cached_property
    def _owner(self) -> UUID | None:
        return self._actor.visible_owner

    def of(self, kind: type) -> Lookup[Any]:
        """The objects of that type by id. Raises KeyError for a type whose objects are not looked up."""
        lookup: Lookup[Any] = getattr(self, LOADERS[kind])
        return lookup

    def recorded(self, kind: ObjectKind) -> Lookup[Any]:
        """The objects that an operation or an audit record of that kind is about."""
        return self.of(RECORDED[kind])

    @cached_property
    def payments(self) -> Lookup[Payment]:
        return self._named(Payment, lambda reads, ids, owner: reads.payments.by_ids(ids, owner=owner))

    @cached_property
    def payment_methods(self) -> Lookup[PaymentMethod]:
        """Removed ones included."""
        return self._named(
            PaymentMethod, lambda reads, ids, owner: reads.payment_methods.by_ids(ids, owner=owner)
        )

    @cached_property
    def refunds(self) -> Lookup[Refund]:
        return self._owned(lambda reads, ids, owner: reads.refunds.by_ids(ids, owner=owner))

    @cached_property
    def refunds_of(self) -> Lookup[Sequence[Refund]]:
        """A payment's refunds."""
        return self._owned(lambda reads, ids, owner: reads.refunds.of_payments(ids, owner=owner))

    @cached_property
    def disputes(self) -> Lookup[Dispute]:
        return self._owned(lambda reads, ids, owner: reads.disputes.by_ids(ids, owner=owner))

    @cached_property
    def disputes_of(self) -> Lookup[Sequence[Dispute]]:
        """A payment's disputes."""
        return self._owned(lambda reads, ids, owner: reads.disputes.of_payments(ids, owner=owner))

    @cached_property
    def setups(self) -> Lookup[PaymentMethodSetup]:
        return self._owned(lambda reads, ids, owner: reads.setups.by_ids(ids, owner=owner))

    @cached_property
    def operations(self) -> Lookup[Operation]:
        return self._owned(lambda reads, ids, owner: reads.operations.by_ids(ids, caller=owner))

    @cached_property
    def accounts(self) -> Lookup[BillingAccount]:
        return self._named(BillingAccount, lambda reads, ids, owner: reads.accounts.by_ids(ids, owner=owner))

    def payments_of(
        self, wanted: PaymentFilter, order: PaymentOrder, part: Slice
    ) -> Lookup[Sequence[Payment]]:
        """This part of a user's payments, whoever the filter's owner is."""
        mine = self._mine(wanted)
        return self._list(
            (mine, order, part), lambda reads, ids: reads.payments.listed_for(ids, mine, order, part)
        )

    def payment_counts(self, wanted: PaymentFilter) -> Lookup[int]:
        """How many of a user's payments match, whoever the filter's owner is."""
        mine = self._mine(wanted)
        return self._list(mine, lambda reads, ids: reads.payments.counts_for(ids, mine))

    def subscription_payments(self, order: PaymentOrder, part: Slice) -> Lookup[Sequence[Payment]]:
        """This part of a subscription's payments."""
        mine = PaymentFilter(owner=self._owner)
        return self._list(
            ("of subscriptions", order, part),
            lambda reads, ids: reads.subscription_payments.listed_for(ids, mine, order, part),
        )

    @cached_property
    def subscription_payment_counts(self) -> Lookup[int]:
        mine = PaymentFilter(owner=self._owner)
        return self._lookup(lambda reads, ids: reads.subscription_payments.counts_for(ids, mine))

    def subscriptions_of(self, wanted: SubscriptionFilter, part: Slice) -> Lookup[Sequence[Subscription]]:
        """This part of a user's subscriptions, whoever the filter's owner is."""
        mine = self._mine(wanted)
        return self._list(
            (mine, part), lambda reads, ids: reads.subscriptions.listed_for(ids, mine, SUBSCRIPTIONS, part)
        )

    def subscription_counts(self, wanted: SubscriptionFilter) -> Lookup[int]:
        """How many of a user's subscriptions match, whoever the filter's owner is."""
        mine = self._mine(wanted)
        return self._list(mine, lambda reads, ids: reads.subscriptions.counts_for(ids, mine))

    def invoices_of(self, part: Slice) -> Lookup[Sequence[Invoice]]:
        """This part of a user's invoices."""
        mine = InvoiceFilter(owner=self._owner)
        return self._list(
            (mine, part), lambda reads, ids: reads.invoices.listed_for(ids, mine, INVOICES, part)
        )

    def timelines(self, kind: ObjectKind, part: Slice) -> Lookup[Sequence[AuditRecord]]:
        """This part of what happened to objects of that kind, which the caller may see."""
        of_kind = AuditFilter(object_kind=kind)
        return self._list(
            (of_kind, part), lambda reads, ids: reads.audit.listed_for(ids, of_kind, OLDEST_FIRST, part)
        )

    @cached_property
    def audit_records(self) -> Lookup[AuditRecord]:
        """For auditors: the query raises Forbidden for others."""
        return self._lookup(partial(_audit_records, self._actor))

    @cached_property
    def webhook_events(self) -> Lookup[InboxEvent]:
        """For admins: the query raises Forbidden for others."""
        return self._lookup(partial(_webhook_events, self._actor))

    @cached_property
    def affected_by(self) -> Lookup[Sequence[AffectedObject]]:
        """What the handling of an event has changed."""
        return self._lookup(lambda reads, ids: reads.audit.affected_by(ids))

    @cached_property
    def reconciliation_runs(self) -> Lookup[ReconciliationRun]:
        """For admins: the query raises Forbidden for others."""
        return self._lookup(partial(_reconciliation_runs, self._actor))

    def drifts_of(self, part: Slice) -> Lookup[Sequence[Drift]]:
        """This part of what a run found."""
        return self._list(
            ("drifts", part), lambda reads, ids: reads.drifts.listed_for(ids, DriftFilter(), DRIFTS, part)
        )

    @cached_property
    def entitlements(self) -> Lookup[Entitlement]:
        return self._owned(lambda reads, ids, owner: reads.entitlements.by_ids(ids, owner=owner))

    @cached_property
    def entitlements_of(self) -> Lookup[Sequence[Entitlement]]:
        return self._owned(lambda reads, ids, owner: reads.entitlements.of_users(ids, owner=owner))

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self._access)

    @cached_property
    def plans(self) -> Lookup[Plan]:
        """Everybody may see them."""
        return self._named(Plan, lambda reads, ids, _: reads.plans.by_ids(ids))

    @cached_property
    def subscriptions(self) -> Lookup[Subscription]:
        return self._named(
            Subscription, lambda reads, ids, owner: reads.subscriptions.by_ids(ids, owner=owner)
        )

    @cached_property
    def invoices(self) -> Lookup[Invoice]:
        return self._named(Invoice, lambda reads, ids, owner: reads.invoices.by_ids(ids, owner=owner))

    @cached_property
    def payments_of_invoices(self) -> Lookup[Sequence[Payment]]:
        return self._owned(lambda reads, ids, owner: reads.payments.of_invoices(ids, owner=owner))

    async def latest_payment(self, subscription: Subscription) -> Payment | None:
        """What pays the latest invoice, or has tried to last."""
        if subscription.latest_invoice_id is None:
            return None
        payments = await self.payments_of_invoices.load(subscription.latest_invoice_id)
        return payments[-1] if payments else None

    @cached_property
    def paid_by(self) -> Lookup[Sequence[Subscription]]:
        """The live subscriptions that a method pays for."""
        return self._owned(lambda reads, ids, owner: reads.subscriptions.live_paid_by(ids, owner=owner))

    @cached_property
    def overdue_of(self) -> Lookup[Sequence[Subscription]]:
        """A user's subscriptions that owe a payment."""
        return self._owned(lambda reads, ids, owner: reads.subscriptions.overdue_of(ids, owner=owner))

    @cached_property
    def methods_of(self) -> Lookup[Sequence[PaymentMethod]]:
        """A user's methods that are still attached."""
        return self._owned(
            lambda reads, ids, owner: reads.payment_methods.of_users(ids, owner=owner, with_detached=False),
        )

    @cached_property
    def all_methods_of(self) -> Lookup[Sequence[PaymentMethod]]:
        return self._owned(
            lambda reads, ids, owner: reads.payment_methods.of_users(ids, owner=owner, with_detached=True),
        )

    def _mine(self, wanted: Filter) -> Filter:
        return wanted if wanted.owner == self._owner else replace(wanted, owner=self._owner)

    def _lookup(self, query: Query[T]) -> Lookup[T]:
        return Lookup(self._database, query, self._shown, waits=self._waits)

    def _owned(self, query: OwnedQuery[T]) -> Lookup[T]:
        return self._lookup(_for(self._actor, query))

    def _named(self, kind: type[T], query: OwnedQuery[T]) -> Lookup[T]:
        """By id, but for those that were read together with what names them."""
        known = None if self._shown is ALL else self._shown.seen[kind]
        return Lookup(self._database, _for(self._actor, query), self._shown, known, waits=self._waits)

    def _list(self, asked: object, query: Query[T]) -> Lookup[T]:
        """One loader for all who ask for the same."""
        found: Lookup[T] = self._lists.setdefault(asked, self._lookup(query))
        return found


def _for(actor: Actor, query: OwnedQuery[T]) -> Query[T]:
    """Holds no loaders, which hold it: the garbage collector would have to take apart what each request leaves."""
    return lambda reads, ids: query(reads, ids, actor.visible_owner)


async def _audit_records(actor: Actor, reads: Reads, ids: list[UUID]) -> Mapping[UUID, AuditRecord]:
    actor.must_be(AUDITORS)
    return await reads.audit.by_ids(ids)


async def _webhook_events(actor: Actor, reads: Reads, ids: list[UUID]) -> Mapping[UUID, InboxEvent]:
    actor.must_be(OPERATORS)
    return await reads.inbox.by_ids(ids)


async def _reconciliation_runs(
    actor: Actor, reads: Reads, ids: list[UUID]
) -> Mapping[UUID, ReconciliationRun]:
    actor.must_be(WATCHERS)
    return await reads.reconciliation_runs.by_ids(ids)
