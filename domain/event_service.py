"""The processor's events for those who run the gateway: what came in, what it did, and once more where it did not."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from domain.actor import Actor
from domain.attempt import within
from domain.audit import AuditRecord
from domain.command_service import CommandService, Executed
from domain.commands.webhooks import ReplayWebhookEvent
from domain.errors import EventNotApplied, NotFound, ProcessorUnavailable
from domain.event_list import NEWEST_FIRST, EventFilter
from domain.event_queue import OPERATORS, queue_again
from domain.events import InboxEvent
from domain.paging import Page, Slice, page_of
from domain.ports import Clock, Database, PaymentProcessor, Work
from domain.rehearsal import Rehearsal
from domain.webhook_service import WebhookService

DEADLINE: Final = timedelta(seconds=25)
"""How long one attempt may take; after that the worker goes on with it."""

Webhooks: TypeAlias = Callable[[Database, PaymentProcessor], WebhookService]
"""The service over another database and processor than the usual ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """
    What became of an event that was applied once more, or would become of it.

    `changes` are in order; those of an attempt that failed half-way stay, since it is tried again. `executed` is the
    use of the idempotency key, if there was one; `jobs` are the names of those that would follow.
    """

    event: InboxEvent
    changes: Sequence[AuditRecord] = ()
    jobs: Sequence[str] = ()
    failure: EventNotApplied | None = None
    executed: Executed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventService:
    database: Database
    processor: PaymentProcessor
    commands: CommandService
    webhooks: WebhookService
    webhooks_over: Webhooks
    rehearsal: Rehearsal
    clock: Clock

    async def page(self, actor: Actor, wanted: EventFilter, part: Slice) -> Page[InboxEvent]:
        """The newest first. Raises Forbidden for all but admins."""
        actor.must_be(OPERATORS)
        async with self.database.reads() as reads:
            rows = await reads.inbox.listed(wanted, NEWEST_FIRST, part.one_more())
        return page_of(rows, part)

    async def replay(self, actor: Actor, event_id: UUID, *, key: str | None = None) -> Replay:
        """
        Apply an event now, whatever became of it before, once per idempotency key.

        That it is queued again is committed first, so that the worker does what a crash or a failure leaves undone.
        With the key once more, this is one more attempt where the others failed. Raises Forbidden, NotFound or
        StateConflict.
        """
        executed = await self.commands.execute(actor, ReplayWebhookEvent(event_id=event_id), key=key)
        replay = await self._apply(event_id, since=executed.operation.started_at)
        return replace(replay, executed=executed)

    async def replay_from_shell(self, operator: Actor, event_id: UUID) -> Replay:
        """As `replay`, for who has no user id of their own."""
        now = self.clock()
        async with self.database.work() as work:
            await self._queue(work, event_id, now, operator)
        return await self._apply(event_id, since=now)

    async def rehearse(self, actor: Actor, event_id: UUID) -> Replay:
        """Exactly what `replay` would change now, and nothing is changed. Raises what it does, and Busy."""
        actor.must_be(OPERATORS)
        now = self.clock()

        async def action(database: Database, processor: PaymentProcessor) -> InboxEvent:
            async with database.work() as work:
                await self._queue(work, event_id, now, actor)
            await self.webhooks_over(database, processor).attempt(event_id)
            return await stored(database, event_id)

        async with within(_deadline()):
            rehearsed = await self.rehearsal.of(action)
        return Replay(
            event=await stored(self.database, event_id),
            changes=[record for record in rehearsed.changes if record.object_id != event_id],
            jobs=rehearsed.jobs,
            failure=failure_of(rehearsed.result),
        )

    async def _queue(self, work: Work, event_id: UUID, at: datetime, by: Actor) -> None:
        await queue_again(work, event_id, is_live=self.processor.is_live, at=at, by=by)

    async def _apply(self, event_id: UUID, *, since: datetime) -> Replay:
        with suppress(ProcessorUnavailable):  # Then the event is not handled yet, which is told below.
            async with within(_deadline()):
                await self.webhooks.attempt(event_id)
        event = await stored(self.database, event_id)
        async with self.database.reads() as reads:
            changes = await reads.audit.of_event(event.processor_event_id, since=since)
        return Replay(event=event, changes=changes, failure=failure_of(event))


async def stored(database: Database, event_id: UUID) -> InboxEvent:
    async with database.reads() as reads:
        event = await reads.inbox.get(event_id)
    if event is None:
        raise NotFound("There is no such event.", path=("id",))
    return event


def failure_of(event: InboxEvent) -> EventNotApplied | None:
    if event.handled_at is not None:
        return None
    return EventNotApplied(event.last_error or "this takes long, and the worker goes on with it.")


def _deadline() -> float:
    """On the event loop's clock."""
    return asyncio.get_running_loop().time() + DEADLINE.total_seconds()
