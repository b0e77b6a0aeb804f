"""A subscription schedule as an object, what its next phase makes of the subscription, and how it lets go of it."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.params import Params
from sandbox.billing import changes, periods, updates
from sandbox.billing.changes import Change
from sandbox.billing.subscriptions import Sold, interval_of, items_of, keep, period_of, selling
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject


def of(call: Call, subscription: StripeObject) -> StripeObject | None:
    id_ = subscription["schedule"]
    return None if id_ is None else call.objects.find("subscription_schedule", id_)


def bounds(phase: StripeObject) -> dict[str, int]:
    return {"end_date": phase["end_date"], "start_date": phase["start_date"]}


def advance(call: Call, subscription: StripeObject) -> None:
    """The current phase is over: the next one takes effect, or after the last one the schedule is done."""
    schedule = call.named("subscription_schedule", subscription["schedule"], param="schedule")
    coming = [
        phase for phase in schedule["phases"] if phase["start_date"] >= schedule["current_phase"]["end_date"]
    ]
    if not coming:
        release(call, schedule)
        return
    advanced = {**schedule, "current_phase": bounds(coming[0])}
    call.objects.save(advanced)
    call.emit("subscription_schedule.updated", advanced, before=schedule)
    _take_effect(call, subscription, coming[0])


def as_of_period_end(call: Call, subscription: StripeObject) -> StripeObject:
    """The subscription on the terms on which it will be renewed, by its schedule where it has one."""
    schedule, end = of(call, subscription), period_of(subscription)[1]
    coming = [phase for phase in (schedule or {"phases": []})["phases"] if phase["start_date"] == end]
    return _on_terms_of(call, subscription, coming[0], at=end) if coming else subscription


def release(call: Call, schedule: StripeObject) -> StripeObject:
    """Let the subscription go on by itself, with the terms that it has."""
    now = call.clock.now()
    released = {
        **schedule,
        "current_phase": None,
        "released_at": now,
        "released_subscription": schedule["subscription"],
        "status": "released",
        "subscription": None,
    }
    call.objects.save(released)
    call.emit("subscription_schedule.released", released)
    subscription = call.named("subscription", schedule["subscription"], param="subscription")
    keep(call, subscription, {**subscription, "schedule": None})
    return released


def cancel_of(call: Call, subscription: StripeObject) -> StripeObject:
    """The subscription without its schedule, which ends together with it."""
    schedule = of(call, subscription)
    if schedule is None:
        return subscription
    canceled = {**schedule, "status": "canceled", "canceled_at": call.clock.now(), "current_phase": None}
    call.objects.save(canceled)
    call.emit("subscription_schedule.canceled", canceled)
    return {**subscription, "schedule": None}


def _take_effect(call: Call, subscription: StripeObject, phase: StripeObject) -> None:
    """At a period's end the renewal that follows bills the new terms; in between it is a change like any other."""
    now = call.clock.now()
    if now < period_of(subscription)[1]:
        change = Change(at=now, sold=_sold(call, subscription, phase), proration=phase["proration_behavior"])
        plan = changes.planned(call, subscription, change)
        updates.carry_out(call, subscription, plan, behavior="allow_incomplete", off_session=True)
        return
    keep(call, subscription, _on_terms_of(call, subscription, phase, at=now))


def _on_terms_of(call: Call, subscription: StripeObject, phase: StripeObject, *, at: int) -> StripeObject:
    """
    Another interval begins a billing cycle of its own.

    A phase that names no payment method leaves the choice to the customer's invoice settings.
    """
    after = selling(call, subscription, _sold(call, subscription, phase))
    after["default_payment_method"] = phase["default_payment_method"]
    if not periods.is_same(interval_of(subscription), interval_of(after)):
        after["billing_cycle_anchor"] = at
    return after


def _sold(call: Call, subscription: StripeObject, phase: StripeObject) -> list[Sold]:
    """The items of a phase in the places of those that are there, one for one."""
    places = [item["id"] for item in items_of(subscription)]
    places += [None] * len(phase["items"])
    return [
        Sold(price=call.named("price", item["price"], param="price"), quantity=item["quantity"], id=place)
        for item, place in zip(phase["items"], places, strict=False)
    ]


def phase(subscription: StripeObject, sold: list[Sold], start: int, end: int, params: Params) -> StripeObject:
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": subscription["currency"],
        "default_payment_method": params.get("default_payment_method"),
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": end,
        "invoice_settings": None,
        "items": [_item(one) for one in sold],
        "metadata": {},
        "on_behalf_of": None,
        "proration_behavior": params.get("proration_behavior", "create_prorations"),
        "start_date": start,
        "transfer_data": None,
        "trial_end": None,
    }


def blank(call: Call, subscription: StripeObject) -> StripeObject:
    start, end = period_of(subscription)
    sold = [Sold(price=item["price"], quantity=item["quantity"]) for item in items_of(subscription)]
    first = phase(subscription, sold, start, end, {})
    return {
        "id": new_id("sub_sched"),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": dict(subscription["billing_mode"]),
        "canceled_at": None,
        "completed_at": None,
        "created": call.clock.now(),
        "current_phase": bounds(first),
        "customer": subscription["customer"],
        "customer_account": None,
        "default_settings": _default_settings(),
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "pause_schedules": [],
        "phases": [first],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": None,
    }


def _item(sold: Sold) -> dict[str, Any]:
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": {},
        "plan": sold.price["id"],
        "price": sold.price["id"],
        "quantity": sold.quantity,
        "tax_rates": [],
    }


def _default_settings() -> dict[str, Any]:
    return {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": None,
        "description": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "days_until_due": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "on_behalf_of": None,
        "transfer_data": None,
    }
