"""Parameters and shapes that several nouns share."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.api.errors import InvalidRequest
from sandbox.api.params import (
    Choice,
    Email,
    Flag,
    Hash,
    Kind,
    ListOf,
    Params,
    Text,
    Withdrawn,
    merged_metadata,
)
from sandbox.state.objects import StripeObject

ADDRESS_FIELDS: Mapping[str, Kind] = {
    name: Text(clears=True) for name in ("city", "country", "line1", "line2", "postal_code", "state")
}
NO_ADDRESS = dict.fromkeys(ADDRESS_FIELDS)
SHIPPING = Hash(
    fields={
        "address": Hash(fields=ADDRESS_FIELDS, required=True),
        "name": Text(required=True),
        "phone": Text(),
        "carrier": Text(),
        "tracking_number": Text(),
    },
    clears=True,
)
CUSTOMER_SHIPPING = Hash(
    fields={
        "address": Hash(fields=ADDRESS_FIELDS, required=True),
        "name": Text(required=True),
        "phone": Text(),
    },
    clears=True,
)
BILLING_DETAILS = Hash(
    fields={
        "address": Hash(fields=ADDRESS_FIELDS, clears=True),
        "email": Email(clears=True),
        "name": Text(clears=True),
        "phone": Text(clears=True),
        "tax_id": Text(),
    }
)

CARDS_ONLY = ("card",)
# https://docs.stripe.com/changelog/endive/2026-09-30 took `payment_method_types` away.
METHOD_CHOICE: Mapping[str, Kind] = {
    "allowed_payment_method_types": ListOf(item=Text()),
    "automatic_payment_methods": Hash(
        fields={"enabled": Flag(required=True), "allow_redirects": Choice(of=("always", "never"))}
    ),
}
WITHDRAWN: Mapping[str, Kind] = {
    "payment_method_types": Withdrawn(
        code="payment_method_types_no_longer_supported", instead="use allowed_payment_method_types"
    )
}


def address(given: Params | None, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A whole address: what was given over what was there; None clears it."""
    return dict(NO_ADDRESS) if given is None else {**NO_ADDRESS, **(current or {}), **given}


def shipping(given: Params | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "carrier": None,
        "phone": None,
        "tracking_number": None,
        **given,
        "address": address(given["address"]),
    }


def changed(thing: StripeObject, params: Params, names: Iterable[str]) -> StripeObject:
    """A copy with those of the named plain settings that were given, and the metadata merged."""
    settings = {name: params[name] for name in names if name in params}
    if "metadata" in params:
        settings["metadata"] = merged_metadata(thing["metadata"], params["metadata"])
    return {**thing, **settings}


def payment_method_types(params: Params) -> list[str]:
    """Cards, if they are among the allowed types; others are left out, as this merchant has none of them."""
    if "card" not in params.get("allowed_payment_method_types", CARDS_ONLY):
        raise InvalidRequest(
            "None of the allowed payment method types can be used for this.",
            param="allowed_payment_method_types",
        )
    return list(CARDS_ONLY)


def automatic_payment_methods(params: Params) -> dict[str, Any] | None:
    """How the payment methods are chosen: from the dashboard, unless types are listed or that is turned off."""
    given = params.get("automatic_payment_methods")
    if "allowed_payment_method_types" in params:
        if given is not None:
            raise InvalidRequest(
                "Give either allowed_payment_method_types or automatic_payment_methods, not both.",
                param="allowed_payment_method_types",
            )
        return None
    settings = {"allow_redirects": "always", "enabled": True, **(given or {})}
    return settings if settings["enabled"] else None
