"""
The clock of billing: everything that falls due, in the order of time, each at its own moment.

What is due follows from the objects themselves, so nothing is planned twice or forgotten; and each step moves
the moment that it was due at away, so a jump over years ends.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sandbox.api.endpoint import Call
from sandbox.billing import cycle, endings, invoices, schedules
from sandbox.billing.periods import DAY, INCOMPLETE_LASTS, TRIAL_NOTICE
from sandbox.billing.subscriptions import ENDED, RENEWING, living, period_of
from sandbox.state.objects import StripeObject

RENEWAL_NOTICE = 7 * DAY

Step = Callable[[Call, StripeObject], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be done with a subscription or an invoice, and when."""

    at: int
    step: Step
    thing: StripeObject


def run(call: Call) -> None:
    """Let everything happen that has fallen due until now, however long ago that was."""
    now = call.clock.now()
    waiting = [(due.at, one["id"]) for one in living(call) if (due := _next(call, one["id"]))]
    heapq.heapify(waiting)
    while waiting and waiting[0][0] <= now:
        at, id_ = heapq.heappop(waiting)
        due = _next(call, id_)
        if due is None:
            continue
        if due.at <= now:
            with call.clock.at(max(at, due.at)):
                due.step(_on_behalf_of(call, id_), due.thing)
            due = _next(call, id_)
        if due is not None:
            heapq.heappush(waiting, (due.at, id_))


def _on_behalf_of(call: Call, id_: str) -> Call:
    """Nobody asks when time passes, so pages have the address under which the subscription was made."""
    return replace(call, base_url=call.named("subscription", id_, param="id")["_base_url"])


def _next(call: Call, id_: str) -> Due | None:
    """The earliest step; of several at once the first listed comes first."""
    subscription = call.named("subscription", id_, param="id")
    if subscription["status"] in ENDED:
        return None
    return min(_dues(call, subscription), key=lambda due: due.at, default=None)


def _dues(call: Call, subscription: StripeObject) -> Iterator[Due]:
    if subscription["status"] == "incomplete":
        yield Due(at=subscription["created"] + INCOMPLETE_LASTS, step=endings.expire, thing=subscription)
    if subscription["pending_update"] is not None:
        at = subscription["pending_update"]["expires_at"]
        yield Due(at=at, step=cycle.drop_pending, thing=subscription)
    for invoice in invoices.of_subscription(call, subscription["id"], "draft", "open"):
        yield from _collection(invoice)
    if subscription["status"] in RENEWING:
        yield from _period(call, subscription)


def _collection(invoice: StripeObject) -> Iterator[Due]:
    if invoice["status"] == "draft" and invoice["automatically_finalizes_at"] is not None:
        yield Due(at=invoice["automatically_finalizes_at"], step=cycle.collect, thing=invoice)
    elif invoice["status"] == "open" and invoice["_retry_at"] is not None:
        yield Due(at=invoice["_retry_at"], step=cycle.retry, thing=invoice)


def _period(call: Call, subscription: StripeObject) -> Iterator[Due]:
    start, end = period_of(subscription)
    pause, cancel_at = subscription["pause_collection"], subscription["cancel_at"]
    ends_here = cancel_at is not None and cancel_at <= end
    if pause is not None and pause["resumes_at"] is not None:
        yield Due(at=pause["resumes_at"], step=cycle.resume_collection, thing=subscription)
    if ends_here:
        yield Due(at=cancel_at, step=cycle.cancel_as_planned, thing=subscription)
    if subscription["status"] == "trialing":
        yield from _trial_notice(subscription, start)
    if (schedule := schedules.of(call, subscription)) is not None:
        yield Due(at=schedule["current_phase"]["end_date"], step=schedules.advance, thing=subscription)
    if not ends_here:
        yield from _renewal(subscription, start, end)


def _trial_notice(subscription: StripeObject, start: int) -> Iterator[Due]:
    notice = subscription["trial_end"] - TRIAL_NOTICE
    if subscription.get("_warned") != subscription["trial_end"] and notice > start:
        yield Due(at=notice, step=cycle.announce_trial_end, thing=subscription)


def _renewal(subscription: StripeObject, start: int, end: int) -> Iterator[Due]:
    notice = end - RENEWAL_NOTICE
    if subscription.get("_announced") != end and notice > start:
        yield Due(at=notice, step=cycle.announce_renewal, thing=subscription)
    step = cycle.end_trial if subscription["status"] == "trialing" else cycle.renew
    yield Due(at=end, step=step, thing=subscription)
