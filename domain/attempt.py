"""One attempt at an operation: the processor is asked, and what it says is written down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.account import BillingAccount
from domain.actor import Actor
from domain.commands.command import Command, Conclusion, Step
from domain.errors import DatabaseUnavailable, ProcessorRefused, ProcessorUnavailable, Verdict
from domain.operation import Operation
from domain.ports import Clock, Database, PaymentProcessor, Work
from domain.rules import Rules

KEYS_ARE_KNOWN_FOR: Final = timedelta(hours=24)
"""How long the processor remembers a key: https://docs.stripe.com/api/idempotent_requests"""
HANDING_OVER: Final = timedelta(seconds=2)
"""How long an attempt that is cut off may take to say so."""


@asynccontextmanager
async def within(moment: float) -> AsyncIterator[None]:
    """What has no answer at that moment of the event loop's clock is not known: raises ProcessorUnavailable."""
    try:
        async with asyncio.timeout_at(moment):
            yield
    except TimeoutError as late:
        raise ProcessorUnavailable from late


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """At operations whose intent is committed. Whoever makes one holds the operation's lease."""

    database: Database
    processor: PaymentProcessor
    clock: Clock
    rules: Rules

    def step(self, work: Work, actor: Actor, at: datetime, payer: BillingAccount | None = None) -> Step:
        is_live, rules = self.processor.is_live, self.rules
        return Step(work=work, at=at, by=actor, is_live=is_live, rules=rules, payer=payer)

    async def carry_out(
        self,
        actor: Actor,
        command: Command[Any, Any],
        operation: Operation,
        intent: Any,
        *,
        until: float,
        is_again: bool = False,
    ) -> Operation:
        """`is_again` where an earlier attempt may have asked the processor: then its answer is looked for first."""
        async with self._handed_over_if_cut_off(operation):
            try:
                async with within(until):
                    answer = await self._earlier_answer(command, operation, intent) if is_again else None
                    if answer is None:
                        key = operation.attempt_key if command.is_repeatable else operation.processor_key
                        answer = await command.call(self.processor, intent, key=key)
            except ProcessorUnavailable as unknown:
                return await self.leave_open(operation, unknown)
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
            step = self.step(work, actor, self.clock())
            conclusion = await command.conclude(step, intent, answer)
            return await self._end(step, operation, conclusion)

    async def _give_up(
        self, actor: Actor, command: Command[Any, Any], operation: Operation, intent: Any, verdict: Verdict
    ) -> Operation:
        async with self.database.work() as work:
            step = self.step(work, actor, self.clock())
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

    async def leave_open(self, operation: Operation, why: ProcessorUnavailable) -> Operation:
        """Tell the caller that no outcome is known; whoever has taken the operation over meanwhile keeps it."""
        async with self.database.work() as work:
            current = await work.operations.locked(operation.id)
            if current.has_ended:
                return current
            left_open = current.left_open(why, at=self.clock())
            if current.is_same_attempt(operation):
                await work.operations.save(left_open)
        return left_open
