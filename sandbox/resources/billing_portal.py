"""Sessions of the customer portal (https://docs.stripe.com/api/customer_portal/sessions)."""

from typing import Any

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import MissingParameter
from sandbox.api.params import Choice, Hash, Link, Params, Text
from sandbox.state.ids import new_id, new_token
from sandbox.state.objects import StripeObject

CONFIGURATION = "bpc_sandbox"
NAMED = {"subscription_cancel", "subscription_update"}


def create(call: Call) -> StripeObject:
    if "customer" not in call.params:
        raise MissingParameter("customer")
    customer = call.named("customer", call.params["customer"], param="customer")["id"]
    token = new_token()
    id_ = new_id("bps")
    session = {
        "id": id_,
        "object": "billing_portal.session",
        "configuration": CONFIGURATION,
        "created": call.clock.now(),
        "customer": customer,
        "customer_account": None,
        "flow": _flow(call, customer),
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": call.params.get("return_url"),
        "url": f"{call.base_url}/portal/{id_}/{token}",
        "_token": token,
    }
    call.objects.insert(session)
    return session


def _flow(call: Call, customer: str) -> dict[str, Any] | None:
    given: Params | None = call.params.get("flow_data")
    if given is None:
        return None
    flow = {
        "after_completion": {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"},
        "customer_update": None,
        "subscription_cancel": None,
        "subscription_pause": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": given["type"],
    }
    if (kind := given["type"]) in NAMED:
        flow[kind] = {"subscription": _subscription(call, customer, given.get(kind, {}), kind)}
        if kind == "subscription_cancel":
            flow[kind]["retention"] = None
    return flow


def _subscription(call: Call, customer: str, given: Params, kind: str) -> str:
    param = f"flow_data[{kind}][subscription]"
    if "subscription" not in given:
        raise MissingParameter(param)
    subscription = call.named("subscription", given["subscription"], param=param)
    if subscription["customer"] != customer:
        return str(call.named("subscription", "", param=param)["id"])
    return str(subscription["id"])


RESOURCE = Resource(
    name="billing_portal.session",
    expandable={"customer": "customer"},
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/billing_portal/sessions",
            handler=create,
            answers="billing_portal.session",
            params={
                "customer": Text(),
                "flow_data": Hash(
                    fields={
                        "subscription_cancel": Hash(fields={"subscription": Text(required=True)}),
                        "subscription_update": Hash(fields={"subscription": Text(required=True)}),
                        "type": Choice(
                            of=("payment_method_update", "subscription_cancel", "subscription_update"),
                            required=True,
                        ),
                    }
                ),
                "return_url": Link(),
            },
        ),
    ),
)
