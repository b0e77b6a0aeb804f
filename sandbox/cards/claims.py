"""What cardholders claim at their bank, and how Visa counts it (https://docs.stripe.com/disputes/categories)."""

from dataclasses import dataclass

# Stripe's reasons for card payments, with Visa's code where it has one.
REASONS: dict[str, str | None] = {
    "credit_not_processed": "13.6",
    "duplicate": "12.6",
    "fraudulent": "10.4",
    "general": None,
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
    "unrecognized": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Why a payment is disputed, and whether the bank so far only inquires: then it has taken no money yet."""

    reason: str = "fraudulent"
    is_inquiry: bool = False

    def network_code(self, brand: str) -> str | None:
        """An inquiry carries the category of its code only: 10 where the chargeback would be 10.4."""
        code = REASONS[self.reason] if brand == "visa" else None
        return code.partition(".")[0] if code and self.is_inquiry else code
