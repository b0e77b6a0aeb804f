"""Subscription schedules (https://docs.stripe.com/api/subscription_schedules): changes that wait for their day."""

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import listed
from sandbox.api.params import Params
from sandbox.billing import endings, periods, schedules, terms
from sandbox.billing.subscriptions import ENDED, Sold, items_of, keep
from sandbox.resources.common import changed
from sandbox.state.objects import StripeObject


def create(call: Call) -> StripeObject:
    """Take over a subscription that exists; its present terms are the first phase."""
    if "from_subscription" not in call.params:
        raise InvalidRequest("The sandbox makes schedules from subscriptions.", param="from_subscription")
    subscription = call.named("subscription", call.params["from_subscription"], param="from_subscription")
    if subscription["status"] in ENDED:
        raise InvalidRequest("The subscription has ended.", param="from_subscription")
    if subscription["schedule"] is not None:
        raise InvalidRequest("The subscription has a schedule already.", param="from_subscription")
    schedule = changed(schedules.blank(call, subscription), call.params, ())
    call.objects.insert(schedule)
    call.emit("subscription_schedule.created", schedule)
    keep(call, subscription, {**subscription, "schedule": schedule["id"]})
    return schedule


def retrieve(call: Call) -> StripeObject:
    return call.target("subscription_schedule")


def update(call: Call) -> StripeObject:
    """Phases are given as a whole; the one under way stays the first."""
    schedule = call.target("subscription_schedule")
    _require_active(schedule, "updated")
    updated = changed(schedule, call.params, ("end_behavior",))
    if "phases" in call.params:
        updated["phases"] = _phases(call, schedule, call.params["phases"])
        updated["current_phase"] = schedules.bounds(updated["phases"][0])
    call.objects.save(updated)
    if updated != schedule:
        call.emit("subscription_schedule.updated", updated, before=schedule)
    return updated


def release(call: Call) -> StripeObject:
    schedule = call.target("subscription_schedule")
    _require_active(schedule, "released")
    return schedules.release(call, schedule)


def cancel(call: Call) -> StripeObject:
    """End the schedule, and the subscription with it."""
    schedule = call.target("subscription_schedule")
    _require_active(schedule, "canceled")
    endings.cancel(
        call,
        call.named("subscription", schedule["subscription"], param="subscription"),
        reason=terms.REQUESTED,
        prorate=call.params.get("prorate", True),
        invoice_now=call.params.get("invoice_now", True),
    )
    return call.target("subscription_schedule")


def list_(call: Call) -> StripeObject:
    return listed(call, "subscription_schedule", "/v1/subscription_schedules", "customer")


def _phases(call: Call, schedule: StripeObject, given: list[Params]) -> list[StripeObject]:
    if not given:
        raise InvalidRequest("A schedule needs a phase.", param="phases")
    phases, start = list[StripeObject](), _first_start(call, schedule, given[0])
    subscription = call.named("subscription", schedule["subscription"], param="subscription")
    for number, params in enumerate(given):
        if number and params.get("start_date", start) != start:
            raise InvalidRequest("Each phase starts where the one before ends.", param=f"phases[{number}]")
        sold = _sold(call, subscription, params)
        end = _end(call, sold[0], params, start, is_last=number == len(given) - 1)
        if end <= start or (not number and end < call.clock.now()):
            raise InvalidRequest("A phase must end after it starts.", param=f"phases[{number}][end_date]")
        phases.append(schedules.phase(subscription, sold, start, end, params))
        start = end
    return phases


def _first_start(call: Call, schedule: StripeObject, params: Params) -> int:
    """The phase under way keeps its start, which may be repeated in the request or left out."""
    start = int(schedule["current_phase"]["start_date"])
    if params.get("start_date", start) not in (start, "now"):
        raise InvalidRequest(
            "The start of the current phase cannot be changed.", param="phases[0][start_date]"
        )
    return start


def _end(call: Call, sold: Sold, params: Params, start: int, *, is_last: bool) -> int:
    """The last phase lasts one interval of its price, unless an end or a duration is given."""
    if "end_date" in params:
        return call.clock.now() if params["end_date"] == "now" else int(params["end_date"])
    if "duration" in params:
        return periods.boundary(start, {"interval_count": 1, **params["duration"]}, 1)
    if not is_last:
        raise InvalidRequest("Give the phase an end_date or a duration.", param="phases[end_date]")
    return periods.boundary(start, sold.price["recurring"], 1)


def _sold(call: Call, subscription: StripeObject, params: Params) -> list[Sold]:
    """The items of a phase; a price that is sold no more may go on where it is used already."""
    sold = terms.sold(call, params["items"], in_use=[item["price"]["id"] for item in items_of(subscription)])
    if sold[0].price["currency"] != subscription["currency"]:
        raise InvalidRequest("The currency of a subscription cannot change.", param="phases[items]")
    return sold


def _require_active(schedule: StripeObject, done: str) -> None:
    if schedule["status"] != "active":
        raise InvalidRequest(f"A schedule that is {schedule['status']} cannot be {done}.")
