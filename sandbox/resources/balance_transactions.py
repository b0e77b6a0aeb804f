"""What moves the balance: captured charges, refunds and disputes, with the amount, Stripe's fee and the net."""

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Text
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

AVAILABLE_AFTER = 2 * 86_400
FIXED_FEE = 30
# 15.00 usd (https://stripe.com/pricing); other currencies pay as many of their minor units.
DISPUTE_FEE = 1_500


def record(call: Call, charge: StripeObject) -> str:
    """Book a capture and return the transaction's id; the fee is 2.9 % plus 30 minor units, rounded."""
    amount = charge["amount_captured"]
    fee = (amount * 29 + 500) // 1_000 + FIXED_FEE
    booked = _book(
        call,
        charge,
        kind="charge",
        category="charge",
        amount=amount,
        description=charge["description"],
        fee=_fee(charge, fee, "Stripe processing fees"),
    )
    return str(booked["id"])


def record_refund(call: Call, refund: StripeObject) -> str:
    """Book what a refund gives back, and return the transaction's id; the charge's fee is not given back."""
    text, amount = "REFUND FOR CHARGE", -refund["amount"]
    booked = _book(call, refund, kind="refund", category="refund", amount=amount, description=text)
    return str(booked["id"])


def record_refund_failure(call: Call, refund: StripeObject) -> str:
    """Book what a failed refund brings back, and return the transaction's id."""
    kind, text = "refund_failure", "REFUND FAILURE"
    booked = _book(call, refund, kind=kind, category=kind, amount=refund["amount"], description=text)
    return str(booked["id"])


def withdraw(call: Call, dispute: StripeObject) -> StripeObject:
    """Book what a bank takes for its cardholder. Stripe's fee is due once per dispute, won or lost."""
    is_first = not dispute["balance_transactions"]
    return _book(
        call,
        dispute,
        kind="adjustment",
        category="dispute",
        amount=-dispute["amount"],
        description=f"Chargeback withdrawal for {dispute['charge']}",
        fee=_fee(dispute, DISPUTE_FEE, "Dispute fee") if is_first else None,
    )


def reinstate(call: Call, dispute: StripeObject) -> StripeObject:
    """Book what a bank gives back after a dispute was won."""
    return _book(
        call,
        dispute,
        kind="adjustment",
        category="dispute_reversal",
        amount=dispute["amount"],
        description=f"Chargeback reversal for {dispute['charge']}",
    )


def retrieve(call: Call) -> StripeObject:
    return call.target("balance_transaction")


def list_(call: Call) -> StripeObject:
    return listed(call, "balance_transaction", "/v1/balance_transactions", "source", "type")


def _book(
    call: Call,
    source: StripeObject,
    *,
    kind: str,
    category: str,
    amount: int,
    description: str | None,
    fee: StripeObject | None = None,
) -> StripeObject:
    """`amount` is negative for what leaves the balance."""
    due = fee["amount"] if fee else 0
    transaction = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": call.clock.now() + AVAILABLE_AFTER,
        "balance_type": "payments",
        "created": call.clock.now(),
        "currency": source["currency"],
        "description": description,
        "exchange_rate": None,
        "fee": due,
        "fee_details": [fee] if fee else [],
        "net": amount - due,
        "reporting_category": category,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    call.objects.insert(transaction)
    return transaction


def _fee(source: StripeObject, amount: int, description: str) -> StripeObject:
    return {
        "amount": amount,
        "application": None,
        "currency": source["currency"],
        "description": description,
        "type": "stripe_fee",
    }


RESOURCE = Resource(
    name="balance_transaction",
    expandable={"source": "charge"},
    endpoints=(
        Endpoint(
            method="GET",
            path="/v1/balance_transactions/{id}",
            handler=retrieve,
            answers="balance_transaction",
        ),
        Endpoint(
            method="GET",
            path="/v1/balance_transactions",
            handler=list_,
            answers="balance_transaction",
            is_list=True,
            params={**DATED_PAGE, "source": Text(), "type": Text()},
        ),
    ),
)
