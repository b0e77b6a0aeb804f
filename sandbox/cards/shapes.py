"""How a card appears in a payment method, and in the charge that was made with it."""

from typing import Any

from sandbox.cards.catalog import Authentication, Card
from sandbox.cards.declines import Decline
from sandbox.state.objects import StripeObject

RISK_SCORES = {"normal": 32, "elevated": 68, "highest": 91}


def in_method(card: Card, *, exp_month: int, exp_year: int) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": card.cvc_check,
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.authentication is not Authentication.UNSUPPORTED},
        "wallet": None,
    }


def in_charge(
    card: Card, method: StripeObject, *, amount: int, is_authenticated: bool, capture_before: int | None
) -> dict[str, Any]:
    """`payment_method_details.card` of a charge; the address checks run once there is an address."""
    shown, billing = method["card"], method["billing_details"]["address"]
    details = {
        "amount_authorized": amount,
        "authorization_code": "000000",
        "brand": card.brand,
        "checks": {
            "address_line1_check": card.line1_check if billing["line1"] else None,
            "address_postal_code_check": card.postal_code_check if billing["postal_code"] else None,
            "cvc_check": card.cvc_check,
        },
        "country": card.country,
        "exp_month": shown["exp_month"],
        "exp_year": shown["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": "100000000000000",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure() if is_authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }
    return details if capture_before is None else {**details, "capture_before": capture_before}


def outcome(card: Card, decline: Decline | None) -> dict[str, Any]:
    """`outcome` of a charge: approved, refused by the bank, or blocked before the bank was asked."""
    blocked = decline is not None and decline.is_blocked
    risk = "highest" if blocked else card.risk
    approved = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": risk,
        "risk_score": RISK_SCORES[risk],
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if decline is None:
        return approved
    return approved | {
        "advice_code": decline.advice_code,
        "network_advice_code": decline.network_advice_code,
        "network_decline_code": decline.network_decline_code,
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else decline.decline_code,
        "seller_message": "Blocked as too risky."
        if blocked
        else f"The bank answered: {decline.decline_code}.",
        "type": "blocked" if blocked else "issuer_declined",
    }


def _three_d_secure() -> dict[str, Any]:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": "00000000-0000-0000-0000-000000000000",
        "version": "2.2.0",
    }
