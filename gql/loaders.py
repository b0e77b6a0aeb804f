"""Dataloaders: one statement for all objects of a kind that a response mentions. Made anew for each request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.account import BillingAccount
from domain.actor import Actor
from domain.audit import AuditRecord
from domain.audit_service import AUDITORS
from domain.invoice import Invoice
from domain.operation import Operation
from domain.paging import Per, Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
from domain.ports import Database, Reads
from domain.subscription import Subscription
from domain.subscription_list import InvoiceFilter, SubscriptionFilter

T = TypeVar("T")


class Lookup(DataLoader[UUID, T | None]):
    """Objects by id; None for those that do not exist, or that the query does not let the caller see."""

    def __init__(
        self, database: Database, query: Callable[[Reads, list[UUID]], Awaitable[Mapping[UUID, T]]]
    ) -> None:
        super().__init__()
        self._database, self._query = database, query

    async def batch_load_fn(self, keys: list[UUID]) -> list[T | None]:
        async with self._database.reads() as reads:
            found = await self._query(reads, keys)
        return [found.get(key) for key in keys]


class Loaders:
    """The owner rule is a predicate of each query, never a check after it."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self._database, self._actor = database, actor
        self._lists: dict[object, Lookup[Any]] = {}

    @cached_property
    def _owner(self) -> UUID | None:
        return self._actor.visible_owner

    @cached_property
    def payments(self) -> Lookup[Payment]:
        return Lookup(self._database, lambda reads, ids: reads.payments.by_ids(ids, owner=self._owner))

    @cached_property
    def payment_methods(self) -> Lookup[PaymentMethod]:
        """Removed ones included."""
        return Lookup(self._database, lambda reads, ids: reads.payment_methods.by_ids(ids, owner=self._owner))

    @cached_property
    def setups(self) -> Lookup[PaymentMethodSetup]:
        return Lookup(self._database, lambda reads, ids: reads.setups.by_ids(ids, owner=self._owner))

    @cached_property
    def operations(self) -> Lookup[Operation]:
        return Lookup(self._database, lambda reads, ids: reads.operations.by_ids(ids, caller=self._owner))

    @cached_property
    def accounts(self) -> Lookup[BillingAccount]:
        return Lookup(self._database, lambda reads, ids: reads.accounts.by_ids(ids, owner=self._owner))

    def payments_of(
        self, wanted: PaymentFilter, order: PaymentOrder, part: Slice, per: Per = Per.USER
    ) -> Lookup[Sequence[Payment]]:
        """This part of the payments of a user, or of a subscription, whichever the filter names."""
        mine = self._of_any(wanted, per)
        return self._lists.setdefault(
            (mine, order, part, per),
            Lookup(
                self._database,
                lambda reads, ids: reads.payments.listed_for(ids, mine, order, part, per=per),
            ),
        )

    def payment_counts(self, wanted: PaymentFilter, per: Per = Per.USER) -> Lookup[int]:
        """How many payments of a user, or of a subscription, match, whichever the filter names."""
        mine = self._of_any(wanted, per)
        return self._lists.setdefault(
            (mine, per),
            Lookup(self._database, lambda reads, ids: reads.payments.counts_for(ids, mine, per=per)),
        )

    def _of_any(self, wanted: PaymentFilter, per: Per) -> PaymentFilter:
        mine = replace(wanted, owner=self._owner)
        return replace(mine, subscription_id=None) if per is Per.SUBSCRIPTION else mine

    def subscriptions_of(self, wanted: SubscriptionFilter, part: Slice) -> Lookup[Sequence[Subscription]]:
        """This part of a user's subscriptions, whoever the filter's owner is."""
        mine = replace(wanted, owner=self._owner)
        return self._lists.setdefault(
            (mine, part),
            Lookup(self._database, lambda reads, ids: reads.subscriptions.listed_for(ids, mine, part)),
        )

    def subscription_counts(self, wanted: SubscriptionFilter) -> Lookup[int]:
        """How many of a user's subscriptions match, whoever the filter's owner is."""
        mine = replace(wanted, owner=self._owner)
        return self._lists.setdefault(
            mine, Lookup(self._database, lambda reads, ids: reads.subscriptions.counts_for(ids, mine))
        )

    def invoices_of(self, part: Slice) -> Lookup[Sequence[Invoice]]:
        """This part of a user's invoices."""
        mine = InvoiceFilter(owner=self._owner)
        return self._lists.setdefault(
            (mine, part),
            Lookup(self._database, lambda reads, ids: reads.invoices.listed_for(ids, mine, part)),
        )

    @cached_property
    def audit_records(self) -> Lookup[AuditRecord]:
        """For auditors: the query raises Forbidden for others."""
        return Lookup(self._database, self._audit_records)

    async def _audit_records(self, reads: Reads, ids: list[UUID]) -> Mapping[UUID, AuditRecord]:
        self._actor.must_be(AUDITORS)
        return await reads.audit.by_ids(ids)

    @cached_property
    def plans(self) -> Lookup[Plan]:
        """Everybody may see them."""
        return Lookup(self._database, lambda reads, ids: reads.plans.by_ids(ids))

    @cached_property
    def subscriptions(self) -> Lookup[Subscription]:
        return Lookup(self._database, lambda reads, ids: reads.subscriptions.by_ids(ids, owner=self._owner))

    @cached_property
    def invoices(self) -> Lookup[Invoice]:
        return Lookup(self._database, lambda reads, ids: reads.invoices.by_ids(ids, owner=self._owner))

    @cached_property
    def payments_of_invoices(self) -> Lookup[Sequence[Payment]]:
        return Lookup(self._database, lambda reads, ids: reads.payments.of_invoices(ids, owner=self._owner))

    @cached_property
    def paid_by(self) -> Lookup[Sequence[Subscription]]:
        """The live subscriptions that a method pays for."""
        return Lookup(
            self._database, lambda reads, ids: reads.subscriptions.live_paid_by(ids, owner=self._owner)
        )

    @cached_property
    def overdue_of(self) -> Lookup[Sequence[Subscription]]:
        """A user's subscriptions that owe a payment."""
        return Lookup(
            self._database, lambda reads, ids: reads.subscriptions.overdue_of(ids, owner=self._owner)
        )

    @cached_property
    def methods_of(self) -> Lookup[Sequence[PaymentMethod]]:
        """A user's methods that are still attached."""
        return Lookup(
            self._database,
            lambda reads, ids: reads.payment_methods.of_users(ids, owner=self._owner, with_detached=False),
        )

    @cached_property
    def all_methods_of(self) -> Lookup[Sequence[PaymentMethod]]:
        return Lookup(
            self._database,
            lambda reads, ids: reads.payment_methods.of_users(ids, owner=self._owner, with_detached=True),
        )
