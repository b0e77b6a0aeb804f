"""What would be billed: the invoice of a change, of a new subscription, or of the next renewal."""

from sandbox.api.endpoint import Call
from sandbox.billing import cycle, endings, invoices, schedules
from sandbox.billing.changes import Planned
from sandbox.billing.subscriptions import period_of
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject


def of_start(call: Call, plan: Planned) -> StripeObject:
    now = call.clock.now()
    invoice = invoices.built(
        call, plan.subscription, plan.lines, reason="subscription_create", period=(now, now)
    )
    return _shown(invoice)


def of_change(call: Call, before: StripeObject, plan: Planned) -> StripeObject:
    """The invoice that the change makes at once; or else that of the next renewal, with what the change adds to it."""
    waiting = [*before["_pending_lines"], *plan.lines]
    if not plan.bills_now:
        renewing = schedules.as_of_period_end(call, plan.subscription)
        return _shown(cycle.upcoming(call, {**renewing, "_pending_lines": waiting})[0])
    period = (period_of(before)[0], call.clock.now())
    return _shown(
        invoices.built(call, plan.subscription, waiting, reason="subscription_update", period=period)
    )


def of_period(call: Call, plan: Planned) -> StripeObject:
    """A full period on the terms of the plan, and nothing else."""
    return _shown(cycle.upcoming(call, {**plan.subscription, "_pending_lines": []})[0])


def of_ending(call: Call, before: StripeObject, *, at: int, prorate: bool) -> StripeObject:
    """What is settled when the subscription ends now."""
    plan = Planned(subscription=before, lines=endings.credits_of(before, at, prorate=prorate), bills_now=True)
    return of_change(call, before, plan)


def _shown(invoice: StripeObject) -> StripeObject:
    id_ = new_id("upcoming_in")
    lines = [{**line, "invoice": id_} for line in invoice["lines"]["data"]]
    url = f"/v1/invoices/{id_}/lines"
    return {**invoice, "id": id_, "lines": {**invoice["lines"], "data": lines, "url": url}}
