"""Carries out commands: once per idempotency key, whatever crashes in between."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import SYSTEM, Actor
from domain.arguments import decoded, encoded, kept
from domain.attempt import Attempts, within
from domain.commands.catalogue import COMMANDS
from domain.commands.command import Command
from domain.customers import Customers
from domain.errors import (
    Busy,
    DatabaseUnavailable,
    DomainError,
    KeyInProgress,
    KeyReused,
    ProcessorUnavailable,
)
from domain.identity import new_id
from domain.operation import KEPT_FOR, Operation, checked_key, fingerprint_of
from domain.ports import Clock, Database, PaymentProcessor, Work
from domain.rules import Rules
from domain.slots import in_slots

LONGEST_ATTEMPT: Final = timedelta(seconds=25)
RESUMED_AT_ONCE: Final = 20
"""By all processes together, since one of them at a time resumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What became of a command; `is_replayed` where an earlier request with the same key did the work."""

    operation: Operation
    is_replayed: bool = False


class KeyWasUsed(Exception):
    """Another request with the key was first; the transaction must roll back."""


class NoCustomerYet(Exception):
    """The payer is unknown to the processor; the transaction must roll back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandService:
    """
    `deadline` bounds what one attempt at a command may ask of the processor; `lease` is longer, and when it is
    over others may resume the command.
    """

    database: Database
    processor: PaymentProcessor
    customers: Customers
    clock: Clock
    rules: Rules = field(default_factory=Rules)
    deadline: timedelta = LONGEST_ATTEMPT
    lease: timedelta = timedelta(seconds=30)

    async def execute(self, actor: Actor, command: Command[Any, Any], *, key: str | None = None) -> Executed:
        """
        Carry the command out, once per caller, mutation and key; a command without a key is its own first use.

        Business outcomes are in the operation. Raises a DomainError where nothing was written and the key is
        still free, KeyReused or KeyInProgress where an earlier use stands in the way, and DatabaseUnavailable
        where nobody knows: before the intent was committed or after it, the same key goes on from there.
        """
        caller = actor.known_id
        key = None if key is None else checked_key(key)
        if first := await self._first_use(caller, command, key):
            return await self._again(command, first)
        command.check(self.rules)
        until = self._deadline(self.lease)
        try:
            operation, intent = await self._intended(actor, command, key, until=until)
        except KeyWasUsed:
            return await self.execute(actor, command, key=key)
        except DatabaseUnavailable:
            raise
        except DomainError:
            # What stands in the way now may be what the first use of this very key has done meanwhile.
            if first := await self._first_use(caller, command, key):
                return await self._again(command, first)
            raise
        if not operation.has_ended:
            operation = await self.attempts.carry_out(actor, command, operation, intent, until=until)
        return Executed(operation=operation)

    async def resume(self, operation: Operation) -> Operation:
        """Go on where a crash or an unknown outcome left off; the caller holds the operation's lease."""
        command = decoded(COMMANDS[operation.mutation], operation.arguments)
        async with self.database.reads() as reads:
            intent = await command.recall(reads, operation)
        by = replace(SYSTEM, request_id=operation.request_id)
        until = self._deadline(operation.lease_left(self.clock()))
        return await self.attempts.carry_out(by, command, operation, intent, until=until, is_again=True)

    async def resume_abandoned(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """
        Resume what nobody works on any more, until nothing of it is due or `goes_on` denies. How many operations.

        Raises DatabaseUnavailable where nobody could tell what is due.
        """

        async def due(room: int) -> Sequence[Operation]:
            return await self._lease_due(room) if room and goes_on() else ()

        count, failures = await in_slots(due, self._resume_or_leave, slots=RESUMED_AT_ONCE)
        if unforeseen := [each for each in failures if not isinstance(each, DatabaseUnavailable)]:
            raise ExceptionGroup("Some operations could not be resumed", unforeseen)
        if failures and not count:
            raise failures[0]
        return count

    async def _lease_due(self, most: int) -> Sequence[Operation]:
        """Nothing while the processor is known to be unwell: it would only wait longer after each attempt in vain."""
        now, limit = self.clock(), self.processor.welcomes(most)
        if not limit:
            return ()
        async with self.database.work() as work:
            return await work.operations.lease_abandoned(at=now, until=now + self.lease, limit=limit)

    async def _resume_or_leave(self, operation: Operation) -> Operation:
        """What fails for a reason that nobody foresaw is tried again, too, with pauses that grow."""
        try:
            return await self.resume(operation)
        except DatabaseUnavailable:
            raise
        except Exception as unforeseen:
            unforeseen.add_note(f"while the operation {operation.id} ({operation.mutation}) was resumed")
            await self.attempts.leave_open(operation, ProcessorUnavailable())
            raise

    async def drop_expired(self) -> int:
        """Forget operations whose keys are free again. How many."""
        async with self.database.work() as work:
            return await work.operations.drop_expired(at=self.clock())

    def _deadline(self, lease_left: timedelta) -> float:
        """On the event loop's clock; the attempt's time runs from when its lease was taken."""
        left = lease_left - (self.lease - self.deadline)
        return asyncio.get_running_loop().time() + left.total_seconds()

    @property
    def attempts(self) -> Attempts:
        return Attempts(database=self.database, processor=self.processor, clock=self.clock, rules=self.rules)

    async def _payer(self, actor: Actor, command: Command[Any, Any], *, until: float) -> BillingAccount:
        async with within(until):
            return await self.customers.with_customer(command.payer(actor), by=actor)

    async def _first_use(self, caller: UUID, command: Command[Any, Any], key: str | None) -> Operation | None:
        if key is None:
            return None
        async with self.database.reads() as reads:
            return await reads.operations.find(caller, command.mutation, key)

    async def _intended(
        self, actor: Actor, command: Command[Any, Any], key: str | None, *, until: float
    ) -> tuple[Operation, object]:
        """Most payers have a customer, and the others get one first: not while a transaction is open."""
        try:
            return await self._commit_intent(actor, command, key)
        except NoCustomerYet:
            payer = await self._payer(actor, command, until=until)
        return await self._commit_intent(actor, command, key, payer)

    async def _commit_intent(
        self,
        actor: Actor,
        command: Command[Any, Any],
        key: str | None,
        known: BillingAccount | None = None,
    ) -> tuple[Operation, object]:
        now = self.clock()
        async with self.database.work() as work:
            payer = await self._held_payer(work, actor, command, known)
            step = replace(self.attempts.step(work, actor, now, payer), is_keyed=key is not None)
            object_id, intent = await command.intend(step)
            operation = Operation(
                id=new_id(),
                caller_id=actor.known_id,
                mutation=command.mutation,
                key=key or f"unkeyed-{new_id()}",
                fingerprint=fingerprint_of(encoded(command)),
                arguments=kept(command.decided(intent)),
                object_kind=command.object_kind,
                object_id=object_id,
                request_id=actor.request_id,
                leased_until=now + self.lease,
                started_at=now,
                expires_at=now + KEPT_FOR,
            )
            if command.is_local:
                operation = operation.ended(object_id=object_id, verdict=None, at=now)
            if not await work.operations.add(operation):
                raise KeyWasUsed
        return operation, intent

    async def _held_payer(
        self, work: Work, actor: Actor, command: Command[Any, Any], known: BillingAccount | None
    ) -> BillingAccount | None:
        if not command.needs_customer:
            return None
        return await (kept_payer(work, known) if known else locked_payer(work, command.payer(actor)))

    async def _again(self, command: Command[Any, Any], first: Operation) -> Executed:
        if differing := first.differing_fields(fingerprint_of(encoded(command))):
            raise KeyReused(first, differing)
        operation = first if first.has_ended else await self._taken_over(first)
        return Executed(operation=operation, is_replayed=True)

    async def _taken_over(self, first: Operation) -> Operation:
        now = self.clock()
        async with self.database.work() as work:
            operation = await work.operations.locked(first.id)
            if operation.has_ended:
                return operation
            if operation.is_worked_on_at(now):
                raise KeyInProgress(operation)
            operation = operation.leased(now + self.lease)
            await work.operations.save(operation)
        return await self.resume(operation)


async def locked_payer(work: Work, user_id: UUID) -> BillingAccount:
    """
    The payer's account, whom nobody begins to forget until the transaction ends.

    Raises NoCustomerYet, or Busy where the payer is being forgotten.
    """
    account = await locked_account(work, user_id)
    if account is None or account.processor_customer_id is None:
        raise NoCustomerYet
    return account


async def kept_payer(work: Work, known: BillingAccount) -> BillingAccount:
    """
    As `locked_payer`, of whom it was known a moment ago that there is a customer: the account as it was then.

    Raises Busy where the payer is being forgotten, or was just now and its customer is gone.
    """
    account = await locked_account(work, known.user_id)
    if account is not None and account.processor_customer_id != known.processor_customer_id:
        raise Busy("This person was forgotten just now, and may begin anew.", current="FORGOTTEN")
    return known


async def locked_account(work: Work, user_id: UUID) -> BillingAccount | None:
    account = await work.accounts.lock(user_id)
    if account is not None:
        account.must_not_be_forgotten_now()
    return account
