"""
A person is forgotten, and the books stay.

What stays: amounts, dates, states, ids, the brand, last four digits and expiry of the card that paid, and the audit
trail but for its personal values. What goes is said where the tables are: `persistence/people.py`. Whoever comes back
with the same user id has bought what they bought, and begins anew otherwise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.audit import FORGOTTEN, AuditRecord, audit_record
from domain.command_service import CommandService
from domain.commands.command import Command
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.subscriptions.ending import CancelSubscription
from domain.dispute import DisputeStatus
from domain.errors import NotFound, ProcessorUnavailable, StateConflict
from domain.events import InboxEvent
from domain.operation import ObjectKind
from domain.payment_status import PaymentStatus
from domain.ports import Clock, Database, PaymentProcessor, ProcessorNews, Work
from domain.subscription import CancelTiming
from domain.subscription_status import LIVE

OBSTACLES: Final[Mapping[ObjectKind, tuple[Collection[StrEnum], str]]] = {
    ObjectKind.SUBSCRIPTION: (LIVE, "Subscriptions go on"),
    ObjectKind.PAYMENT: (
        (
            PaymentStatus.PENDING,
            PaymentStatus.REQUIRES_ACTION,
            PaymentStatus.PROCESSING,
            PaymentStatus.AUTHORIZED,
        ),
        "Payments are under way, so cancel them or wait",
    ),
    ObjectKind.DISPUTE: (
        (DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW),
        "Disputes are undecided, and need their evidence",
    ),
}
"""What needs the person still."""
EVENTS_AT_A_TIME: Final = 500
OPERATOR: Final = "payments-gateway forget-user"
"""How the audit trail calls whoever has a shell beside the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """
    What was done this time. `rows` counts the changed ones by table.

    `events_waiting` have not been applied yet, and `older_records` of the audit trail are of a version that kept
    personal values inside: both still tell of the person.
    """

    subscriptions_cancelled: int = 0
    methods_removed: int = 0
    is_customer_deleted: bool = False
    events_emptied: int = 0
    events_waiting: int = 0
    rows: Mapping[str, int]
    older_records: int = 0

    @property
    def is_complete(self) -> bool:
        return self.events_waiting == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """First at the processor, then here; each step may have been done before, so a crash is answered by repetition."""

    database: Database
    processor: PaymentProcessor
    commands: CommandService
    news: ProcessorNews
    clock: Clock

    async def forget(
        self, user_id: UUID, *, cancels_subscriptions: bool = False, is_meant_anew: bool = False
    ) -> Forgotten:
        """
        Whoever was forgotten and has come back is forgotten once more only where that is meant.

        Raises NotFound for a user who was never here, StateConflict where something is under way that needs the
        person, and ProcessorUnavailable and ProcessorRefused where the processor does not do its part: then the
        account stays closed until this is run again.
        """
        account = await self._close(user_id, is_meant_anew=is_meant_anew)
        try:
            await self._must_be_over(user_id, cancels_subscriptions=cancels_subscriptions)
        except StateConflict:
            await self._open(user_id)
            raise
        cancelled = await self._cancel_subscriptions(user_id)
        removed = await self._remove_methods(user_id)
        if account.processor_customer_id is not None:
            await self.processor.delete_customer(account.processor_customer_id)
        emptied, waiting = await self._empty_events(account)
        rows, older = await self._take_out(user_id)
        return Forgotten(
            subscriptions_cancelled=cancelled,
            methods_removed=removed,
            is_customer_deleted=account.processor_customer_id is not None,
            events_emptied=emptied,
            events_waiting=waiting,
            rows=rows,
            older_records=older,
        )

    async def _close(self, user_id: UUID, *, is_meant_anew: bool) -> BillingAccount:
        """The account, where nothing new begins from now on; what began before can be seen once this is done."""
        async with self.database.work() as work:
            account = await _locked(work, user_id)
            if account.forgetting_since is not None:
                return account
            if account.has_come_back and not is_meant_anew:
                when = f"{account.forgotten_at:%Y-%m-%d}"
                raise StateConflict(
                    f"They were forgotten on {when}, and have come back; --anew forgets them again.",
                    current="CAME_BACK",
                )
            closed = replace(account, forgetting_since=self.clock())
            await work.accounts.save(closed)
        return closed

    async def _open(self, user_id: UUID) -> None:
        async with self.database.work() as work:
            account = await _locked(work, user_id)
            await work.accounts.save(replace(account, forgetting_since=None))

    async def _must_be_over(self, user_id: UUID, *, cancels_subscriptions: bool) -> None:
        async with self.database.reads() as reads:
            for kind, (statuses, what) in OBSTACLES.items():
                found = await reads.people.in_state(kind, user_id, statuses)
                if found and not (cancels_subscriptions and kind is ObjectKind.SUBSCRIPTION):
                    named = ", ".join(f"{object_id} ({status})" for object_id, status in found)
                    raise StateConflict(f"{what}: {named}", current="UNDER_WAY")
            if await reads.people.has_open_operation(user_id):
                raise StateConflict("A command of theirs, or about theirs, is still running.", current="BUSY")

    async def _cancel_subscriptions(self, user_id: UUID) -> int:
        async with self.database.reads() as reads:
            live = await reads.subscriptions.live_of_user(user_id)
        for each in live:
            await self._do(user_id, CancelSubscription(subscription_id=each.id, timing=CancelTiming.NOW))
        return len(live)

    async def _remove_methods(self, user_id: UUID) -> int:
        async with self.database.reads() as reads:
            found = await reads.payment_methods.of_users([user_id], owner=None, with_detached=False)
        methods = found.get(user_id, ())
        for each in methods:
            await self._do(user_id, DeletePaymentMethod(method_id=each.id))
        return len(methods)

    async def _do(self, user_id: UUID, command: Command[Any, Any]) -> None:
        """What is left open is gone on with by the worker, and waited for by the next run."""
        executed = await self.commands.execute(_operator(user_id), command)
        if (verdict := executed.operation.verdict) is not None:
            raise verdict
        if not executed.operation.has_ended:
            raise ProcessorUnavailable

    async def _empty_events(self, account: BillingAccount) -> tuple[int, int]:
        """How many were emptied, and how many have to be applied before they can be."""
        emptied = waiting = 0
        for event in await self._events_about(account):
            if event.handled_at is None:
                waiting += 1
            elif (empty := self.news.emptied(event)) != event.payload:
                async with self.database.work() as work:
                    await work.inbox.rewrite(event.id, empty)
                emptied += 1
        return emptied, waiting

    async def _events_about(self, account: BillingAccount) -> Sequence[InboxEvent]:
        async with self.database.reads() as reads:
            named = await reads.people.processor_ids(account.user_id)
            events = {each.id: each for each in await reads.inbox.about(named)}
            trail = await reads.audit.of_object(ObjectKind.BILLING_ACCOUNT, account.user_id)
        for customer_id in _customers(account, trail):
            events |= await self._events_that_name(customer_id)
        return list(events.values())

    async def _events_that_name(self, text: str) -> Mapping[UUID, InboxEvent]:
        """Anywhere inside: what the processor tells of a customer is not all about an object of ours."""
        events: dict[UUID, InboxEvent] = {}
        last: UUID | None = None
        while True:
            async with self.database.reads() as reads:
                found = await reads.inbox.payloads_like(text, after=last, limit=EVENTS_AT_A_TIME)
                events |= await reads.inbox.by_ids([event_id for event_id, payload in found if payload])
            if not found:
                return events
            last = found[-1][0]

    async def _take_out(self, user_id: UUID) -> tuple[Mapping[str, int], int]:
        """All at once, with the record that it was done; what was done before is not recorded again."""
        now = self.clock()
        async with self.database.work() as work:
            account = await _locked(work, user_id)
            rows = await work.people.forget(user_id)
            older = await work.people.told_by_older_records(user_id)
            if rows or account.processor_customer_id is not None or account.forgotten_at is None:
                after = _forgotten(account, at=now)
                await work.accounts.save(after)
                record = audit_record(FORGOTTEN, account, after, at=now, by=_operator(user_id))
                await work.audit.add(record)
            else:
                await work.accounts.save(replace(account, forgetting_since=None))
        return rows, older


async def _locked(work: Work, user_id: UUID) -> BillingAccount:
    account = await work.accounts.lock(user_id)
    if account is None:
        raise NotFound("There is no such user here.")
    return account


def _customers(account: BillingAccount, trail: Sequence[AuditRecord]) -> set[str]:
    """The one that there is, and those of former times."""
    known = {record.after.get("processor_customer_id") for record in trail}
    return {str(each) for each in {*known, account.processor_customer_id} if each is not None}


def _forgotten(account: BillingAccount, *, at: datetime) -> BillingAccount:
    return replace(account, processor_customer_id=None, forgotten_at=at, forgetting_since=None, updated_at=at)


def _operator(user_id: UUID) -> Actor:
    return Actor(role=Role.SYSTEM, user_id=user_id, request_id=OPERATOR)
