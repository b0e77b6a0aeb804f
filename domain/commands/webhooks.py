"""Have a stored event applied once more."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.command import LocalCommand, Step
from domain.event_queue import queue_again
from domain.operation import ObjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayWebhookEvent(LocalCommand):
    """The event is queued again; whoever asks applies it right then, and where they cannot, the worker does."""

    mutation: ClassVar = "replayWebhookEvent"
    object_kind: ClassVar = ObjectKind.WEBHOOK_EVENT

    event_id: UUID

    async def intend(self, step: Step) -> tuple[UUID, None]:
        await queue_again(step.work, self.event_id, is_live=step.is_live, at=step.at, by=step.by)
        return self.event_id, None
