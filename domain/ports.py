"""What the domain needs from the outside, as Protocols."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.audit_log import AuditFilter
from domain.audit_seal import AuditSeal, RecordHash
from domain.events import InboxEvent, ProcessorEvent
from domain.operation import ObjectKind, Operation
from domain.paging import Slice
from domain.payment import NextAction, Outcome, Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_method import MethodFacts, PaymentMethod, PaymentMethodSetup, SetupFacts

Clock: TypeAlias = Callable[[], datetime]
"""Now, in aware UTC."""


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

    async def known_as(self, processor_payment_id: str) -> UUID | None: ...
    async def lock(self, payment_id: UUID) -> Payment | None: ...
    async def add(self, payment: Payment) -> None: ...
    async def save(self, payment: Payment) -> None: ...
    async def listed(self, wanted: PaymentFilter, order: PaymentOrder, part: Slice) -> Sequence[Payment]:
        """At most `part.limit` payments, in the order in which the part is read."""
        ...

    async def count(self, wanted: PaymentFilter) -> int: ...


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


class Jobs(Protocol):
    async def handle_event(self, event_id: UUID) -> None:
        """Have the worker handle a stored event, if and only if the transaction commits."""
        ...


class Reads(Protocol):
    """The repositories; whoever opened them decides whether a transaction holds them together."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def payment_methods(self) -> PaymentMethods: ...
    @property
    def setups(self) -> Setups: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def audit_seals(self) -> AuditSeals: ...
    @property
    def inbox(self) -> Inbox: ...


class Work(Reads, Protocol):
    """One transaction."""

    @property
    def jobs(self) -> Jobs: ...


class Database(Protocol):
    def work(self) -> AbstractAsyncContextManager[Work]:
        """A transaction: a clean exit commits, an exception rolls back."""
        ...

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """A connection for single statements, each with its own snapshot."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Reads]:
        """Everything as it was at one moment, for statements that may take long."""
        ...


class PaymentProcessor(Protocol):
    """
    Every command carries `key`, under which the processor executes it once.

    All raise ProcessorUnavailable where the outcome is not known, and ProcessorRefused for a definite no.
    """

    @property
    def is_live(self) -> bool: ...
    async def create_customer(self, user_id: UUID, *, key: str) -> str: ...
    async def charge(
        self,
        payment: Payment,
        *,
        is_confirmed: bool,
        is_off_session: bool,
        saves_method: bool,
        return_url: str | None,
        key: str,
    ) -> Outcome:
        """A decline is an outcome, not an error."""
        ...

    async def confirm(self, payment: Payment, *, return_url: str | None, key: str) -> Outcome: ...
    async def capture(self, payment: Payment, *, amount: int | None, key: str) -> Outcome: ...
    async def cancel(self, payment: Payment, *, key: str) -> Outcome: ...
    async def find_payment(self, payment: Payment) -> Outcome | None:
        """What the processor knows of our payment, found by its id or by ours; None where it never heard of it."""
        ...

    async def next_action(self, payment: Payment) -> NextAction | None: ...
    async def start_setup(self, setup: PaymentMethodSetup, *, key: str) -> SetupFacts: ...
    async def setup_secret(self, setup: PaymentMethodSetup) -> str | None: ...
    async def attach_method(self, processor_method_id: str, customer_id: str, *, key: str) -> MethodFacts:
        """Raises Declined where the bank refuses the card."""
        ...

    async def find_method(self, processor_method_id: str) -> MethodFacts: ...
    async def update_method(
        self,
        method: PaymentMethod,
        *,
        exp_month: int | None,
        exp_year: int | None,
        billing_name: str | None,
        key: str,
    ) -> MethodFacts: ...
    async def detach_method(self, method: PaymentMethod, *, key: str) -> None: ...


class ProcessorNews(Protocol):
    """The processor's events, at the border."""

    def receive(self, body: bytes, signature: str, *, at: datetime) -> InboxEvent:
        """Raises InvalidInput unless the body is an event that the processor signed, lately."""
        ...

    def read(self, event: InboxEvent) -> ProcessorEvent: ...
