"""Commands that show a preview: it costs exactly that, or nothing happens."""

from uuid import UUID

from domain.charge_preview import ChangeTiming, ChargePreview, PreviewTerms, Proration
from domain.commands.command import Step
from domain.errors import InvalidInput, NotFound, PreviewStale
from domain.subscription import Subscription

PATH = ("preview_id",)


async def binding_preview(
    step: Step,
    preview_id: UUID,
    *,
    owner: UUID,
    plan_id: UUID,
    subscription: Subscription | None = None,
    timing: ChangeTiming = ChangeTiming.NOW,
    proration: Proration = Proration.PRORATE,
) -> ChargePreview:
    """
    The preview, if it is of this very command and still holds. Raises NotFound, InvalidInput or PreviewStale.
    """
    preview = await step.work.previews.get(preview_id)
    if preview is None or preview.user_id != owner:
        raise NotFound("There is no such preview.", path=PATH)
    subscription_id = subscription.id if subscription else None
    shown = (preview.subscription_id, preview.plan_id, preview.timing, preview.proration)
    if shown != (subscription_id, plan_id, timing, proration):
        raise InvalidInput("This is a preview of something else.", path=PATH, constraint="sameChoices")
    if preview.has_expired_at(step.at):
        raise PreviewStale("This preview has expired: ask for a fresh one.", preview_id=str(preview.id))
    if subscription is not None and subscription.version != preview.subscription_version:
        raise PreviewStale(
            "The subscription has changed since this preview: ask for a fresh one.",
            preview_id=str(preview.id),
        )
    return preview


def must_cost_the_same(preview: ChargePreview, fresh: PreviewTerms) -> None:
    """Raises PreviewStale."""
    if not preview.is_worth(fresh):
        raise PreviewStale(preview_id=str(preview.id))
