"""How a subscription begins: its trial or first period, its first invoice, and whether that is paid."""

from dataclasses import replace

from sandbox.api.endpoint import Call
from sandbox.api.errors import CardError, InvalidRequest
from sandbox.api.params import Params
from sandbox.billing import changes, collection, invoices, lines, periods
from sandbox.billing.changes import Planned
from sandbox.billing.collection import Attempt
from sandbox.billing.periods import DAY, TRIAL_NOTICE
from sandbox.billing.subscriptions import Sold, blank, interval_of, items_of, method_of, moved
from sandbox.billing.updates import Behavior, no_method, refusal
from sandbox.resources import setup_intents
from sandbox.state.objects import StripeObject


def planned(call: Call, customer: str, sold: list[Sold], params: Params) -> Planned:
    """The subscription in its first period, and what that costs."""
    subscription = blank(call, customer, sold)
    trial_end = _trial_end(call, sold, params)
    if trial_end is not None:
        return _on_trial(call, subscription, trial_end, params.get("billing_cycle_anchor"))
    if "billing_cycle_anchor" in params:
        return _until_anchor(call, subscription, params)
    begun = changes.restarted(call, subscription)
    return Planned(subscription=begun, lines=changes.full_lines(begun), bills_now=True)


def start(call: Call, plan: Planned, *, behavior: Behavior, off_session: bool) -> StripeObject:
    """Make the subscription and settle its first invoice, or leave it incomplete until that is paid."""
    if behavior != "error_if_incomplete":
        return _begin(call, plan, behavior, off_session=off_session)[0]
    with call.objects.undoable():
        subscription, tried = _begin(call, plan, behavior, off_session=off_session)
        if not tried.is_paid:
            raise refusal(tried)
    return subscription


def _begin(
    call: Call, plan: Planned, behavior: Behavior, *, off_session: bool
) -> tuple[StripeObject, Attempt]:
    now = call.clock.now()
    invoice = invoices.draft(
        call, plan.subscription, plan.lines, reason="subscription_create", period=(now, now)
    )
    subscription = {**plan.subscription, "latest_invoice": invoice["id"]}
    method = method_of(call, subscription)
    if invoice["amount_due"] > 0 and method is None and behavior != "default_incomplete":
        raise no_method()
    if invoice["amount_due"] == 0 and subscription["status"] == "incomplete":
        subscription["status"] = "active"
    if subscription["status"] == "trialing":
        subscription["pending_setup_intent"] = _setup(call, subscription, method, behavior)
    call.objects.insert(subscription)
    call.emit("customer.subscription.created", subscription)
    tried = _first_payment(call, invoice, method, behavior, off_session=off_session)
    if subscription["status"] == "trialing" and subscription["trial_end"] - now <= TRIAL_NOTICE:
        call.emit("customer.subscription.trial_will_end", subscription)
    return call.named("subscription", subscription["id"], param="id"), tried


def _first_payment(
    call: Call, invoice: StripeObject, method: StripeObject | None, behavior: Behavior, *, off_session: bool
) -> Attempt:
    if behavior != "default_incomplete":
        return collection.collect(call, invoice, off_session=off_session)
    final = collection.finalize(call, invoice)
    if final["status"] == "open":
        collection.propose(call, final, method)
    return Attempt(invoice=final)


def _setup(
    call: Call, subscription: StripeObject, method: StripeObject | None, behavior: Behavior
) -> str | None:
    """The set-up that is still to be done, so that the trial's card can be charged when nobody is there."""
    if method is None and behavior != "default_incomplete":
        return None
    params = {
        "customer": subscription["customer"],
        "usage": "off_session",
        "allowed_payment_method_types": ["card"],
    }
    if method is not None:
        params |= {"payment_method": method["id"], "confirm": True}
    try:
        setup = setup_intents.create(replace(call, params=params))
    except CardError as error:
        setup = error.details["setup_intent"]
    if setup["status"] == "succeeded":
        return None
    call.objects.save(
        {**call.named("setup_intent", setup["id"], param="id"), "_subscription": subscription["id"]}
    )
    return str(setup["id"])


def _trial_end(call: Call, sold: list[Sold], params: Params) -> int | None:
    now = call.clock.now()
    if isinstance(end := params.get("trial_end"), int):
        if end <= now:
            raise InvalidRequest("trial_end must lie in the future.", param="trial_end")
        return end
    if days := params.get("trial_period_days"):
        return now + int(days) * DAY
    days = max((one.price["recurring"]["trial_period_days"] or 0 for one in sold), default=0)
    return now + days * DAY if params.get("trial_from_plan") and days else None


def _on_trial(call: Call, subscription: StripeObject, trial_end: int, anchor: int | None) -> Planned:
    now = call.clock.now()
    trying = {
        **subscription,
        "billing_cycle_anchor": anchor or trial_end,
        "status": "trialing",
        "trial_start": now,
        "trial_end": trial_end,
    }
    trying = moved(trying, (now, trial_end))
    return Planned(subscription=trying, lines=changes.free_lines(trying), bills_now=True)


def _until_anchor(call: Call, subscription: StripeObject, params: Params) -> Planned:
    """A first period that is cut short by a given anchor, and costs its share unless that is given away."""
    now, anchor = call.clock.now(), int(params["billing_cycle_anchor"])
    if not now < anchor <= periods.next_boundary(now, interval_of(subscription), now):
        raise InvalidRequest(
            "billing_cycle_anchor must lie in the future, at most one interval from now.",
            param="billing_cycle_anchor",
        )
    short = moved({**subscription, "billing_cycle_anchor": anchor}, (now, anchor))
    if params.get("proration_behavior") == "none":
        return Planned(subscription=short, lines=[], bills_now=True)
    parts = [lines.remaining(short["id"], item, anchor, now) for item in items_of(short)]
    return Planned(subscription=short, lines=parts, bills_now=True)
