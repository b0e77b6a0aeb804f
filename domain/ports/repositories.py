"""Where the domain keeps its objects: queries, and nothing else."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.audit_log import AuditFilter
from domain.audit_seal import AuditSeal, RecordHash
from domain.event_list import AffectedObject, EventFilter
from domain.events import InboxEvent, InboxStatus
from domain.money import Money
from domain.operation import ObjectKind, Operation
from domain.payment import Payment
from domain.payment_list import PaymentFilter
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.payment_status import PaymentStatus
from domain.ports.lists import Lists


class Accounts(Protocol):
    async def get(self, user_id: UUID) -> BillingAccount | None: ...
    async def by_ids(
        self, user_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, BillingAccount]: ...
    async def lock(self, user_id: UUID) -> BillingAccount | None: ...
    async def lock_subscriber(self, subscription_id: UUID) -> BillingAccount | None:
        """The account that the subscription belongs to, held until the transaction ends."""
        ...

    async def customers_among(self, processor_customer_ids: Sequence[str]) -> Mapping[str, UUID]:
        """Whose customers these are; those of nobody are left out."""
        ...

    async def of_customer(self, processor_customer_id: str) -> BillingAccount | None: ...
    async def save(self, account: BillingAccount) -> None: ...
    async def ensure(self, account: BillingAccount) -> BillingAccount:
        """The account of that user: this very one where there was none yet."""
        ...

    async def set_customer(
        self, user_id: UUID, processor_customer_id: str, *, at: datetime
    ) -> BillingAccount | None:
        """The account with its customer; None where it has one already, which stays."""
        ...


class Payments(Lists[Payment, PaymentFilter], Protocol):
    async def open_or_changed(
        self, statuses: Sequence[PaymentStatus], *, since: datetime, livemode: bool
    ) -> Sequence[UUID]:
        """Those in one of these states, and all that changed since then."""
        ...

    async def known_among(self, processor_ids: Sequence[str]) -> Sequence[Payment]: ...
    async def active_customers(self, *, since: datetime, livemode: bool, limit: int) -> Sequence[str]:
        """The processor's customers whose payments changed since then, those of the latest changes first."""
        ...

    async def get(self, payment_id: UUID) -> Payment | None: ...
    async def by_ids(self, payment_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Payment]:
        """Those that exist and belong to the owner; None is everybody."""
        ...

    async def of_invoices(
        self, invoice_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Payment]]:
        """What pays each invoice, or has tried to, the oldest first."""
        ...

    async def of_amount(self, user_id: UUID, amount: Money, *, since: datetime) -> Sequence[Payment]:
        """
        The user's payments of exactly that amount, the newest first: those asked for since then, and all of which it
        is not known whether they reached the processor.
        """
        ...

    async def known_as(self, processor_payment_id: str) -> UUID | None: ...
    async def lock(self, payment_id: UUID) -> Payment | None: ...
    async def add(self, payment: Payment) -> None: ...
    async def save(self, payment: Payment) -> None: ...
    async def after(self, last: UUID | None, *, limit: int) -> Sequence[Payment]:
        """By id, to go through all of them; the first ones where `last` is None."""
        ...


class PaymentMethods(Protocol):
    async def get(self, method_id: UUID) -> PaymentMethod | None: ...
    async def by_ids(
        self, method_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, PaymentMethod]: ...
    async def of_users(
        self, user_ids: Sequence[UUID], *, owner: UUID | None, with_detached: bool
    ) -> Mapping[UUID, Sequence[PaymentMethod]]:
        """Each user's methods, the default one first, then the newest."""
        ...

    async def default_of(self, user_id: UUID) -> PaymentMethod | None: ...
    async def lock(self, method_id: UUID) -> PaymentMethod | None: ...
    async def lock_shared(self, method_id: UUID) -> PaymentMethod | None:
        """The row, which nobody locks or changes until the transaction ends; others may share it."""
        ...

    async def lock_default(self, user_id: UUID) -> PaymentMethod | None:
        """The user's default method, its row locked as by `lock_shared`."""
        ...

    async def known_among(self, processor_ids: Sequence[str]) -> Sequence[PaymentMethod]: ...
    async def known_as(self, processor_method_id: str) -> UUID | None: ...
    async def lock_known(self, processor_method_id: str) -> PaymentMethod | None: ...
    async def add(self, method: PaymentMethod) -> bool:
        """False where the processor's method is known already; nothing is added then."""
        ...

    async def is_saved_twice(self, method: PaymentMethod) -> bool:
        """Whether another attached method of its user is the same card, by its fingerprint."""
        ...

    async def save(self, method: PaymentMethod) -> None: ...
    async def clear_default(self, user_id: UUID, *, at: datetime) -> PaymentMethod | None:
        """The method that was the default one until now, as it is from now on."""
        ...


class Setups(Protocol):
    async def get(self, setup_id: UUID) -> PaymentMethodSetup | None: ...
    async def by_ids(
        self, setup_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, PaymentMethodSetup]: ...
    async def known_as(self, processor_setup_id: str) -> UUID | None: ...
    async def lock(self, setup_id: UUID) -> PaymentMethodSetup | None: ...
    async def add(self, setup: PaymentMethodSetup) -> None: ...
    async def save(self, setup: PaymentMethodSetup) -> None: ...


class Operations(Protocol):
    async def find(self, caller_id: UUID, mutation: str, key: str) -> Operation | None: ...
    async def by_ids(
        self, operation_ids: Sequence[UUID], *, caller: UUID | None
    ) -> Mapping[UUID, Operation]: ...
    async def locked(self, operation_id: UUID) -> Operation: ...
    async def count_uses(self, caller_id: UUID, mutation: str, object_id: UUID, *, since: datetime) -> int:
        """How often this caller has asked for this about the object, whatever became of it."""
        ...

    async def is_any_open(self, object_id: UUID) -> bool:
        """Whether any operation on the object has not ended."""
        ...

    async def is_open(self, mutation: str, object_id: UUID) -> bool:
        """Whether such an operation on the object has not ended."""
        ...

    async def add(self, operation: Operation) -> bool:
        """
        False where the caller used this key for this mutation before; nothing is added then.

        Raises Busy where another operation on the same object has not ended.
        """
        ...

    async def save(self, operation: Operation) -> None: ...
    async def end(self, ended: Operation) -> bool:
        """False where it had ended before, in whichever way; nothing is changed then."""
        ...

    async def lease_abandoned(self, *, at: datetime, until: datetime, limit: int) -> Sequence[Operation]:
        """Operations that have not ended and nobody works on; each is leased to one asker only."""
        ...

    async def drop_expired(self, *, at: datetime) -> int: ...


class Audit(Lists[AuditRecord, AuditFilter], Protocol):
    async def add(self, record: AuditRecord) -> None:
        """To the end of its object's chain, whose writers the lock on the object's row keeps in a queue."""
        ...

    async def of_object(self, kind: ObjectKind, object_id: UUID) -> Sequence[AuditRecord]:
        """Oldest first."""
        ...

    async def by_ids(self, record_ids: Sequence[UUID]) -> Mapping[UUID, AuditRecord]: ...
    async def of_event(self, processor_event_id: str, *, since: datetime) -> Sequence[AuditRecord]:
        """What handling an event has brought about, the oldest first."""
        ...

    async def affected_by(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[AffectedObject]]:
        """What handling each event has changed, each object once; without those that changed nothing."""
        ...

    def in_chains(self) -> AsyncIterator[AuditRecord]:
        """All records, object by object, oldest first."""
        ...

    async def forgotten(self) -> Mapping[UUID, int]:
        """The users who were forgotten, with the sequence number of the last record that says so."""
        ...

    def hashes(self) -> AsyncIterator[RecordHash]:
        """Those of all records, by sequence number."""
        ...


class AuditSeals(Protocol):
    async def hold(self) -> bool:
        """The right to make a seal, until the transaction ends; False where somebody else has it."""
        ...

    async def last(self) -> AuditSeal | None: ...
    async def complete_up_to(self) -> int | None:
        """
        The last sequence number, once no transaction that may have a smaller one is left.

        None where one does not end in a few seconds.
        """
        ...

    async def unsealed(self, *, first: int, upto: int, limit: int) -> Sequence[RecordHash]: ...
    async def add(self, seal: AuditSeal) -> None: ...
    def in_order(self) -> AsyncIterator[AuditSeal]: ...


class Inbox(Lists[InboxEvent, EventFilter], Protocol):
    async def get(self, event_id: UUID) -> InboxEvent | None: ...
    async def by_ids(self, event_ids: Sequence[UUID]) -> Mapping[UUID, InboxEvent]: ...
    async def known_as(self, processor_event_id: str) -> UUID | None: ...
    async def lock(self, event_id: UUID) -> InboxEvent | None: ...
    async def stored_among(self, processor_event_ids: Sequence[str]) -> Collection[str]:
        """Those of the processor's events that were stored, by their ids."""
        ...

    async def statuses_about(self, processor_object_id: str) -> Collection[InboxStatus]:
        """How far events about this object have come, whatever their number."""
        ...

    async def last_about(self, processor_object_id: str) -> InboxEvent | None:
        """The youngest event about this object."""
        ...

    async def is_waited_for(self, processor_object_id: str, *, since: datetime) -> bool:
        """Whether a webhook about this object has come in since then that the worker has not handled yet."""
        ...

    async def add_all(self, events: Sequence[InboxEvent]) -> Sequence[UUID]:
        """The ids of those that were added: whose processor's event was not stored before."""
        ...

    async def about(self, processor_object_ids: Sequence[str]) -> Sequence[InboxEvent]:
        """All that the processor told of these objects."""
        ...

    async def payloads_like(
        self, pattern: str, *, after: UUID | None, limit: int
    ) -> Sequence[tuple[UUID, str | None]]:
        """The next events by id, each with its payload where that matches the regular expression."""
        ...

    async def rewrite(self, event_id: UUID, payload: str) -> None:
        """For what must not be kept of it."""
        ...

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        ...

    async def save(self, event: InboxEvent) -> None: ...
