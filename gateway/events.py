"""`payments-gateway events`: what Stripe has told, and once more what could not be applied."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson
import typer

from domain.actor import SYSTEM
from domain.audit import AuditRecord
from domain.billing_event import summary
from domain.errors import DomainError, NotFound
from domain.event_list import NEWEST_FIRST, EventFilter
from domain.event_service import EventService, Replay
from domain.events import EVENT, InboxEvent, InboxStatus
from domain.paging import LARGEST_PAGE, Slice
from domain.ports import Database
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from gql.ids import global_id, id_of
from gql.loaders import RECORDED
from processor.stripe_secrets import SUSPICIOUS, cleaned_payload

EVENTS_AT_A_TIME: Final = 500
OPERATOR: Final = replace(SYSTEM, request_id="payments-gateway events")
"""Whoever has a shell beside the gateway, as the audit trail calls them."""


async def tell_events(
    settings: Settings, statuses: Sequence[InboxStatus] | None, kind: str | None, *, limit: int, as_json: bool
) -> None:
    wanted = EventFilter(statuses=None if statuses is None else tuple(statuses), type=kind)
    async with wired(settings) as gateway:
        async for event in listed(gateway.services.events, wanted, limit=limit):
            typer.echo(_line(told(event)) if as_json else sentence(event))


async def replay_all(settings: Settings, named: Sequence[str], *, is_dry: bool, as_json: bool) -> bool:
    """Those that are named, or all that are HELD. Whether each could be applied."""
    all_applied = True
    async with wired(settings) as gateway:
        for name, event_id in await _chosen(gateway, named):
            try:
                replay = await _replay(gateway.services.events, event_id, is_dry=is_dry)
            except DomainError as refusal:
                all_applied = False
                typer.echo(
                    _line({"event": name, "error": refusal.message}) if as_json else f"{name}: {refusal}"
                )
                continue
            all_applied &= replay.failure is None
            typer.echo(_line(told_replay(replay)) if as_json else account(replay, is_dry=is_dry))
    return all_applied


async def scrubbed(settings: Settings) -> int:
    """Remove from stored events what is removed from new ones when they come in. How many."""
    count = 0
    async with wired(settings) as gateway:
        async for event_id, payload in payloads_like(gateway.services.database, SUSPICIOUS):
            clean = cleaned_payload(payload)
            if clean != payload:
                async with gateway.services.database.work() as work:
                    await work.inbox.rewrite(event_id, clean)
                count += 1
    return count


async def payloads_like(database: Database, pattern: str) -> AsyncIterator[tuple[UUID, str]]:
    """All that match the regular expression, a few at a time."""
    last: UUID | None = None
    while True:
        async with database.reads() as reads:
            found = await reads.inbox.payloads_like(pattern, after=last, limit=EVENTS_AT_A_TIME)
        for event_id, payload in found:
            if payload is not None:
                yield event_id, payload
        if not found:
            return
        last = found[-1][0]


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Gateway]:
    gateway = wire(settings)
    try:
        yield gateway
    finally:
        await gateway.close()


async def listed(
    events: EventService, wanted: EventFilter, *, limit: int | None = None
) -> AsyncIterator[InboxEvent]:
    """The newest first, page by page."""
    part, left = Slice(limit=min(limit or LARGEST_PAGE, LARGEST_PAGE)), limit
    while True:
        page = await events.page(OPERATOR, wanted, part)
        for event in page.items if left is None else page.items[:left]:
            yield event
        left = None if left is None else left - len(page.items)
        if not page.has_next or (left is not None and left <= 0):
            return
        part = replace(part, start=NEWEST_FIRST.place_of(page.items[-1]))


async def _chosen(gateway: Gateway, named: Sequence[str]) -> list[tuple[str, UUID | None]]:
    """By the name by which to tell of each; None where there is no such event."""
    if named:
        return [(name, await _event_called(gateway, name)) for name in named]
    held = EventFilter(statuses=(InboxStatus.HELD,))
    found = [(each.processor_event_id, each.id) async for each in listed(gateway.services.events, held)]
    return [*reversed(found)]


async def _event_called(gateway: Gateway, name: str) -> UUID | None:
    if not name.startswith(EVENT):
        try:
            return id_of(InboxEvent, name)
        except NotFound:
            return None
    async with gateway.services.database.reads() as reads:
        return await reads.inbox.known_as(name)


async def _replay(events: EventService, event_id: UUID | None, *, is_dry: bool) -> Replay:
    if event_id is None:
        raise NotFound("There is no such event.")
    if is_dry:
        return await events.rehearse(OPERATOR, event_id)
    return await events.replay_from_shell(OPERATOR, event_id)


def sentence(event: InboxEvent) -> str:
    why = f": {event.last_error}" if event.last_error else ""
    tries = "1 try" if event.attempts == 1 else f"{event.attempts} tries"
    return (
        f"{event.received_at:%Y-%m-%d %H:%M:%S} {event.status:8} {event.processor_event_id} {event.type}, "
        f"{tries}{why}"
    )


def account(replay: Replay, *, is_dry: bool) -> str:
    """What became of it, or would, with a line for each change and each job."""
    event, count = replay.event, len(replay.changes)
    outcome = replay.failure or ("would be applied" if is_dry else "applied")
    return "\n".join(
        [
            f"{event.processor_event_id} {event.type}: {outcome} ({count} {'change' if count == 1 else 'changes'})",
            *(f"  {_object_of(change)}: {summary(change)}" for change in replay.changes),
            *(f"  then the job {job}" for job in replay.jobs),
        ]
    )


def told(event: InboxEvent) -> dict[str, Any]:
    return {
        "id": global_id(InboxEvent, event.id),
        "event": event.processor_event_id,
        "type": event.type,
        "status": event.status,
        "attempts": event.attempts,
        "last_error": event.last_error,
        "received_at": event.received_at,
        "handled_at": event.handled_at,
    }


def told_replay(replay: Replay) -> dict[str, Any]:
    return {
        **told(replay.event),
        "error": None if replay.failure is None else replay.failure.message,
        "changes": [_told_change(change) for change in replay.changes],
        "jobs": list(replay.jobs),
    }


def _told_change(change: AuditRecord) -> dict[str, Any]:
    return {
        "kind": change.object_kind,
        "object": _object_of(change),
        "action": change.action,
        "before": change.before,
        "after": change.after,
    }


def _object_of(change: AuditRecord) -> str:
    """As the API calls it."""
    return global_id(RECORDED[change.object_kind], change.object_id)


def _line(facts: dict[str, Any]) -> str:
    return orjson.dumps(facts).decode()
