"""Several changes of a subscription under one key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from domain.arguments import UNKEPT
from domain.commands.command import LocalCommand, Step
from domain.commands.subscriptions.subscription_command import owned_subscription
from domain.json_value import JsonValue
from domain.operation import ObjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginAmendment(LocalCommand):
    """
    Remember what a key is used for where several commands follow under it, one for each change.

    Each of them knows only its own part, so they alone would take the key for another set of changes once more.
    """

    mutation: ClassVar = "amendSubscription"
    object_kind: ClassVar = ObjectKind.SUBSCRIPTION

    subscription_id: UUID
    plan_id: UUID | None = None
    payment_method_id: UUID | None = None
    cancel_at_period_end: bool | None = None
    details: Mapping[str, JsonValue] | None = field(default=None, metadata=UNKEPT)

    async def intend(self, step: Step) -> tuple[UUID, None]:
        subscription = await owned_subscription(step, self.subscription_id, path=("id",))
        return subscription.id, None
