"""The lines of an invoice, and what a part of a period costs to the second."""

from datetime import UTC, datetime
from typing import Any

from sandbox.billing import periods
from sandbox.currencies import spoken
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

Line = dict[str, Any]
Period = tuple[int, int]


def share(amount: int, part: int, whole: int) -> int:
    """So much of an amount as `part` is of `whole` seconds, rounded half away from zero."""
    magnitude = (2 * abs(amount) * part + whole) // (2 * whole)
    return magnitude if amount >= 0 else -magnitude


def cost(item: StripeObject) -> int:
    """What an item costs per period, in minor units."""
    return int(item["price"]["unit_amount"] * item["quantity"])


def full(subscription: str, item: StripeObject, period: Period) -> Line:
    price, interval = item["price"], item["price"]["recurring"]
    count, unit = interval["interval_count"], interval["interval"]
    every = unit if count == 1 else f"{count} {unit}s"
    amount = spoken(price["unit_amount"], price["currency"])
    text = f"{item['quantity']} x {_name(price)} (at {amount} / {every})"
    return _line(subscription, item, cost(item), text, period, is_proration=False)


def free(subscription: str, item: StripeObject, period: Period) -> Line:
    text = f"Trial period for {_name(item['price'])}"
    return _line(subscription, item, 0, text, period, is_proration=False)


def unused(subscription: str, item: StripeObject, anchor: int, at: int) -> Line:
    """The credit for the rest of a period that was paid for and will not be used."""
    return _part(subscription, item, anchor, at, -cost(item), "Unused")


def remaining(subscription: str, item: StripeObject, anchor: int, at: int) -> Line:
    """The charge for the rest of a period that has begun already."""
    return _part(subscription, item, anchor, at, cost(item), "Remaining")


def _part(subscription: str, item: StripeObject, anchor: int, at: int, amount: int, kind: str) -> Line:
    end = item["current_period_end"]
    whole = end - periods.cycle_start(anchor, item["price"]["recurring"], end)
    text = f"{kind} time on {_name(item['price'])} after {datetime.fromtimestamp(at, UTC):%d %b %Y}"
    return _line(subscription, item, share(amount, end - at, whole), text, (at, end), is_proration=True)


def _name(price: StripeObject) -> str:
    return str(price["nickname"] or price["lookup_key"] or price["id"])


def _line(
    subscription: str, item: StripeObject, amount: int, text: str, period: Period, *, is_proration: bool
) -> Line:
    price = item["price"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": text,
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": new_id("ii") if is_proration else None,
                "proration": is_proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription,
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": subscription,
        "subtotal": amount,
        "taxes": [],
    }
