"""Invoices (https://docs.stripe.com/api/invoices): read, previewed, paid and given up on request."""

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest, MissingParameter
from sandbox.api.listing import page
from sandbox.api.params import Params
from sandbox.billing import collection, invoices, outcomes, previews
from sandbox.billing.subscriptions import ENDED
from sandbox.billing.updates import no_method
from sandbox.resources import subscriptions, wallets
from sandbox.resources.common import changed
from sandbox.state.objects import Query, StripeObject


def retrieve(call: Call) -> StripeObject:
    return call.target("invoice")


def update(call: Call) -> StripeObject:
    invoice = call.target("invoice")
    return invoices.keep(call, invoice, changed(invoice, call.params, ("auto_advance", "description")))


def finalize(call: Call) -> StripeObject:
    invoice = call.target("invoice")
    _require(invoice, ("draft",), "finalized")
    return collection.finalize(call, invoice)


def pay(call: Call) -> StripeObject:
    """Charge an invoice now, whatever was planned for it; a decline is raised, and its traces stay."""
    invoice = call.target("invoice")
    if invoice["status"] == "draft":
        invoice = collection.finalize(call, invoice)
    elif invoice["status"] == "paid":
        raise InvalidRequest("Invoice is already paid", code="invoice_already_paid")
    else:
        _require(invoice, ("open", "uncollectible"), "paid")
    if invoice["status"] == "paid":
        return invoice
    tried = collection.attempt(
        call, invoice, off_session=call.params.get("off_session", True), method=_method(call, invoice)
    )
    if tried.lacks_method:
        raise no_method()
    if tried.decline is not None:
        raise tried.decline
    if tried.is_paid:
        return tried.invoice
    raise collection.action_needed("invoice")


def void(call: Call) -> StripeObject:
    """A change of a subscription that waits for this invoice is dropped with it."""
    invoice = call.target("invoice")
    _require(invoice, ("open", "uncollectible"), "voided")
    voided = collection.void(call, invoice)
    subscription = call.objects.find("subscription", invoices.subscription_of(invoice))
    if subscription is not None and subscription["status"] not in ENDED:
        outcomes.voided(call, subscription, voided)
    return voided


def mark_uncollectible(call: Call) -> StripeObject:
    invoice = call.target("invoice")
    _require(invoice, ("open",), "marked uncollectible")
    return invoices.mark_uncollectible(call, invoice, "user_forgiven")


def create_preview(call: Call) -> StripeObject:
    """The same rules that charge an update compute its preview, so both agree to the cent."""
    params = call.params
    details: Params = params.get("subscription_details", {})
    if "subscription" not in params:
        return _preview_of_start(call, details)
    subscription = call.named("subscription", params["subscription"], param="subscription")
    if subscription["status"] in ENDED:
        raise InvalidRequest(
            "The subscription has ended.", code="invoice_upcoming_none", param="subscription"
        )
    if details.get("cancel_now"):
        at = details.get("proration_date", call.clock.now())
        prorates = details.get("proration_behavior", "create_prorations") != "none"
        return previews.of_ending(call, subscription, at=at, prorate=prorates)
    plan = subscriptions.planned_update(call, subscription, details)
    if params.get("preview_mode") == "recurring":
        return previews.of_period(call, plan)
    if not plan.bills_now and plan.subscription["cancel_at"] is not None and not plan.lines:
        raise InvalidRequest("The subscription will not renew.", code="invoice_upcoming_none")
    return previews.of_change(call, subscription, plan)


def list_(call: Call) -> StripeObject:
    params, inside = call.params, dict[str, tuple[object, ...]]()
    if "subscription" in params:
        inside["parent.subscription_details.subscription"] = (params["subscription"],)
    if "status" in params:
        inside["status"] = (params["status"],)
    where = {"customer": params["customer"]} if "customer" in params else {}
    query = Query(kind="invoice", where=where, created=params.get("created", {}), inside=inside)
    return page(call, query, "/v1/invoices")


def _preview_of_start(call: Call, details: Params) -> StripeObject:
    if "customer" not in call.params:
        raise MissingParameter("customer")
    if "items" not in details:
        raise InvalidRequest("Nothing to invoice for the customer.", code="invoice_upcoming_none")
    customer = call.named("customer", call.params["customer"], param="customer")["id"]
    plan = subscriptions.planned_start(call, customer, details)
    if call.params.get("preview_mode") == "recurring":
        return previews.of_period(call, plan)
    return previews.of_start(call, plan)


def _method(call: Call, invoice: StripeObject) -> StripeObject | None:
    if "payment_method" not in call.params:
        return None
    return wallets.owned_by(call, call.params["payment_method"], invoice["customer"], param="payment_method")


def _require(invoice: StripeObject, allowed: tuple[str, ...], done: str) -> None:
    if invoice["status"] not in allowed:
        raise InvalidRequest(
            f"This invoice cannot be {done}: it is {invoice['status']}.", code="invoice_not_editable"
        )
