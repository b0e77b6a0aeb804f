"""The evidence that a merchant may bring against a dispute (https://docs.stripe.com/api/disputes/evidence_object)."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.errors import InvalidRequest
from sandbox.api.params import Hash, Kind, Params, Text
from sandbox.state.objects import StripeObject

SHORT_TEXTS = (
    "billing_address",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_id",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
)
LONG_TEXTS = (
    "access_activity_log",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "duplicate_charge_explanation",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "uncategorized_text",
)
# Ids of uploaded files, which the sandbox has not: always there, always null.
FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)
LONGEST_TEXT = 20_000
LONGEST_IN_ALL = 150_000

NO_EVIDENCE: Mapping[str, Any] = {
    **dict.fromkeys((*SHORT_TEXTS, *LONG_TEXTS, *FILES)),
    "enhanced_evidence": {},
}
TEXTS: Mapping[str, Kind] = {
    **{name: Text(clears=True) for name in SHORT_TEXTS},
    **{name: Text(clears=True, longest=LONGEST_TEXT) for name in LONG_TEXTS},
}
EVIDENCE = Hash(fields=TEXTS)


def merged(dispute: StripeObject, given: Params) -> StripeObject:
    """The dispute with what was given added to its evidence; None takes a text away."""
    evidence = {**dispute["evidence"], **given}
    texts = [evidence[name] for name in TEXTS if evidence[name]]
    if sum(map(len, texts)) > LONGEST_IN_ALL:
        raise InvalidRequest(
            f"All evidence together may have at most {LONGEST_IN_ALL} characters.", param="evidence"
        )
    details = {**dispute["evidence_details"], "has_evidence": bool(texts)}
    return {**dispute, "evidence": evidence, "evidence_details": details}
