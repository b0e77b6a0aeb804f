"""Applying one of the processor's events once more, or finding out what that would change."""

from typing import Annotated

import strawberry

from domain.event_service import Replay
from domain.events import InboxEvent
from gql.context import Info
from gql.ids import id_of
from gql.node import optional_view, views
from gql.payload import INPUT, OPTIONAL_KEY, BusinessErrors, Payload
from gql.planned_change import PlannedChangeView
from gql.scalars import IdempotencyKey
from gql.webhook_event import WebhookEventView


@strawberry.type(description="What became of an event that was applied once more, or would become of it.")
class WebhookEventPayload(Payload):
    replay: strawberry.Private[Replay | None] = None

    @strawberry.field(description="The event as it is now: after a dry run as before it.")
    def webhook_event(self) -> WebhookEventView | None:
        return optional_view(WebhookEventView, self.replay.event if self.replay else None)

    @strawberry.field(
        description=(
            "What applying it has changed, or in a dry run would change, in order. Empty where all was known. "
            "Where it failed half-way, what it had done stays."
        )
    )
    def changes(self) -> list[PlannedChangeView]:
        return views(PlannedChangeView, list(self.replay.changes) if self.replay else [])

    @strawberry.field(
        description=(
            "In a dry run: the names of the jobs that would follow, as in begin_period. What they would do is not "
            "among the changes."
        )
    )
    def jobs(self) -> list[str]:
        return list(self.replay.jobs) if self.replay else []


@strawberry.input(description="Apply an event once more.")
class ReplayWebhookEventInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The event.")
    dry_run: bool = strawberry.field(
        default=False, description="Only tell what would change. Nothing is changed, and no key is used."
    )


@strawberry.type
class WebhookEventMutations:
    @strawberry.mutation(
        description=(
            "Admins: apply an event now, whatever became of it before. Applying it twice changes nothing that is "
            "known already. Where it fails, errors says why, and the event is tried again by itself as if it had "
            "just come in. With dryRun, all of that is found out and nothing is changed."
        ),
        extensions=[BusinessErrors(WebhookEventPayload)],
    )
    async def replay_webhook_event(
        self, info: Info, input: Annotated[ReplayWebhookEventInput, INPUT]
    ) -> WebhookEventPayload:
        events, actor = info.context.services.events, info.context.actor
        event_id = id_of(InboxEvent, input.id, "id")
        if input.dry_run:
            replay = await events.rehearse(actor, event_id)
        else:
            replay = await events.replay(actor, event_id, key=input.idempotency_key)
        info.context.forget()
        return WebhookEventPayload(executed=replay.executed, refusal=replay.failure, replay=replay)
