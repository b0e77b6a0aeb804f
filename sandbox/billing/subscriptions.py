"""A subscription as an object: its shape, its items, and the ways in which it is read and kept."""

from dataclasses import dataclass
from typing import Any

from sandbox.api.endpoint import Call
from sandbox.billing.lines import Period
from sandbox.billing.periods import Interval
from sandbox.state.ids import new_id
from sandbox.state.objects import Query, StripeObject, visible

ENDED = ("canceled", "incomplete_expired")
# In these a subscription goes from period to period.
RENEWING = ("trialing", "active", "past_due", "unpaid")
NO_LIMIT = -1
NO_REASON = {"comment": None, "feedback": None, "reason": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What is sold for a period: so many units of a price. An id keeps the item that is there already."""

    price: StripeObject
    quantity: int = 1
    id: str | None = None


def living(call: Call, customer: str | None = None) -> list[StripeObject]:
    """Those that have not ended, of one customer or of all."""
    where = {} if customer is None else {"customer": customer}
    query = Query(kind="subscription", where=where, inside={"status": ("incomplete", "paused", *RENEWING)})
    return call.objects.newest(query, older_than=None, limit=NO_LIMIT)[::-1]


def items_of(subscription: StripeObject) -> list[StripeObject]:
    items: list[StripeObject] = subscription["items"]["data"]
    return items


def period_of(subscription: StripeObject) -> Period:
    """All items of one subscription share their interval, and so their period."""
    item = items_of(subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def interval_of(subscription: StripeObject) -> Interval:
    interval: Interval = items_of(subscription)[0]["price"]["recurring"]
    return interval


def moved(subscription: StripeObject, period: Period) -> StripeObject:
    """The subscription in another period."""
    start, end = period
    items = [
        {**item, "current_period_start": start, "current_period_end": end} for item in items_of(subscription)
    ]
    return with_items(subscription, items)


def with_items(subscription: StripeObject, items: list[StripeObject]) -> StripeObject:
    return {**subscription, "items": {**subscription["items"], "data": items, "total_count": len(items)}}


def selling(call: Call, subscription: StripeObject, sold: list[Sold]) -> StripeObject:
    """The subscription with exactly these items, in the period that it is in."""
    known = {item["id"]: item for item in items_of(subscription)}
    start, end = period_of(subscription)
    items = [
        {**known[one.id], "price": one.price, "plan": _plan(one.price), "quantity": one.quantity}
        if one.id in known
        else new_item(call, subscription["id"], one, (start, end))
        for one in sold
    ]
    return with_items(subscription, items)


def new_item(call: Call, subscription: str, sold: Sold, period: Period) -> StripeObject:
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": call.clock.now(),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "plan": _plan(sold.price),
        "price": sold.price,
        "quantity": sold.quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def keep(call: Call, before: StripeObject, after: StripeObject) -> StripeObject:
    """Save what became of a subscription, and tell it if it shows."""
    call.objects.save(after)
    if visible(before) != visible(after):
        call.emit("customer.subscription.updated", after, before=before)
    return after


def method_of(call: Call, subscription: StripeObject) -> StripeObject | None:
    """The card that pays: the subscription's own, or else its customer's default, if it is still there."""
    customer = call.objects.find("customer", subscription["customer"])
    if customer is None or customer.get("deleted"):
        return None
    id_ = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    method = call.objects.find("payment_method", id_) if id_ else None
    return method if method is not None and method["customer"] == customer["id"] else None


def blank(call: Call, customer: str, sold: list[Sold]) -> StripeObject:
    """A subscription before anything is decided about its status and its first period."""
    id_, now = new_id("sub"), call.clock.now()
    items = [new_item(call, id_, one, (now, now)) for one in sold]
    return {
        "id": id_,
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": None,
        },
        "billing_schedules": [],
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": dict(NO_REASON),
        "collection_method": "charge_automatically",
        "created": now,
        "currency": sold[0].price["currency"],
        "customer": customer,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "total_count": len(items),
            "url": f"/v1/subscription_items?subscription={id_}",
        },
        "latest_invoice": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "save_default_payment_method": "off"},
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
        **NEVER_SET,
        "_base_url": call.base_url,
        "_keys": call.origin.keys,
        "_pending_lines": [],
    }


def _plan(price: StripeObject) -> StripeObject:
    """The older name for a recurring price, which items still carry."""
    recurring = price["recurring"]
    same = (
        "active",
        "billing_scheme",
        "created",
        "currency",
        "id",
        "livemode",
        "metadata",
        "nickname",
        "product",
    )
    return {
        **{name: price[name] for name in same},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


# Fields of products the sandbox has not (Connect, taxes, metered usage): always there, always null.
NEVER_SET: dict[str, Any] = dict.fromkeys(
    (
        "application",
        "application_fee_percent",
        "billing_cycle_anchor_config",
        "billing_thresholds",
        "customer_account",
        "days_until_due",
        "default_source",
        "next_pending_invoice_item_invoice",
        "on_behalf_of",
        "pending_invoice_item_interval",
        "test_clock",
        "transfer_data",
    )
)
