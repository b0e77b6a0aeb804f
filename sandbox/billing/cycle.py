"""What happens to a subscription by itself: renewals, the end of a trial, and collecting what they cost."""

from sandbox.api.endpoint import Call
from sandbox.billing import changes, collection, dunning, endings, invoices, outcomes, periods
from sandbox.billing.subscriptions import interval_of, keep, method_of, moved, period_of
from sandbox.state.objects import StripeObject


def renew(call: Call, subscription: StripeObject) -> None:
    """Go on to the next period; its invoice is collected in an hour, or waits where nothing is collected now."""
    invoice, renewed = upcoming(call, subscription)
    drafted = invoices.draft(
        call,
        renewed,
        invoice["lines"]["data"],
        reason="subscription_cycle",
        period=period_of(subscription),
        is_dunned=True,
        waits=True,
    )
    keep(call, subscription, {**renewed, "latest_invoice": drafted["id"], "_pending_lines": []})
    pause = subscription["pause_collection"]
    if subscription["status"] == "unpaid" or (pause and pause["behavior"] == "keep_as_draft"):
        invoices.stop_collecting(call, drafted)


def upcoming(call: Call, subscription: StripeObject) -> tuple[StripeObject, StripeObject]:
    """The invoice that the next renewal will make, and the subscription in the period that it pays for."""
    end = period_of(subscription)[1]
    after = periods.next_boundary(subscription["billing_cycle_anchor"], interval_of(subscription), end)
    status = "active" if subscription["status"] == "trialing" else subscription["status"]
    renewed = moved({**subscription, "status": status}, (end, after))
    lines = [*subscription["_pending_lines"], *changes.full_lines(renewed)]
    invoice = invoices.built(
        call, renewed, lines, reason="subscription_cycle", period=period_of(subscription)
    )
    invoice["next_payment_attempt"] = end + invoices.DRAFT_LASTS
    return invoice, renewed


def announce_renewal(call: Call, subscription: StripeObject) -> None:
    """Such an invoice does not exist yet, so it has no id."""
    invoice, _ = upcoming(call, subscription)
    call.emit("invoice.upcoming", {name: value for name, value in invoice.items() if name != "id"})
    call.objects.save({**subscription, "_announced": period_of(subscription)[1]})


def announce_trial_end(call: Call, subscription: StripeObject) -> None:
    told = {**subscription, "_warned": subscription["trial_end"]}
    call.objects.save(told)
    call.emit("customer.subscription.trial_will_end", told)


def end_trial(call: Call, subscription: StripeObject) -> None:
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or method_of(call, subscription) is not None:
        renew(call, subscription)
    elif behavior == "pause":
        _pause(call, subscription)
    else:
        endings.cancel(call, subscription, reason=None)


def resume(call: Call, subscription: StripeObject, *, must_be_paid: bool) -> StripeObject:
    """Go on after a pause with a period that begins now; `must_be_paid` keeps the pause until it is paid for."""
    begun = changes.restarted(call, subscription)
    invoice = invoices.draft(
        call,
        begun,
        changes.full_lines(begun),
        reason="subscription_update",
        period=(period_of(subscription)[0], call.clock.now()),
        is_dunned=not must_be_paid,
    )
    begun |= {"latest_invoice": invoice["id"], "_resumed_by": invoice["id"]}
    if must_be_paid:
        keep(call, subscription, begun)
    else:
        outcomes.resumed(call, subscription, begun)
    collection.collect(call, invoice, off_session=True)
    return call.named("subscription", subscription["id"], param="id")


def collect(call: Call, invoice: StripeObject) -> None:
    """The hour of a draft is over. Paused collection does away with it instead of charging anybody."""
    subscription = call.named("subscription", invoices.subscription_of(invoice), param="id")
    pause = subscription["pause_collection"]
    if pause is None:
        collection.collect(call, invoice, off_session=True)
    elif pause["behavior"] == "keep_as_draft":
        invoices.stop_collecting(call, invoice)
    else:
        final = collection.finalize(call, invoice)
        if final["status"] == "open" and pause["behavior"] == "void":
            collection.void(call, final)
        elif final["status"] == "open":
            invoices.mark_uncollectible(call, final, "subscription_paused")


def retry(call: Call, invoice: StripeObject) -> None:
    """One more attempt, unless the same card was refused for good; after the last one patience ends."""
    subscription = call.named("subscription", invoices.subscription_of(invoice), param="id")
    planned = dunning.step_taken(call, invoice)
    call.objects.save(planned)
    method = method_of(call, subscription)
    if method is None or dunning.identity(method) != planned["_refused_for_good"]:
        planned = collection.attempt(call, planned, off_session=True).invoice
    if planned["status"] == "open" and planned["_retry_at"] is None:
        _give_up(call, invoices.subscription_of(planned))


def resume_collection(call: Call, subscription: StripeObject) -> None:
    keep(call, subscription, {**subscription, "pause_collection": None})


def cancel_as_planned(call: Call, subscription: StripeObject) -> None:
    endings.cancel(call, subscription, reason="cancellation_requested", invoice_now=True)


def drop_pending(call: Call, subscription: StripeObject) -> None:
    """A pending update that was not paid for in time, and its invoice with it."""
    invoice = call.named("invoice", subscription["_pending"]["invoice"], param="id")
    outcomes.drop_pending(call, subscription)
    if invoice["status"] == "open":
        collection.void(call, invoice)


def _pause(call: Call, subscription: StripeObject) -> None:
    paused = {
        **subscription,
        "status": "paused",
        "status_details": {
            "paused": {
                "subscription": {"type": "trial_end_without_payment_method"},
                "transitioned_at": call.clock.now(),
                "type": "subscription",
            }
        },
    }
    call.objects.save(paused)
    call.emit("customer.subscription.paused", paused)
    call.emit("customer.subscription.updated", paused, before=subscription)


def _give_up(call: Call, id_: str) -> None:
    subscription = call.named("subscription", id_, param="id")
    if call.settings.dunning_end == "cancel":
        endings.cancel(call, subscription, reason="payment_failed")
        return
    keep(call, subscription, {**subscription, "status": "unpaid"})
    for invoice in invoices.of_subscription(call, id_, "draft", "open"):
        invoices.stop_collecting(call, invoice)
