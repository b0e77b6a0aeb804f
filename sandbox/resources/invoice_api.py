"""The endpoints of invoices and of the payments that pay them, and the parameters each of them knows."""

from collections.abc import Mapping

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import DATED_PAGE, page
from sandbox.api.params import Choice, Flag, Hash, Integer, Kind, ListOf, Metadata, Moment, Text
from sandbox.resources import invoices
from sandbox.resources.subscription_api import ANCHOR, ITEM, PRORATION
from sandbox.state.objects import Query, StripeObject

SUBSCRIPTION_DETAILS: Mapping[str, Kind] = {
    "billing_cycle_anchor": ANCHOR,
    "cancel_at": Moment(words=("max_period_end", "min_period_end"), clears=True),
    "cancel_at_period_end": Flag(),
    "cancel_now": Flag(),
    "items": ListOf(item=Hash(fields={**ITEM, "id": Text(), "deleted": Flag()})),
    "proration_behavior": PRORATION,
    "proration_date": Integer(least=0),
    "trial_end": Moment(words=("now",)),
}


def retrieve_payment(call: Call) -> StripeObject:
    return call.target("invoice_payment")


def list_payments(call: Call) -> StripeObject:
    params, inside = call.params, dict[str, tuple[object, ...]]()
    for name in ("invoice", "status"):
        if name in params:
            inside[name] = (params[name],)
    if "payment" in params:
        if "payment_intent" not in params["payment"]:
            raise InvalidRequest("Name the payment intent.", param="payment[payment_intent]")
        inside["payment.payment_intent"] = (params["payment"]["payment_intent"],)
    query = Query(kind="invoice_payment", created=params.get("created", {}), inside=inside)
    return page(call, query, "/v1/invoice_payments")


RESOURCE = Resource(
    name="invoice",
    expandable={
        "confirmation_secret": "invoice.confirmation_secret",
        "customer": "customer",
        "default_payment_method": "payment_method",
        "parent": "invoice.parent",
        "payments": "invoice_payment",
    },
    endpoints=(
        Endpoint(method="GET", path="/v1/invoices/{id}", handler=invoices.retrieve, answers="invoice"),
        Endpoint(
            method="POST",
            path="/v1/invoices/{id}",
            handler=invoices.update,
            answers="invoice",
            params={"auto_advance": Flag(), "description": Text(), "metadata": Metadata()},
        ),
        Endpoint(
            method="POST",
            path="/v1/invoices/{id}/finalize",
            handler=invoices.finalize,
            answers="invoice",
            params={"auto_advance": Flag()},
        ),
        Endpoint(
            method="POST",
            path="/v1/invoices/{id}/pay",
            handler=invoices.pay,
            answers="invoice",
            params={"off_session": Flag(), "payment_method": Text()},
        ),
        Endpoint(method="POST", path="/v1/invoices/{id}/void", handler=invoices.void, answers="invoice"),
        Endpoint(
            method="POST",
            path="/v1/invoices/{id}/mark_uncollectible",
            handler=invoices.mark_uncollectible,
            answers="invoice",
        ),
        Endpoint(
            method="POST",
            path="/v1/invoices/create_preview",
            handler=invoices.create_preview,
            answers="invoice",
            params={
                "customer": Text(),
                "preview_mode": Choice(of=("next", "recurring")),
                "subscription": Text(),
                "subscription_details": Hash(fields=SUBSCRIPTION_DETAILS),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/invoices",
            handler=invoices.list_,
            answers="invoice",
            is_list=True,
            params={
                **DATED_PAGE,
                "customer": Text(),
                "status": Choice(of=("draft", "open", "paid", "uncollectible", "void")),
                "subscription": Text(),
            },
        ),
    ),
)
PARENT = Resource(
    name="invoice.parent", expandable={"subscription_details": "invoice.subscription"}, endpoints=()
)
SUBSCRIPTION = Resource(
    name="invoice.subscription", expandable={"subscription": "subscription"}, endpoints=()
)
PAYMENTS = Resource(
    name="invoice_payment",
    expandable={"invoice": "invoice", "payment": "invoice_payment.payment"},
    endpoints=(
        Endpoint(
            method="GET",
            path="/v1/invoice_payments/{id}",
            handler=retrieve_payment,
            answers="invoice_payment",
        ),
        Endpoint(
            method="GET",
            path="/v1/invoice_payments",
            handler=list_payments,
            answers="invoice_payment",
            is_list=True,
            params={
                **DATED_PAGE,
                "invoice": Text(),
                "payment": Hash(
                    fields={"payment_intent": Text(), "type": Choice(of=("payment_intent",), required=True)}
                ),
                "status": Choice(of=("canceled", "open", "paid")),
            },
        ),
    ),
)
PAYMENT = Resource(
    name="invoice_payment.payment",
    expandable={"charge": "charge", "payment_intent": "payment_intent"},
    endpoints=(),
)
