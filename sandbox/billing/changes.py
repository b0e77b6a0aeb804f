"""
What a change of a subscription amounts to, before it is carried out: previews and updates both ask here.

The rules are those of https://docs.stripe.com/billing/subscriptions/prorations.
"""

from dataclasses import dataclass
from typing import Literal

from sandbox.api.endpoint import Call
from sandbox.billing import lines, periods
from sandbox.billing.lines import Line
from sandbox.billing.subscriptions import Sold, interval_of, items_of, moved, period_of, selling
from sandbox.state.objects import StripeObject

Proration = Literal["create_prorations", "always_invoice", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was asked for. `at` is the moment up to which the old price was used, and from which the new one is."""

    at: int
    sold: list[Sold] | None = None
    resets_anchor: bool = False
    trial_end: int | Literal["now"] | None = None
    proration: Proration = "create_prorations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The subscription as it becomes, and what is billed for that: at once, or with its next invoice."""

    subscription: StripeObject
    lines: list[Line]
    bills_now: bool


def planned(call: Call, before: StripeObject, change: Change) -> Planned:
    after = before if change.sold is None else selling(call, before, change.sold)
    if before["status"] == "trialing":
        return _within_trial(call, after, change)
    if isinstance(change.trial_end, int):
        return _into_trial(call, before, after, change)
    if change.resets_anchor or _starts_over(before, after):
        return _anew(call, before, after, change)
    prorations = [] if change.proration == "none" else _prorations(before, after, change.at)
    bills_now = change.proration == "always_invoice" and bool(prorations)
    return Planned(subscription=after, lines=prorations, bills_now=bills_now)


def _starts_over(before: StripeObject, after: StripeObject) -> bool:
    """Another interval resets the billing cycle, and so does the step from free to paid."""
    was_free = all(lines.cost(item) == 0 for item in items_of(before))
    is_free = all(lines.cost(item) == 0 for item in items_of(after))
    return not periods.is_same(interval_of(before), interval_of(after)) or (was_free and not is_free)


def restarted(call: Call, subscription: StripeObject) -> StripeObject:
    """The subscription in a full period that begins now, and with it a new cycle."""
    now = call.clock.now()
    end = periods.next_boundary(now, interval_of(subscription), now)
    return moved({**subscription, "billing_cycle_anchor": now}, (now, end))


def full_lines(subscription: StripeObject) -> list[Line]:
    period = period_of(subscription)
    return [lines.full(subscription["id"], item, period) for item in items_of(subscription)]


def free_lines(subscription: StripeObject) -> list[Line]:
    period = period_of(subscription)
    return [lines.free(subscription["id"], item, period) for item in items_of(subscription)]


def credit_lines(subscription: StripeObject, at: int) -> list[Line]:
    anchor = subscription["billing_cycle_anchor"]
    return [lines.unused(subscription["id"], item, anchor, at) for item in items_of(subscription)]


def _within_trial(call: Call, after: StripeObject, change: Change) -> Planned:
    """A trial costs nothing, whatever is tried; it may be prolonged, or ended and paid for at once."""
    if change.trial_end == "now":
        begun = restarted(call, {**after, "status": "active", "trial_end": call.clock.now()})
        return Planned(subscription=begun, lines=full_lines(begun), bills_now=True)
    if change.trial_end is not None:
        after = {**after, "trial_end": change.trial_end, "billing_cycle_anchor": change.trial_end}
        after = moved(after, (period_of(after)[0], change.trial_end))
    return Planned(subscription=after, lines=[], bills_now=False)


def _into_trial(call: Call, before: StripeObject, after: StripeObject, change: Change) -> Planned:
    now, end = call.clock.now(), change.trial_end
    after = {
        **after,
        "status": "trialing",
        "trial_start": now,
        "trial_end": end,
        "billing_cycle_anchor": end,
    }
    after = moved(after, (now, int(end or now)))
    credits_ = [] if change.proration == "none" else credit_lines(before, change.at)
    return Planned(subscription=after, lines=[*credits_, *free_lines(after)], bills_now=True)


def _anew(call: Call, before: StripeObject, after: StripeObject, change: Change) -> Planned:
    after = restarted(call, after)
    credits_ = [] if change.proration == "none" else credit_lines(before, change.at)
    return Planned(subscription=after, lines=[*credits_, *full_lines(after)], bills_now=True)


def _prorations(before: StripeObject, after: StripeObject, at: int) -> list[Line]:
    """The rest of the period given back at the old price and charged at the new one, item by item."""
    anchor, id_ = before["billing_cycle_anchor"], before["id"]
    old = {item["id"]: item for item in items_of(before)}
    new = {item["id"]: item for item in items_of(after)}
    gone = [item for key, item in old.items() if _is_changed(item, new.get(key))]
    come = [item for key, item in new.items() if _is_changed(item, old.get(key))]
    return [
        *(lines.unused(id_, item, anchor, at) for item in gone),
        *(lines.remaining(id_, item, anchor, at) for item in come),
    ]


def _is_changed(item: StripeObject, other: StripeObject | None) -> bool:
    return other is None or (item["price"]["id"], item["quantity"]) != (
        other["price"]["id"],
        other["quantity"],
    )
