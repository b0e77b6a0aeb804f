"""The endpoints of refunds (https://docs.stripe.com/api/refunds)."""

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import InvalidRequest, UnexpectedState
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Choice, Integer, Metadata, Text, merged_metadata
from sandbox.resources import refunds
from sandbox.resources.common import changed
from sandbox.state.objects import StripeObject

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> StripeObject:
    return refunds.make(
        call,
        _charge(call),
        amount=call.params.get("amount"),
        reason=call.params.get("reason"),
        metadata=merged_metadata({}, call.params.get("metadata")),
    )


def retrieve(call: Call) -> StripeObject:
    return call.target("refund")


def update(call: Call) -> StripeObject:
    refund = call.target("refund")
    updated = changed(refund, call.params, ())
    if updated != refund:
        refunds.keep(call, updated, before=refund)
    return updated


def cancel(call: Call) -> StripeObject:
    refund = call.target("refund")
    if refund["status"] != "pending":
        raise UnexpectedState(f"A refund that is {refund['status']} cannot be cancelled.")
    return refunds.decide(call, refund, "canceled", failure_reason="merchant_request")


def list_(call: Call) -> StripeObject:
    return listed(call, "refund", "/v1/refunds", "charge", "payment_intent")


def _charge(call: Call) -> StripeObject:
    """The charge that the request names, by its own id, by its payment intent's, or by both if they agree."""
    named, intent_id = call.params.get("charge"), call.params.get("payment_intent")
    if named is None and intent_id is None:
        raise InvalidRequest("Name what is to be refunded: give payment_intent or charge.")
    if intent_id is None:
        return call.named("charge", call.params["charge"], param="id")
    charge = refunds.charge_of(call, call.named("payment_intent", intent_id, param="payment_intent"))
    if named not in (None, charge["id"]):
        raise InvalidRequest(f"{named} is not the charge of {intent_id}.", param="charge")
    return charge


RESOURCE = Resource(
    name="refund",
    expandable={
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
    endpoints=(
        Endpoint(
            method="POST",
            path="/v1/refunds",
            handler=create,
            answers="refund",
            params={
                "amount": Integer(least=1),
                "charge": Text(),
                "metadata": Metadata(),
                "payment_intent": Text(),
                "reason": Choice(of=REASONS),
            },
        ),
        Endpoint(method="GET", path="/v1/refunds/{id}", handler=retrieve, answers="refund"),
        Endpoint(
            method="POST",
            path="/v1/refunds/{id}",
            handler=update,
            answers="refund",
            params={"metadata": Metadata()},
        ),
        Endpoint(method="POST", path="/v1/refunds/{id}/cancel", handler=cancel, answers="refund"),
        Endpoint(
            method="GET",
            path="/v1/refunds",
            handler=list_,
            answers="refund",
            is_list=True,
            params={**DATED_PAGE, "charge": Text(), "payment_intent": Text()},
        ),
    ),
)
