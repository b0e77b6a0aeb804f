"""What a subscription was asked to be: its items, its card, and when and why it is to end."""

from collections.abc import Collection
from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest
from sandbox.api.params import Params
from sandbox.billing import periods
from sandbox.billing.subscriptions import NO_REASON, Sold, items_of, period_of
from sandbox.resources import wallets
from sandbox.resources.common import changed
from sandbox.state.objects import StripeObject

REQUESTED = "cancellation_requested"
# Words for the end of the current period, which all items share here.
PERIOD_ENDS = ("min_period_end", "max_period_end")


def sold(
    call: Call,
    given: list[Params],
    subscription: StripeObject | None = None,
    *,
    in_use: Collection[str] = (),
) -> list[Sold]:
    """
    The items after what was asked for; those of the subscription that were not mentioned stay as they are.
    Prices that are `in_use` may go on being used although they are sold no more.
    """
    items = {} if subscription is None else {item["id"]: item for item in items_of(subscription)}
    asked = {params["id"]: params for params in given if "id" in params}
    for id_ in asked:
        if id_ not in items:
            raise InvalidRequest(
                f"The subscription has no item {id_}.", code="resource_missing", param="items"
            )
    kept = [
        _kept(call, item, asked.get(id_, {}))
        for id_, item in items.items()
        if not asked.get(id_, {}).get("deleted")
    ]
    added = [
        Sold(price=price(call, params, in_use), quantity=params.get("quantity", 1))
        for params in given
        if "id" not in params
    ]
    _check(kept + added, subscription)
    return kept + added


def price(call: Call, params: Params, in_use: Collection[str] = ()) -> StripeObject:
    """The price of a new item: a recurring one that is still sold."""
    found = call.named("price", params.get("price", ""), param="items[price]")
    if found["recurring"] is None:
        raise InvalidRequest(f"{found['id']} is a price for one time only.", param="items[price]")
    if not found["active"] and found["id"] not in in_use:
        raise InvalidRequest(f"The price {found['id']} is inactive.", param="items[price]")
    return found


def with_settings(call: Call, subscription: StripeObject, params: Params) -> StripeObject:
    """The subscription with everything that was asked for and costs nothing."""
    updated = changed(subscription, params, ("description",))
    if "default_payment_method" in params:
        updated["default_payment_method"] = _own_method(call, subscription, params["default_payment_method"])
    if "payment_settings" in params:
        updated["payment_settings"] = {**subscription["payment_settings"], **params["payment_settings"]}
    if "trial_settings" in params:
        end_behavior = subscription["trial_settings"]["end_behavior"]
        given = params["trial_settings"]["end_behavior"]
        updated["trial_settings"] = {"end_behavior": {**end_behavior, **given}}
    if "pause_collection" in params:
        updated["pause_collection"] = _pause(call, params["pause_collection"])
    return updated


def with_ending(call: Call, subscription: StripeObject, params: Params) -> StripeObject:
    """The subscription with its end planned, or planned no more; it comes after the period is known."""
    updated = dict(subscription)
    if "cancel_at_period_end" in params and "cancel_at" in params:
        raise InvalidRequest("Give either cancel_at or cancel_at_period_end.", param="cancel_at")
    if "cancel_at_period_end" in params:
        at_end = params["cancel_at_period_end"]
        if at_end is not subscription["cancel_at_period_end"]:
            updated |= {
                **_ending(call, _period_end(subscription) if at_end else None),
                "cancel_at_period_end": at_end,
            }
    if "cancel_at" in params:
        updated |= {
            **_ending(call, _moment(call, subscription, params["cancel_at"])),
            "cancel_at_period_end": False,
        }
    given = params.get("cancellation_details", {})
    updated["cancellation_details"] = {**updated["cancellation_details"], **given}
    return updated


def _ending(call: Call, at: int | None) -> dict[str, Any]:
    return {
        "cancel_at": at,
        "canceled_at": None if at is None else call.clock.now(),
        "cancellation_details": {**NO_REASON, "reason": None if at is None else REQUESTED},
    }


def _moment(call: Call, subscription: StripeObject, given: int | str | None) -> int | None:
    if given is None:
        return None
    at = _period_end(subscription) if given in PERIOD_ENDS else int(given)
    if at <= call.clock.now():
        raise InvalidRequest("cancel_at must lie in the future.", param="cancel_at")
    return at


def _period_end(subscription: StripeObject) -> int:
    return period_of(subscription)[1]


def _pause(call: Call, given: Params | None) -> dict[str, Any] | None:
    if given is None:
        return None
    if given.get("resumes_at", call.clock.now() + 1) <= call.clock.now():
        raise InvalidRequest("resumes_at must lie in the future.", param="pause_collection[resumes_at]")
    return {"resumes_at": None, **given}


def _own_method(call: Call, subscription: StripeObject, id_: str) -> str:
    method = wallets.usable(call, id_, param="default_payment_method")
    if method["customer"] != subscription["customer"]:
        raise InvalidRequest(
            f"The payment method {id_} is not attached to the customer {subscription['customer']}.",
            code="resource_missing",
            param="default_payment_method",
        )
    return str(method["id"])


def _kept(call: Call, item: StripeObject, params: Params) -> Sold:
    quantity = params.get("quantity") or item["quantity"]
    stays = params.get("price", item["price"]["id"]) == item["price"]["id"]
    return Sold(price=item["price"] if stays else price(call, params), quantity=quantity, id=item["id"])


def _check(all_sold: list[Sold], subscription: StripeObject | None) -> None:
    if not all_sold:
        raise InvalidRequest("A subscription needs an item.", param="items")
    first = all_sold[0].price
    currency = first["currency"] if subscription is None else subscription["currency"]
    for one in all_sold:
        if one.price["currency"] != currency:
            raise InvalidRequest(
                f"The price {one.price['id']} is in {one.price['currency']}, and the subscription in {currency}.",
                param="items[price]",
            )
        if not periods.is_same(one.price["recurring"], first["recurring"]):
            raise InvalidRequest("All items of a subscription have the same interval.", param="items[price]")
