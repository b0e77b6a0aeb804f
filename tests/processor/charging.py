"""Charges as the processor's tests make them."""

from dataclasses import replace
from typing import Any

from domain.identity import new_id
from domain.outcome import Outcome
from domain.payment import Payment
from processor.stripe_processor import StripeProcessor


async def charge(
    processor: StripeProcessor, payment: Payment, *, key: str = "key-1", **choices: Any
) -> Outcome:
    usual: dict[str, Any] = {
        "is_confirmed": True,
        "is_off_session": False,
        "saves_method": False,
        "return_url": None,
    }
    return await processor.charge(payment, **{**usual, **choices}, key=key)


def like(payment: Payment, **changes: Any) -> Payment:
    """Another payment of the same customer with the same card."""
    return replace(payment, **{"id": new_id(), **changes})
