"""What a captured charge adds to the balance: the amount, Stripe's fee, and the net."""

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Text
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

AVAILABLE_AFTER = 2 * 86_400
FIXED_FEE = 30


def record(call: Call, charge: StripeObject) -> str:
    """Book a capture and return the transaction's id; the fee is 2.9 % plus 30 minor units, rounded."""
    amount = charge["amount_captured"]
    fee = (amount * 29 + 500) // 1_000 + FIXED_FEE
    transaction = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": call.clock.now() + AVAILABLE_AFTER,
        "balance_type": "payments",
        "created": call.clock.now(),
        "currency": charge["currency"],
        "description": charge["description"],
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": charge["currency"],
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ],
        "net": amount - fee,
        "reporting_category": "charge",
        "source": charge["id"],
        "status": "pending",
        "type": "charge",
    }
    call.objects.insert(transaction)
    return str(transaction["id"])


def retrieve(call: Call) -> StripeObject:
    return call.target("balance_transaction")


def list_(call: Call) -> StripeObject:
    return listed(call, "balance_transaction", "/v1/balance_transactions", "source", "type")


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
