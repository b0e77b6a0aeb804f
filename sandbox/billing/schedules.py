"""A subscription schedule as an object, and how it lets go of its subscription."""

from sandbox.api.endpoint import Call
from sandbox.state.objects import StripeObject


def of(call: Call, subscription: StripeObject) -> StripeObject | None:
    id_ = subscription["schedule"]
    return None if id_ is None else call.objects.find("subscription_schedule", id_)


def cancel_of(call: Call, subscription: StripeObject) -> StripeObject:
    """The subscription without its schedule, which ends together with it."""
    schedule = of(call, subscription)
    if schedule is None:
        return subscription
    canceled = {
        **schedule,
        "status": "canceled",
        "canceled_at": call.clock.now(),
        "current_phase": None,
    }
    call.objects.save(canceled)
    call.emit("subscription_schedule.canceled", canceled)
    return {**subscription, "schedule": None}
