"""Where the domain keeps its objects: queries, and nothing else."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.audit_log import AuditFilter
from domain.audit_seal import AuditSeal, RecordHash
from domain.events import InboxEvent
from domain.operation import ObjectKind, Operation
from domain.paging import Per, Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_method import PaymentMethod, PaymentMethodSetup


class Accounts(Protocol):
    async def get(self, user_id: UUID) -> BillingAccount | None: ...
    async def by_ids(
        self, user_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, BillingAccount]: ...
    async def lock(self, user_id: UUID) -> BillingAccount | None: ...
    async def of_customer(self, processor_customer_id: str) -> BillingAccount | None: ...
    async def ensure(self, account: BillingAccount) -> BillingAccount:
        """The account of that user: this very one where there was none yet."""
        ...

    async def set_customer(
        self, user_id: UUID, processor_customer_id: str, *, at: datetime
    ) -> BillingAccount:
        """The first customer that is set stays."""
        ...


class Payments(Protocol):
    async def get(self, payment_id: UUID) -> Payment | None: ...
    async def by_ids(self, payment_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Payment]:
        """Those that exist and belong to the owner; None is everybody."""
        ...

    async def of_invoices(
        self, invoice_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Payment]]:
        """What pays each invoice, or has tried to, the oldest first."""
        ...

    async def known_as(self, processor_payment_id: str) -> UUID | None: ...
    async def lock(self, payment_id: UUID) -> Payment | None: ...
    async def add(self, payment: Payment) -> None: ...
    async def save(self, payment: Payment) -> None: ...
    async def listed(self, wanted: PaymentFilter, order: PaymentOrder, part: Slice) -> Sequence[Payment]:
        """At most `part.limit` payments, in the order in which the part is read."""
        ...

    async def count(self, wanted: PaymentFilter) -> int: ...
    async def listed_for(
        self,
        owners: Sequence[UUID],
        wanted: PaymentFilter,
        order: PaymentOrder,
        part: Slice,
        *,
        per: Per = Per.USER,
    ) -> Mapping[UUID, Sequence[Payment]]:
        """As `listed`, once for each user or subscription; those that have none may be left out."""
        ...

    async def counts_for(
        self, owners: Sequence[UUID], wanted: PaymentFilter, *, per: Per = Per.USER
    ) -> Mapping[UUID, int]: ...


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
    async def known_as(self, processor_method_id: str) -> UUID | None: ...
    async def lock_known(self, processor_method_id: str) -> PaymentMethod | None: ...
    async def add(self, method: PaymentMethod) -> bool:
        """False where the processor's method is known already; nothing is added then."""
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

    async def add(self, operation: Operation) -> bool:
        """
        False where the caller used this key for this mutation before; nothing is added then.

        Raises Busy where another operation on the same object has not ended.
        """
        ...

    async def save(self, operation: Operation) -> None: ...
    async def lease_abandoned(self, *, at: datetime, until: datetime, limit: int) -> Sequence[Operation]:
        """Operations that have not ended and nobody works on; each is leased to one asker only."""
        ...

    async def drop_expired(self, *, at: datetime) -> int: ...


class Audit(Protocol):
    async def add(self, record: AuditRecord) -> None:
        """To the end of its object's chain, whose writers the lock on the object's row keeps in a queue."""
        ...

    async def of_object(self, kind: ObjectKind, object_id: UUID) -> Sequence[AuditRecord]:
        """Oldest first."""
        ...

    async def by_ids(self, record_ids: Sequence[UUID]) -> Mapping[UUID, AuditRecord]: ...
    async def listed(self, wanted: AuditFilter, part: Slice) -> Sequence[AuditRecord]:
        """At most `part.limit` records, the newest first."""
        ...

    async def history(self, kind: ObjectKind, object_id: UUID, part: Slice) -> Sequence[AuditRecord]:
        """At most `part.limit` records of one object, the oldest first."""
        ...

    def in_chains(self) -> AsyncIterator[AuditRecord]:
        """All records, object by object, oldest first."""
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


class Inbox(Protocol):
    async def get(self, event_id: UUID) -> InboxEvent | None: ...
    async def add(self, event: InboxEvent) -> bool:
        """False where the processor's event was stored before; nothing is added then."""
        ...

    async def save(self, event: InboxEvent) -> None: ...
