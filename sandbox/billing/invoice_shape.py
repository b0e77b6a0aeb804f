"""How an invoice looks (https://docs.stripe.com/api/invoices/object) before any money has moved."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.billing.lines import Line, Period
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject


def blank(
    call: Call,
    subscription: StripeObject,
    customer: StripeObject,
    lines: list[Line],
    reason: str,
    period: Period,
) -> StripeObject:
    id_, total = new_id("in"), sum(line["amount"] for line in lines)
    return {
        "id": id_,
        "object": "invoice",
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": call.clock.now(),
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_tax_rates": [],
        "discounts": [],
        "ending_balance": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "lines": {
            "object": "list",
            "data": [{**line, "invoice": id_} for line in lines],
            "has_more": False,
            "total_count": len(lines),
            "url": f"/v1/invoices/{id_}/lines",
        },
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": period[1],
        "period_start": period[0],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": call.clock.now(),
        **NEVER_SET,
        "_confirmation_secret": None,
        "_is_dunned": False,
        "_payments": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/invoice_payments?invoice={id_}",
        },
        "_refused_for_good": None,
        "_retries": 0,
        "_retry_at": None,
    }


# Fields of what the sandbox has not (Connect, taxes, quotes, shipping): always there, always null.
NEVER_SET: dict[str, Any] = dict.fromkeys(
    (
        "account_name",
        "account_tax_ids",
        "application",
        "automatically_finalizes_at",
        "custom_fields",
        "customer_account",
        "default_source",
        "description",
        "due_date",
        "effective_at",
        "footer",
        "from_invoice",
        "last_finalization_error",
        "latest_revision",
        "on_behalf_of",
        "receipt_number",
        "rendering",
        "shipping_cost",
        "shipping_details",
        "statement_descriptor",
        "test_clock",
    )
) | {"account_country": "US"}
