"""When an invoice that could not be collected is tried again, and when that is hopeless."""

from sandbox.api.endpoint import Call
from sandbox.billing.periods import DAY
from sandbox.state.objects import StripeObject

# What a bank says once and for all (https://docs.stripe.com/billing/revenue-recovery/smart-retries).
FOR_GOOD = frozenset(
    (
        "authentication_required",
        "fraudulent",
        "lost_card",
        "pickup_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "transaction_not_allowed",
    )
)


def after_failure(call: Call, invoice: StripeObject, error: StripeObject | None) -> StripeObject:
    """The invoice with its next attempt, which the first failure plans, and with the card that will never do."""
    is_final = error is not None and error.get("decline_code") in FOR_GOOD
    refused = identity(error["payment_method"]) if error is not None and is_final else None
    planned = {**invoice, "_refused_for_good": refused}
    if invoice["_is_dunned"] and invoice["_retry_at"] is None:
        planned["_retry_at"] = _next_retry(call, invoice["_retries"])
    planned["next_payment_attempt"] = None if refused else planned["_retry_at"]
    return planned


def identity(method: StripeObject) -> str:
    """Which card this is; a bank that replaces it leaves only the payment method the same."""
    return f"{method['id']} {method['card']['last4']} {method['card']['exp_year']}"


def step_taken(call: Call, invoice: StripeObject) -> StripeObject:
    """The invoice after one more retry in vain; without a next one when that was the last."""
    retries = invoice["_retries"] + 1
    planned = {**invoice, "_retries": retries, "_retry_at": _next_retry(call, retries)}
    planned["next_payment_attempt"] = None if invoice["_refused_for_good"] else planned["_retry_at"]
    return planned


def _next_retry(call: Call, retries: int) -> int | None:
    days = call.settings.dunning_days
    return call.clock.now() + days[retries] * DAY if retries < len(days) else None
