"""Having a stored event applied once more."""

from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.audit import audit_record
from domain.errors import NotFound, StateConflict
from domain.events import InboxEvent
from domain.ports import Work

OPERATORS: Final = frozenset({Role.ADMIN, Role.SYSTEM})
"""SYSTEM is whoever has a shell beside the gateway."""


async def queue_again(work: Work, event_id: UUID, *, is_live: bool, at: datetime, by: Actor) -> InboxEvent:
    """
    The event as if it had just come in, whatever became of it before; who wants that is recorded.

    Raises Forbidden, NotFound, and StateConflict for an event of the other mode, which must never be applied.
    """
    by.must_be(OPERATORS)
    before = await work.inbox.lock(event_id)
    if before is None:
        raise NotFound("There is no such event.", path=("id",))
    if before.livemode is not is_live:
        raise StateConflict(
            f"This event is of {_mode(before.livemode)} mode, and the gateway runs in {_mode(is_live)} mode.",
            current=_mode(before.livemode).upper(),
            path=("id",),
        )
    after = before.queued_again()
    await work.inbox.save(after)
    await work.audit.add(audit_record("webhook_event.replayed", before, after, at=at, by=by))
    await work.jobs.handle_event_again(event_id)
    return after


def _mode(is_live: bool) -> str:
    return "live" if is_live else "test"
