"""
What can be said against a dispute: the texts of Stripe's evidence (https://docs.stripe.com/api/disputes/evidence_object).

Its files are not taken here; they are uploaded in Stripe's Dashboard.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from domain.audit import AuditRecord
from domain.errors import InvalidInput
from domain.json_value import JsonObject
from domain.money import Money
from domain.payment import Payment
from domain.refund import Refund
from domain.text import checked_text

SHORT: Final = 1_000
LONG: Final = 20_000
"""Characters, as Stripe counts them."""
MOST: Final = 150_000
"""Characters of all texts together."""

PURCHASE_IP: Final = "customer_purchase_ip"
LONGEST: Final[Mapping[str, int]] = {
    "access_activity_log": LONG,
    "billing_address": SHORT,
    "cancellation_policy_disclosure": LONG,
    "cancellation_rebuttal": LONG,
    "customer_email_address": SHORT,
    "customer_name": SHORT,
    PURCHASE_IP: SHORT,
    "duplicate_charge_explanation": LONG,
    "duplicate_charge_id": SHORT,
    "product_description": LONG,
    "refund_policy_disclosure": LONG,
    "refund_refusal_explanation": LONG,
    "service_date": SHORT,
    "shipping_address": SHORT,
    "shipping_carrier": SHORT,
    "shipping_date": SHORT,
    "shipping_tracking_number": SHORT,
    "uncategorized_text": LONG,
}
"""The texts by their names, and how long each may be."""


def checked_evidence(evidence: JsonObject) -> JsonObject:
    """
    The evidence itself; None takes a text away.

    Raises InvalidInput for an unknown name, for what is no text or too long, for a card number, and for an
    address that is none.
    """
    for name, text in evidence.items():
        if name not in LONGEST:
            raise InvalidInput(
                f"The names of evidence are: {', '.join(LONGEST)}.", path=("evidence",), constraint="oneOf"
            )
        if text is not None:
            _check(name, text)
    return evidence


def checked_size(draft: JsonObject) -> JsonObject:
    """The draft itself; raises InvalidInput where there is nothing in it, or too much in all."""
    size = sum(len(str(text)) for text in draft.values() if text is not None)
    if not 0 < size <= MOST:
        raise InvalidInput(
            f"Evidence has 1 to {MOST} characters in all.", path=("evidence",), constraint="maxLength"
        )
    return draft


def _check(name: str, text: object) -> None:
    path = ("evidence", name)
    if not isinstance(text, str):
        raise InvalidInput("Evidence is text.", path=path, constraint="text")
    checked_text(text, path=path, maximum=LONGEST[name])
    if name == PURCHASE_IP:
        _check_address(text, path)


def _check_address(text: str, path: Sequence[str]) -> None:
    try:
        ip_address(text)
    except ValueError as malformed:
        raise InvalidInput("This is not an IP address.", path=path, constraint="ipAddress") from malformed


def first_draft(payment: Payment, refunds: Sequence[Refund], trail: Sequence[AuditRecord]) -> JsonObject:
    """What we know of a disputed payment and its bank may not, for a human to complete."""
    paid_at = payment.completed_at or payment.created_at
    told = {
        PURCHASE_IP: _payers_address(payment, trail),
        "product_description": payment.description,
        "service_date": day(paid_at),
        "refund_refusal_explanation": _refund_history(refunds),
        "uncategorized_text": "\n".join(_facts(payment, paid_at)),
    }
    return {name: text for name, text in told.items() if text}


def _facts(payment: Payment, paid_at: datetime) -> list[str]:
    amount = Money(minor=payment.captured_amount, currency=payment.currency).formatted()
    facts = [f"Payment {payment.id} of {amount}, collected on {moment(paid_at)}."]
    if payment.method_last4:
        facts.append(f"Paid with {_method(payment)}.")
    if payment.receipt_url:
        facts.append(f"Receipt: {payment.receipt_url}")
    return facts


def _method(payment: Payment) -> str:
    parts = [payment.method_brand, f"ending in {payment.method_last4}"]
    if payment.method_country:
        parts.append(f"issued in {payment.method_country}")
    if payment.method_wallet:
        parts.append(f"from {payment.method_wallet}")
    return ", ".join(part for part in parts if part)


def _payers_address(payment: Payment, trail: Sequence[AuditRecord]) -> str | None:
    """From where the payer asked for the payment, unless somebody else did."""
    return next(
        (record.address for record in trail if record.address and record.actor_id == payment.user_id), None
    )


def _refund_history(refunds: Sequence[Refund]) -> str | None:
    given_back = [refund for refund in refunds if refund.counts]
    return "\n".join(_refund(refund) for refund in given_back) or None


def _refund(refund: Refund) -> str:
    amount = Money(minor=refund.amount, currency=refund.currency).formatted()
    return f"{amount} were refunded on {day(refund.created_at)} ({refund.status.lower()})."


def day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def moment(at: datetime) -> str:
    return f"{day(at)}, {at:%H:%M} UTC"
