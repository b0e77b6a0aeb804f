"""Customers (https://docs.stripe.com/api/customers)."""

import secrets
from collections.abc import Mapping

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Choice, Email, Hash, Integer, Kind, ListOf, Metadata, Text
from sandbox.billing import endings
from sandbox.resources import wallets
from sandbox.resources.common import ADDRESS_FIELDS, CUSTOMER_SHIPPING, address, changed, shipping
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

SETTINGS: Mapping[str, Kind] = {
    "address": Hash(fields=ADDRESS_FIELDS, clears=True),
    "balance": Integer(),
    "description": Text(clears=True),
    "email": Email(clears=True),
    "invoice_prefix": Text(),
    "invoice_settings": Hash(
        fields={"default_payment_method": Text(clears=True), "footer": Text(clears=True)},
    ),
    "metadata": Metadata(),
    "name": Text(longest=256, clears=True),
    "next_invoice_sequence": Integer(least=1),
    "phone": Text(clears=True),
    "preferred_locales": ListOf(item=Text()),
    "shipping": CUSTOMER_SHIPPING,
    "tax_exempt": Choice(of=("none", "exempt", "reverse"), clears=True),
}
PLAIN = (
    "balance",
    "description",
    "email",
    "invoice_prefix",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
)


def create(call: Call) -> StripeObject:
    """A card that is declined keeps the customer from being made at all."""
    method = None
    if "payment_method" in call.params:
        method = wallets.attachable(call, call.params["payment_method"], param="payment_method")
    customer = _with_settings(call, _blank(call))
    call.objects.insert(customer)
    call.emit("customer.created", customer)
    if method is not None:
        wallets.save_for(call, method, customer["id"])
    return customer


def retrieve(call: Call) -> StripeObject:
    """A deleted customer can still be read, and then says nothing but that it is deleted."""
    return call.objects.find("customer", call.path_ids[0]) or call.target("customer")


def update(call: Call) -> StripeObject:
    customer = call.target("customer")
    updated = _with_settings(call, customer)
    call.objects.save(updated)
    if updated != customer:
        call.emit("customer.updated", updated, before=customer)
    return updated


def delete(call: Call) -> StripeObject:
    """A customer takes all of their subscriptions along, at once."""
    customer = call.target("customer")
    endings.cancel_all_of(call, customer["id"])
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    call.objects.save(gone)
    call.emit("customer.deleted", customer)
    return gone


def list_(call: Call) -> StripeObject:
    return listed(call, "customer", "/v1/customers", "email")


def _with_settings(call: Call, customer: StripeObject) -> StripeObject:
    updated = changed(customer, call.params, PLAIN)
    if "address" in call.params:
        updated["address"] = address(call.params["address"], customer["address"])
    if "shipping" in call.params:
        updated["shipping"] = shipping(call.params["shipping"])
    if "tax_exempt" in call.params:
        updated["tax_exempt"] = call.params["tax_exempt"] or "none"
    if "invoice_settings" in call.params:
        updated["invoice_settings"] = _invoice_settings(call, customer)
    return updated


def _invoice_settings(call: Call, customer: StripeObject) -> StripeObject:
    given = call.params["invoice_settings"]
    if default := given.get("default_payment_method"):
        wallets.owned_by(call, default, customer["id"], param="invoice_settings[default_payment_method]")
    return {**customer["invoice_settings"], **given}


def _blank(call: Call) -> StripeObject:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.clock.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": secrets.token_hex(4).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        "_keys": call.origin.keys,
    }


RESOURCE = Resource(
    name="customer",
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/customers",
            handler=create,
            answers="customer",
            params={**SETTINGS, "payment_method": Text()},
        ),
        Endpoint(method="GET", path="/v1/customers/{id}", handler=retrieve, answers="customer"),
        Endpoint(
            method="POST", path="/v1/customers/{id}", handler=update, answers="customer", params=SETTINGS
        ),
        Endpoint(method="DELETE", path="/v1/customers/{id}", handler=delete, answers="customer"),
        Endpoint(
            method="GET",
            path="/v1/customers",
            handler=list_,
            answers="customer",
            is_list=True,
            params={**DATED_PAGE, "email": Text()},
        ),
    ),
)
