"""The endpoints of disputes (https://docs.stripe.com/api/disputes)."""

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.errors import UnexpectedState
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Flag, Metadata, Text
from sandbox.resources import disputes, evidence
from sandbox.resources.common import changed
from sandbox.state.objects import StripeObject


def retrieve(call: Call) -> StripeObject:
    return call.target("dispute")


def update(call: Call) -> StripeObject:
    """Evidence is submitted along with it, and once, unless `submit` is false: then it is only staged."""
    dispute = _open(call)
    updated = changed(dispute, call.params, ())
    if {"evidence", "submit"} & call.params.keys():
        _require_awaiting(call, dispute)
        updated = evidence.merged(updated, call.params.get("evidence", {}))
    if call.params.get("submit", "evidence" in call.params):
        return disputes.submit(call, updated, before=dispute)
    call.objects.save(updated)
    if updated != dispute:
        call.emit("charge.dispute.updated", updated, before=dispute)
    return updated


def close(call: Call) -> StripeObject:
    """Accept the claim: a chargeback is lost; an inquiry ends, and took nothing."""
    dispute = _open(call)
    is_inquiry = dispute["status"] in disputes.INQUIRY
    return disputes.move(call, dispute, "warning_closed" if is_inquiry else "lost")


def list_(call: Call) -> StripeObject:
    return listed(call, "dispute", "/v1/disputes", "charge", "payment_intent")


def _open(call: Call) -> StripeObject:
    dispute = call.target("dispute")
    if dispute["status"] in disputes.CLOSED:
        raise UnexpectedState(f"This dispute is closed already: {dispute['status']}.")
    return dispute


def _require_awaiting(call: Call, dispute: StripeObject) -> None:
    if dispute["status"] not in disputes.AWAITING:
        raise UnexpectedState("Evidence was submitted for this dispute before.", param="evidence")
    if disputes.is_late(call, dispute):
        raise UnexpectedState("The time to submit evidence for this dispute is over.", param="evidence")


RESOURCE = Resource(
    name="dispute",
    expandable={"charge": "charge", "payment_intent": "payment_intent"},
    endpoints=(
        Endpoint(method="GET", path="/v1/disputes/{id}", handler=retrieve, answers="dispute"),
        Endpoint(
            method="POST",
            path="/v1/disputes/{id}",
            handler=update,
            answers="dispute",
            params={"evidence": evidence.EVIDENCE, "metadata": Metadata(), "submit": Flag()},
        ),
        Endpoint(method="POST", path="/v1/disputes/{id}/close", handler=close, answers="dispute"),
        Endpoint(
            method="GET",
            path="/v1/disputes",
            handler=list_,
            answers="dispute",
            is_list=True,
            params={**DATED_PAGE, "charge": Text(), "payment_intent": Text()},
        ),
    ),
)
