"""
Stripe's objects in our words.

Values that Stripe may add at any time are taken as the nearest safe one, never as an error: an unknown status
of a payment changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from domain.decline import GENERIC_DECLINE, Decline
from domain.outcome import NextAction, NextActionKind, Outcome
from domain.payment_method import MethodFacts, MethodSnapshot, PaymentMethodType, SetupFacts, SetupStatus
from domain.payment_status import PaymentStatus, SyncSource

Shape: TypeAlias = Mapping[str, Any]
"""One of Stripe's objects as JSON."""

INTENT_STATUS: Final = {
    "requires_confirmation": PaymentStatus.PENDING,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "canceled": PaymentStatus.CANCELLED,
    "succeeded": PaymentStatus.COMPLETED,
}
SETUP_STATUS: Final = {
    "requires_action": SetupStatus.REQUIRES_ACTION,
    "processing": SetupStatus.PROCESSING,
    "succeeded": SetupStatus.SUCCEEDED,
    "canceled": SetupStatus.CANCELLED,
}
METHOD_TYPE: Final = {
    "card": PaymentMethodType.CARD,
    "us_bank_account": PaymentMethodType.BANK_ACCOUNT,
    "bacs_debit": PaymentMethodType.BANK_ACCOUNT,
    "sepa_debit": PaymentMethodType.SEPA_DEBIT,
    "link": PaymentMethodType.LINK,
}
ACTION_KIND: Final = {
    "redirect_to_url": NextActionKind.REDIRECT,
    "verify_with_microdeposits": NextActionKind.VERIFY_MICRODEPOSITS,
}
AWAITS_CONFIRMATION: Final = frozenset({"requires_payment_method", "requires_confirmation"})


def outcome_of_intent(
    intent: Shape, *, source: SyncSource = SyncSource.API_CALL, event_id: str | None = None
) -> Outcome:
    """https://docs.stripe.com/payments/paymentintents/lifecycle"""
    error = intent.get("last_payment_error") or {}
    charge = expanded(intent.get("latest_charge"))
    method = error.get("payment_method") if error else None
    return Outcome(
        status=_intent_status(intent),
        processor_payment_id=intent["id"],
        processor_method_id=identity(intent.get("payment_method")) or identity(method),
        charge_id=identity(intent.get("latest_charge")) or error.get("charge"),
        authorized_amount=max(intent.get("amount_capturable") or 0, intent.get("amount_received") or 0),
        captured_amount=intent.get("amount_received") or 0,
        decline=decline_of(error) if error else None,
        snapshot=snapshot_of(charge.get("payment_method_details") or method),
        receipt_url=charge.get("receipt_url"),
        source=source,
        event_id=event_id,
    )


def outcome_of_charge(charge: Shape, *, source: SyncSource, event_id: str) -> Outcome:
    """What a successful charge proves of its payment."""
    return Outcome(
        status=PaymentStatus.COMPLETED if charge.get("captured") else PaymentStatus.AUTHORIZED,
        processor_payment_id=identity(charge.get("payment_intent")),
        processor_method_id=charge.get("payment_method"),
        charge_id=charge["id"],
        authorized_amount=charge.get("amount") or 0,
        captured_amount=charge.get("amount_captured") or 0,
        snapshot=snapshot_of(charge.get("payment_method_details")),
        receipt_url=charge.get("receipt_url"),
        source=source,
        event_id=event_id,
    )


def _intent_status(intent: Shape) -> PaymentStatus:
    if intent["status"] == "requires_payment_method" and intent.get("last_payment_error"):
        return PaymentStatus.FAILED
    return INTENT_STATUS.get(intent["status"], PaymentStatus.PENDING)


def decline_of(error: Shape) -> Decline:
    """https://docs.stripe.com/declines/codes"""
    code = error.get("decline_code") or error.get("code") or GENERIC_DECLINE
    return Decline(code=text(code) or GENERIC_DECLINE, network_advice=text(error.get("advice_code")))


def snapshot_of(method: Shape | None) -> MethodSnapshot | None:
    """From a payment method, or from the details of a charge: both hold a part named like their type."""
    if not method or "type" not in method:
        return None
    return method_facts(method)


def method_facts(method: Shape) -> MethodFacts:
    """https://docs.stripe.com/api/payment_methods/object"""
    part = method.get(method["type"]) or {}
    wallet = part.get("wallet") or {}
    return MethodFacts(
        processor_method_id=method.get("id") or "",
        type=METHOD_TYPE.get(method["type"], PaymentMethodType.OTHER),
        brand=text(part.get("brand") or part.get("bank_name")),
        last4=text(part.get("last4")),
        exp_month=part.get("exp_month"),
        exp_year=part.get("exp_year"),
        wallet=text(wallet.get("type")),
        country=text(part.get("country")),
        fingerprint=text(part.get("fingerprint")),
        billing_name=text((method.get("billing_details") or {}).get("name")),
    )


def setup_facts(setup: Shape) -> SetupFacts:
    """https://docs.stripe.com/payments/setup-intents"""
    error = setup.get("last_setup_error")
    return SetupFacts(
        processor_setup_id=setup["id"],
        status=SETUP_STATUS.get(setup["status"], SetupStatus.REQUIRES_METHOD),
        processor_method_id=identity(setup.get("payment_method")),
        decline=decline_of(error) if error else None,
    )


def next_action_of(intent: Shape) -> NextAction | None:
    """Null once nothing is left for the app to do."""
    action = intent.get("next_action") or {}
    kind = ACTION_KIND.get(action.get("type", ""), NextActionKind.USE_STRIPE_SDK)
    secret = intent.get("client_secret")
    if action:
        details = action.get(action["type"]) or {}
        url = details.get("url") or details.get("hosted_verification_url")
        return NextAction(kind=kind, client_secret=secret, redirect_url=url)
    if intent["status"] in AWAITS_CONFIRMATION:
        return NextAction(kind=NextActionKind.USE_STRIPE_SDK, client_secret=secret)
    return None


def our_id(thing: Shape, name: str) -> UUID | None:
    """The id that we wrote into an object's metadata, if any."""
    written = (thing.get("metadata") or {}).get(name, "")
    try:
        return UUID(written)
    except (ValueError, AttributeError, TypeError):
        return None


def identity(reference: object) -> str | None:
    """The id of what may be an id, an expanded object, or nothing."""
    if isinstance(reference, Mapping):
        return text(reference.get("id"))
    return text(reference)


def expanded(reference: object) -> Shape:
    return reference if isinstance(reference, Mapping) else {}


def text(value: object) -> str | None:
    """PostgreSQL's text cannot hold a NUL, which Stripe may send."""
    return value.replace("\0", "") if isinstance(value, str) else None
