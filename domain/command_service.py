"""Carries out commands: once per idempotency key, whatever crashes in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import SYSTEM, Actor
from domain.arguments import decoded, encoded, kept
from domain.commands.catalogue import COMMANDS
from domain.commands.command import Command, Conclusion, Step
from domain.customers import Customers
from domain.errors import (
    Busy,
    DatabaseUnavailable,
    DomainError,
    KeyInProgress,
    KeyReused,
    ProcessorRefused,
    ProcessorUnavailable,
    Verdict,
)
from domain.identity import new_id
from domain.operation import KEPT_FOR, Operation, checked_key, fingerprint_of
from domain.ports import Clock, Database, PaymentProcessor, Work
from domain.rules import Rules
from domain.slots import in_slots

KEYS_ARE_KNOWN_FOR: Final = timedelta(hours=24)
"""How long the processor remembers a key: https://docs.stripe.com/api/idempotent_requests"""
LONGEST_ATTEMPT: Final = timedelta(seconds=25)
RESUMED_AT_ONCE: Final = 20
"""By all processes together, since one of them at a time resumes."""
HANDING_OVER: Final = timedelta(seconds=2)
"""How long an attempt that is cut off may take to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What became of a command; `is_replayed` where an earlier request with the same key did the work."""

    operation: Operation
    is_replayed: bool = False


class KeyWasUsed(Exception):
    """Another request with the key was first; the transaction must roll back."""


class NoCustomerYet(Exception):
    """The payer is unknown to the processor; the transaction must roll back."""


@asynccontextmanager
async def within(moment: float) -> AsyncIterator[None]:
    """What has no answer at that moment of the event loop's clock is not known: raises ProcessorUnavailable."""
    try:
        async with asyncio.timeout_at(moment):
            yield
    except TimeoutError as late:
        raise ProcessorUnavailable from late


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
            operation = await self._carry_out(actor, command, operation, intent, until=until)
        return Executed(operation=operation)

    async def resume(self, operation: Operation) -> Operation:
        """Go on where a crash or an unknown outcome left off; the caller holds the operation's lease."""
        command = decoded(COMMANDS[operation.mutation], operation.arguments)
        async with self.database.reads() as reads:
            intent = await command.recall(reads, operation)
        by = replace(SYSTEM, request_id=operation.request_id)
        until = self._deadline(operation.lease_left(self.clock()))
        return await self._carry_out(by, command, operation, intent, until=until, is_again=True)

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
            await self._leave_open(operation, ProcessorUnavailable())
            raise

    async def drop_expired(self) -> int:
        """Forget operations whose keys are free again. How many."""
        async with self.database.work() as work:
            return await work.operations.drop_expired(at=self.clock())

    def _deadline(self, lease_left: timedelta) -> float:
        """On the event loop's clock; the attempt's time runs from when its lease was taken."""
        left = lease_left - (self.lease - self.deadline)
        return asyncio.get_running_loop().time() + left.total_seconds()

    def _step(self, work: Work, actor: Actor, at: datetime, payer: BillingAccount | None = None) -> Step:
        is_live, rules = self.processor.is_live, self.rules
        return Step(work=work, at=at, by=actor, is_live=is_live, rules=rules, payer=payer)

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
            payer = await _held(work, command.payer(actor), known) if command.needs_customer else None
            step = replace(self._step(work, actor, now, payer), is_keyed=key is not None)
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

    async def _carry_out(
        self,
        actor: Actor,
        command: Command[Any, Any],
        operation: Operation,
        intent: Any,
        *,
        until: float,
        is_again: bool = False,
    ) -> Operation:
        async with self._handed_over_if_cut_off(operation):
            try:
                async with within(until):
                    answer = await self._earlier_answer(command, operation, intent) if is_again else None
                    if answer is None:
                        key = operation.attempt_key if command.is_repeatable else operation.processor_key
                        answer = await command.call(self.processor, intent, key=key)
            except ProcessorUnavailable as unknown:
                return await self._leave_open(operation, unknown)
            except Verdict as verdict:
                return await self._give_up(actor, command, operation, intent, verdict)
            return await self._conclude(actor, command, operation, intent, answer)

    @asynccontextmanager
    async def _handed_over_if_cut_off(self, operation: Operation) -> AsyncIterator[None]:
        try:
            yield
        except (asyncio.CancelledError, DatabaseUnavailable):
            await self._hand_over(operation)
            raise

    async def _hand_over(self, operation: Operation) -> None:
        """
        Let others go on soon after an attempt that was cut off, as by a shutdown, or could not write down its end.

        Where that is impossible, too, they do so when the lease is over.
        """
        with suppress(TimeoutError, DatabaseUnavailable):
            async with asyncio.timeout(HANDING_OVER.total_seconds()), self.database.work() as work:
                current = await work.operations.locked(operation.id)
                if current.is_same_attempt(operation):
                    await work.operations.save(current.handed_over(at=self.clock()))

    async def _earlier_answer(self, command: Command[Any, Any], operation: Operation, intent: Any) -> Any:
        """
        A processor that will not tell leaves open what it did: raises ProcessorUnavailable.

        What it never heard of in a day is given up, since nobody waits for it any more: raises ProcessorRefused.
        """
        is_late = self.clock() > operation.started_at + KEYS_ARE_KNOWN_FOR
        try:
            answer = await command.ask(self.processor, intent)
            is_lost = answer is None and is_late and not await command.was_begun(self.processor, intent)
        except ProcessorUnavailable:
            raise
        except Verdict as untold:
            raise ProcessorUnavailable from untold
        if is_lost:
            raise ProcessorRefused("This was not carried out in time.", reason="too_late")
        return answer

    async def _conclude(
        self, actor: Actor, command: Command[Any, Any], operation: Operation, intent: Any, answer: Any
    ) -> Operation:
        async with self.database.work() as work:
            step = self._step(work, actor, self.clock())
            conclusion = await command.conclude(step, intent, answer)
            return await self._end(step, operation, conclusion)

    async def _give_up(
        self, actor: Actor, command: Command[Any, Any], operation: Operation, intent: Any, verdict: Verdict
    ) -> Operation:
        async with self.database.work() as work:
            step = self._step(work, actor, self.clock())
            object_id = await command.give_up(step, intent, verdict)
            return await self._end(step, operation, Conclusion(object_id=object_id, verdict=verdict))

    async def _end(self, step: Step, operation: Operation, conclusion: Conclusion) -> Operation:
        ended = operation.ended(
            object_id=conclusion.object_id,
            verdict=conclusion.verdict,
            processor_payment_id=conclusion.processor_payment_id,
            at=step.at,
        )
        is_first = await step.work.operations.end(ended)
        return ended if is_first else await step.work.operations.locked(operation.id)

    async def _leave_open(self, operation: Operation, why: ProcessorUnavailable) -> Operation:
        """Tell the caller that no outcome is known; whoever has taken the operation over meanwhile keeps it."""
        async with self.database.work() as work:
            current = await work.operations.locked(operation.id)
            if current.has_ended:
                return current
            left_open = current.left_open(why, at=self.clock())
            if current.is_same_attempt(operation):
                await work.operations.save(left_open)
        return left_open


async def _held(work: Work, user_id: UUID, known: BillingAccount | None) -> BillingAccount:
    """
    The payer's account with its customer; nobody begins to forget the payer until the transaction ends.

    `known` is as it was a moment ago. Raises NoCustomerYet, or Busy where the payer is being forgotten, or was just now
    and its customer is gone.
    """
    account = await work.accounts.lock(user_id)
    if account is not None:
        account.must_not_be_forgotten_now()
    if known is None:
        if account is None or account.processor_customer_id is None:
            raise NoCustomerYet
        return account
    if account is not None and account.processor_customer_id != known.processor_customer_id:
        raise Busy("This person was forgotten just now, and may begin anew.", current="FORGOTTEN")
    return known
