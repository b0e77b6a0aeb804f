"""Carrying a planned change out: what is billed for it, and what happens if that is not paid."""

from typing import Literal

from sandbox.api.endpoint import Call
from sandbox.api.errors import CardError, InvalidRequest, StripeError
from sandbox.billing import collection, invoices, outcomes
from sandbox.billing.changes import Planned
from sandbox.billing.collection import Attempt
from sandbox.billing.periods import INCOMPLETE_LASTS
from sandbox.billing.subscriptions import keep, method_of, period_of
from sandbox.state.objects import StripeObject

Behavior = Literal["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"]


def carry_out(
    call: Call, before: StripeObject, planned: Planned, *, behavior: Behavior, off_session: bool
) -> StripeObject:
    """The subscription after the change; `before` is the one that is stored now."""
    if not planned.bills_now:
        waiting = [*before["_pending_lines"], *planned.lines]
        return keep(call, before, {**planned.subscription, "_pending_lines": waiting})
    if behavior == "pending_if_incomplete":
        return _once_paid(call, before, planned, off_session=off_session)
    if behavior == "error_if_incomplete":
        with call.objects.undoable():
            tried = _at_once(call, before, planned, behavior, off_session=off_session)
            if not tried.is_paid:
                raise refusal(tried)
    else:
        _at_once(call, before, planned, behavior, off_session=off_session)
    return call.named("subscription", before["id"], param="id")


def refusal(tried: Attempt) -> StripeError:
    """Why nothing was changed; it names no payment intent, since that was undone as well."""
    if tried.decline is not None:
        details = {
            name: value
            for name, value in tried.decline.details.items()
            if name not in ("charge", "payment_intent")
        }
        return CardError(tried.decline.message, code=tried.decline.code, param=tried.decline.param, **details)
    if tried.lacks_method:
        return no_method()
    return collection.action_needed("subscription")


def no_method() -> InvalidRequest:
    return InvalidRequest(
        "The customer has no default payment method, and the subscription was given none.",
        code="resource_missing",
        param="default_payment_method",
    )


def _at_once(
    call: Call, before: StripeObject, planned: Planned, behavior: Behavior, *, off_session: bool
) -> Attempt:
    after = planned.subscription
    invoice = _invoice(call, before, planned, is_dunned=True)
    keep(call, before, {**after, "latest_invoice": invoice["id"], "_pending_lines": []})
    if behavior != "default_incomplete":
        return collection.collect(call, invoice, off_session=off_session)
    final = collection.finalize(call, invoice)
    if final["status"] == "open":
        collection.propose(call, final, method_of(call, after))
        outcomes.failed(call, final)
    return Attempt(invoice=final)


def _once_paid(call: Call, before: StripeObject, planned: Planned, *, off_session: bool) -> StripeObject:
    invoice = _invoice(call, before, planned, is_dunned=False)
    changes = {
        name: value
        for name, value in planned.subscription.items()
        if name[0] != "_" and value != before[name]
    }
    pending = {"invoice": invoice["id"], "changes": changes, "lines": before["_pending_lines"]}
    waiting = {**before, "latest_invoice": invoice["id"], "_pending": pending, "_pending_lines": []}
    keep(call, before, waiting)
    tried = collection.collect(call, invoice, off_session=off_session)
    current = call.named("subscription", before["id"], param="id")
    if tried.is_paid:
        return current
    return outcomes.hold_pending(
        call, current, min(call.clock.now() + INCOMPLETE_LASTS, period_of(before)[1])
    )


def _invoice(call: Call, before: StripeObject, planned: Planned, *, is_dunned: bool) -> StripeObject:
    return invoices.draft(
        call,
        planned.subscription,
        [*before["_pending_lines"], *planned.lines],
        reason="subscription_update",
        period=(period_of(before)[0], call.clock.now()),
        is_dunned=is_dunned,
    )
