"""Subscriptions (https://docs.stripe.com/api/subscriptions): what each request asks of the rules of billing."""

from dataclasses import replace
from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest, MissingParameter, ResourceMissing
from sandbox.api.listing import page
from sandbox.api.params import Params
from sandbox.billing import changes, cycle, endings, starts, terms, updates
from sandbox.billing.changes import Change, Planned
from sandbox.billing.subscriptions import ENDED, period_of
from sandbox.state.objects import Query, StripeObject

CHANGING = ("items", "billing_cycle_anchor", "trial_end")
ENDING = frozenset(("cancel_at", "cancel_at_period_end"))
# https://docs.stripe.com/billing/subscriptions/pending-updates-reference
PENDING = frozenset(
    (*CHANGING, "expand", "off_session", "payment_behavior", "proration_behavior", "proration_date")
)


def create(call: Call) -> StripeObject:
    for name in ("customer", "items"):
        if name not in call.params:
            raise MissingParameter(name)
    customer = call.named("customer", call.params["customer"], param="customer")["id"]
    plan = planned_start(call, customer, call.params)
    return starts.start(
        call,
        plan,
        behavior=call.params.get("payment_behavior", "allow_incomplete"),
        off_session=call.params.get("off_session", False),
    )


def planned_start(call: Call, customer: str, params: Params) -> Planned:
    plan = starts.planned(call, customer, terms.sold(call, params["items"]), params)
    subscription = terms.with_settings(call, plan.subscription, params)
    return replace(plan, subscription=terms.with_ending(call, subscription, params))


def retrieve(call: Call) -> StripeObject:
    return call.target("subscription")


def update(call: Call) -> StripeObject:
    subscription = call.target("subscription")
    behavior = call.params.get("payment_behavior", "allow_incomplete")
    _require_changeable(subscription, call.params)
    if subscription["schedule"] is not None and call.params.keys() & ENDING:
        raise InvalidRequest(
            f"The subscription is managed by the schedule {subscription['schedule']}; release that first."
        )
    if behavior == "pending_if_incomplete" and (unfit := call.params.keys() - PENDING):
        raise InvalidRequest(f"{min(unfit)} cannot wait in a pending update.", param=min(unfit))
    if subscription["pending_update"] is not None and call.params.keys() & set(CHANGING):
        cycle.drop_pending(call, subscription)
        subscription = call.target("subscription")
    plan = planned_update(call, subscription, call.params)
    return updates.carry_out(
        call, subscription, plan, behavior=behavior, off_session=call.params.get("off_session", False)
    )


def planned_update(call: Call, subscription: StripeObject, params: Params) -> Planned:
    """What an update comes to, with everything it sets; `subscription` is the stored one."""
    settled = terms.with_settings(call, subscription, params)
    plan = Planned(subscription=settled, lines=[], bills_now=False)
    if params.keys() & set(CHANGING):
        plan = changes.planned(call, settled, _change(call, subscription, params))
    return replace(plan, subscription=_with_end(call, subscription, plan.subscription, params))


def cancel(call: Call) -> StripeObject:
    subscription = call.target("subscription")
    _require_alive(subscription)
    return endings.cancel(
        call,
        subscription,
        reason=terms.REQUESTED,
        details=call.params.get("cancellation_details"),
        prorate=call.params.get("prorate", False),
        invoice_now=call.params.get("invoice_now", False),
    )


def resume(call: Call) -> StripeObject:
    """Begin again after a trial that ended without a card; what that costs is collected at once."""
    subscription = call.target("subscription")
    if subscription["status"] != "paused":
        raise InvalidRequest(
            f"Only a paused subscription can be resumed; this one is {subscription['status']}."
        )
    must_be_paid = call.params.get("payment_behavior") == "resume_on_payment_success"
    return cycle.resume(call, subscription, must_be_paid=must_be_paid)


def list_(call: Call) -> StripeObject:
    params, inside = call.params, dict[str, tuple[object, ...]]()
    status = params.get("status")
    if status == "ended":
        inside["status"] = ENDED
    elif status is None:
        inside["status"] = ("active", "incomplete", "past_due", "paused", "trialing", "unpaid")
    elif status != "all":
        inside["status"] = (status,)
    if "price" in params:
        inside["items.data[0].price.id"] = (params["price"],)
    where = {"customer": params["customer"]} if "customer" in params else {}
    query = Query(kind="subscription", where=where, created=params.get("created", {}), inside=inside)
    return page(call, query, "/v1/subscriptions")


def _change(call: Call, subscription: StripeObject, params: Params) -> Change:
    now = call.clock.now()
    at = params.get("proration_date", now)
    start, end = period_of(subscription)
    if not start <= at <= end:
        raise InvalidRequest("proration_date must lie within the current period.", param="proration_date")
    if isinstance(params.get("trial_end"), int) and params["trial_end"] <= now:
        raise InvalidRequest("trial_end must lie in the future.", param="trial_end")
    return Change(
        at=at,
        sold=terms.sold(call, params["items"], subscription) if "items" in params else None,
        resets_anchor=params.get("billing_cycle_anchor", {}).get("type") == "now",
        trial_end=params.get("trial_end"),
        proration=params.get("proration_behavior", "create_prorations"),
    )


def _with_end(
    call: Call, subscription: StripeObject, updated: StripeObject, params: Params
) -> dict[str, Any]:
    """A planned end at the end of the period moves along when the period does."""
    ending = terms.with_ending(call, updated, params)
    if ending["cancel_at_period_end"] and period_of(subscription) != period_of(ending):
        ending["cancel_at"] = period_of(ending)[1]
    return ending


def _require_alive(subscription: StripeObject) -> None:
    """An ended subscription counts as gone for whoever wants to end it, as at Stripe."""
    if subscription["status"] in ENDED:
        raise ResourceMissing("subscription", subscription["id"], param="id")


def _require_changeable(subscription: StripeObject, params: Params) -> None:
    """Of an ended subscription and of an incomplete one little can be changed."""
    free = {"metadata", "expand", "cancellation_details"}
    if subscription["status"] in ENDED and params.keys() - free:
        raise InvalidRequest(
            f"A subscription that is {subscription['status']} can only have its metadata updated."
        )
    if subscription["status"] == "incomplete" and params.keys() - free - {"default_payment_method"}:
        raise InvalidRequest("An incomplete subscription can only have its metadata or its card updated.")
