"""Payment methods (https://docs.stripe.com/api/payment_methods): cards, made of Stripe's test cards."""

from collections.abc import Mapping

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import PAGE, listed
from sandbox.api.params import Choice, Hash, Integer, Kind, Metadata, Params, Text, merged_metadata
from sandbox.cards import catalog, declines
from sandbox.cards.catalog import Card
from sandbox.resources import wallets
from sandbox.resources.common import BILLING_DETAILS, address
from sandbox.state.objects import StripeObject

REDISPLAY = Choice(of=("always", "limited", "unspecified"))
CARD: Mapping[str, Kind] = {
    "token": Text(),
    "number": Text(),
    "exp_month": Integer(),
    "exp_year": Integer(),
    "cvc": Text(),
}


def create(call: Call) -> StripeObject:
    given = call.params.get("card", {})
    card, expiry = _card_asked_for(given), _expiry(call, given)
    method = {
        **wallets.new_method(call, card, expiry),
        "metadata": merged_metadata({}, call.params.get("metadata")),
    }
    method["billing_details"] = _billing_details(call.params, method)
    method["allow_redisplay"] = call.params.get("allow_redisplay", "unspecified")
    call.objects.insert(method)
    return method


def retrieve(call: Call) -> StripeObject:
    return wallets.usable(call, call.path_ids[0], param="id")


def update(call: Call) -> StripeObject:
    method = call.target("payment_method")
    if method["customer"] is None:
        raise InvalidRequest("A payment method must be attached to a customer before it can be updated.")
    updated = {**method, "billing_details": _billing_details(call.params, method)}
    updated["card"] = {**method["card"], **call.params.get("card", {})}
    updated["allow_redisplay"] = call.params.get("allow_redisplay", method["allow_redisplay"])
    if "metadata" in call.params:
        updated["metadata"] = merged_metadata(method["metadata"], call.params["metadata"])
    call.objects.save(updated)
    if updated != method:
        call.emit("payment_method.updated", updated, before=method)
    return updated


def attach(call: Call) -> StripeObject:
    customer = call.named("customer", call.params["customer"], param="customer")
    method = wallets.attachable(call, call.path_ids[0], param="id")
    return wallets.save_for(call, method, customer["id"])


def detach(call: Call) -> StripeObject:
    """Detaching is for good: the method can be read, but neither attached nor charged again."""
    method = call.target("payment_method")
    if method["customer"] is None:
        raise InvalidRequest("The payment method is not attached to a customer, so it cannot be detached.")
    detached = {**method, "customer": None, "_is_spent": True}
    call.objects.save(detached)
    _forget_as_default(call, method)
    call.emit("payment_method.detached", detached, before=method)
    return detached


def list_(call: Call) -> StripeObject:
    """Stripe lists the methods of a customer; without one there is nothing to see."""
    if "customer" not in call.params:
        return {"object": "list", "url": "/v1/payment_methods", "has_more": False, "data": []}
    call.named("customer", call.params["customer"], param="customer")
    return listed(call, "payment_method", "/v1/payment_methods", "customer", "type")


def list_of_customer(call: Call) -> StripeObject:
    customer = call.target("customer")["id"]
    call.params["customer"] = customer
    return listed(call, "payment_method", f"/v1/customers/{customer}/payment_methods", "customer", "type")


def _card_asked_for(given: Params) -> Card:
    """The test card that a token or a number stands for; a number itself is never stored."""
    if token := given.get("token"):
        card = catalog.by_token(token)
        if card is None:
            raise InvalidRequest(f"No such token: '{token}'", code="resource_missing", param="card[token]")
        return card
    if "number" not in given:
        raise InvalidRequest("A card is described by a token or a test number.", param="card")
    card = catalog.BY_NUMBER.get(given["number"].replace(" ", ""))
    if card is None:
        raise declines.INCORRECT_NUMBER.error()
    return card


def _expiry(call: Call, given: Params) -> tuple[int, int]:
    if "number" not in given:
        return wallets.EXPIRY
    month, year = given.get("exp_month", 0), given.get("exp_year", 0)
    year += 2_000 if year < 100 else 0
    if not 1 <= month <= 12:
        raise declines.EXPIRY_MONTH.error()
    if wallets.is_past(call, month, year):
        raise declines.EXPIRY_YEAR.error()
    if "cvc" in given and not (given["cvc"].isdecimal() and 3 <= len(given["cvc"]) <= 4):
        raise declines.INVALID_CVC.error()
    return month, year


def _billing_details(params: Params, method: StripeObject) -> StripeObject:
    current, given = method["billing_details"], params.get("billing_details", {})
    place = address(given["address"], current["address"]) if "address" in given else current["address"]
    return {**current, **given, "address": place}


def _forget_as_default(call: Call, method: StripeObject) -> None:
    customer = call.objects.find("customer", method["customer"])
    if customer is None or customer.get("deleted"):
        return
    settings = customer["invoice_settings"]
    if settings["default_payment_method"] == method["id"]:
        updated = {**customer, "invoice_settings": {**settings, "default_payment_method": None}}
        call.objects.save(updated)
        call.emit("customer.updated", updated, before=customer)


TYPE = Choice(of=("card",))

RESOURCE = Resource(
    name="payment_method",
    expandable={"customer": "customer"},
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/payment_methods",
            handler=create,
            answers="payment_method",
            params={
                "type": Choice(of=("card",), required=True),
                "card": Hash(fields=CARD, required=True),
                "billing_details": BILLING_DETAILS,
                "metadata": Metadata(clears=False),
                "allow_redisplay": REDISPLAY,
            },
        ),
        Endpoint(method="GET", path="/v1/payment_methods/{id}", handler=retrieve, answers="payment_method"),
        Endpoint(
            method="POST",
            path="/v1/payment_methods/{id}",
            handler=update,
            answers="payment_method",
            params={
                "billing_details": BILLING_DETAILS,
                "card": Hash(
                    fields={"exp_month": Integer(least=1, most=12), "exp_year": Integer(least=1970)}
                ),
                "metadata": Metadata(),
                "allow_redisplay": REDISPLAY,
            },
        ),
        Endpoint(
            method="POST",
            path="/v1/payment_methods/{id}/attach",
            handler=attach,
            answers="payment_method",
            params={"customer": Text(required=True)},
        ),
        Endpoint(
            method="POST", path="/v1/payment_methods/{id}/detach", handler=detach, answers="payment_method"
        ),
        Endpoint(
            method="GET",
            path="/v1/payment_methods",
            handler=list_,
            answers="payment_method",
            is_list=True,
            params={**PAGE, "customer": Text(), "type": TYPE},
        ),
        Endpoint(
            method="GET",
            path="/v1/customers/{id}/payment_methods",
            handler=list_of_customer,
            answers="payment_method",
            is_list=True,
            params={**PAGE, "type": TYPE},
        ),
    ),
)
