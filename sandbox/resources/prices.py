"""Prices (https://docs.stripe.com/api/prices): per unit, once or per interval. Amounts never change."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest, MissingParameter
from sandbox.api.listing import DATED_PAGE, page
from sandbox.api.params import (
    Choice,
    Flag,
    Hash,
    Integer,
    Kind,
    ListOf,
    Metadata,
    Params,
    Text,
    merged_metadata,
)
from sandbox.currencies import checked_currency
from sandbox.resources import products
from sandbox.resources.common import changed
from sandbox.state.ids import new_id
from sandbox.state.objects import Query, StripeObject

INTERVAL = Choice(of=("day", "month", "week", "year"))
# https://docs.stripe.com/api/prices/create: no interval is longer than three years.
LONGEST = {"day": 1_095, "week": 156, "month": 36, "year": 3}
PLAIN = ("active", "lookup_key", "nickname", "tax_behavior")
SETTINGS: Mapping[str, Kind] = {
    "active": Flag(),
    "lookup_key": Text(longest=200),
    "nickname": Text(),
    "tax_behavior": Choice(of=("exclusive", "inclusive", "unspecified")),
    "transfer_lookup_key": Flag(),
}
RECURRING: Mapping[str, Kind] = {
    "interval": Choice(of=INTERVAL.of, required=True),
    "interval_count": Integer(least=1),
    "trial_period_days": Integer(least=1, most=730),
    "usage_type": Choice(of=("licensed",)),
}
PRODUCT_DATA: Mapping[str, Kind] = {
    "active": Flag(),
    "id": Text(),
    "name": Text(required=True),
    "metadata": Metadata(clears=False),
    "statement_descriptor": Text(longest=22),
    "unit_label": Text(),
}


def create(call: Call) -> StripeObject:
    params = call.params
    if ("product" in params) is ("product_data" in params):
        raise InvalidRequest("Give either product or product_data.", param="product")
    price = changed(_blank(call), params, PLAIN)
    price["metadata"] = merged_metadata({}, params.get("metadata"))
    _claim_lookup_key(call, price)
    price["product"] = _product(call)
    call.objects.insert(price)
    call.emit("price.created", price)
    return price


def retrieve(call: Call) -> StripeObject:
    return call.target("price")


def update(call: Call) -> StripeObject:
    price = call.target("price")
    updated = changed(price, call.params, PLAIN)
    if updated["lookup_key"] != price["lookup_key"]:
        _claim_lookup_key(call, updated)
    call.objects.save(updated)
    if updated != price:
        call.emit("price.updated", updated, before=price)
    return updated


def list_(call: Call) -> StripeObject:
    params, inside = call.params, dict[str, tuple[object, ...]]()
    for name in ("active", "currency", "product"):
        if name in params:
            inside[name] = (params[name],)
    if "lookup_keys" in params:
        inside["lookup_key"] = tuple(params["lookup_keys"])
    for name, value in params.get("recurring", {}).items():
        inside[f"recurring.{name}"] = (value,)
    where = {"type": params["type"]} if "type" in params else {}
    query = Query(kind="price", where=where, created=params.get("created", {}), inside=inside)
    return page(call, query, "/v1/prices")


def _product(call: Call) -> str:
    if "product_data" in call.params:
        return str(products.new(call, call.params["product_data"])["id"])
    return str(call.named("product", call.params["product"], param="product")["id"])


def _claim_lookup_key(call: Call, price: StripeObject) -> None:
    """A lookup key names one price; it can be taken over from the price that has it."""
    key = price["lookup_key"]
    query = Query(kind="price", inside={"lookup_key": (key,)})
    owners = call.objects.newest(query, older_than=None, limit=1) if key else []
    for owner in owners:
        if not call.params.get("transfer_lookup_key"):
            raise InvalidRequest(
                f"The lookup key {key} belongs to the price {owner['id']}; transfer_lookup_key takes it over.",
                param="lookup_key",
            )
        call.objects.save({**owner, "lookup_key": None})
        call.emit("price.updated", {**owner, "lookup_key": None}, before=owner)


def _recurring(params: Params) -> dict[str, Any] | None:
    given = params.get("recurring")
    if given is None:
        return None
    recurring = {
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
        **given,
    }
    if recurring["interval_count"] > LONGEST[recurring["interval"]]:
        raise InvalidRequest("An interval lasts at most three years.", param="recurring[interval_count]")
    return recurring


def _blank(call: Call) -> StripeObject:
    recurring, amount = _recurring(call.params), call.params.get("unit_amount")
    if amount is None:
        raise MissingParameter("unit_amount")
    return {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": call.clock.now(),
        "currency": checked_currency(call.params["currency"]),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": None,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


RESOURCE = Resource(
    name="price",
    expandable={"product": "product"},
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/prices",
            handler=create,
            answers="price",
            params={
                **SETTINGS,
                "currency": Text(required=True),
                "metadata": Metadata(clears=False),
                "product": Text(),
                "product_data": Hash(fields=PRODUCT_DATA),
                "recurring": Hash(fields=RECURRING),
                "unit_amount": Integer(least=0),
            },
        ),
        Endpoint(method="GET", path="/v1/prices/{id}", handler=retrieve, answers="price"),
        Endpoint(
            method="POST",
            path="/v1/prices/{id}",
            handler=update,
            answers="price",
            params={**SETTINGS, "metadata": Metadata()},
        ),
        Endpoint(
            method="GET",
            path="/v1/prices",
            handler=list_,
            answers="price",
            is_list=True,
            params={
                **DATED_PAGE,
                "active": Flag(),
                "currency": Text(),
                "lookup_keys": ListOf(item=Text()),
                "product": Text(),
                "recurring": Hash(fields={"interval": INTERVAL}),
                "type": Choice(of=("one_time", "recurring")),
            },
        ),
    ),
)
