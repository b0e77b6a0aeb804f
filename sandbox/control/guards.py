"""Refusals of Stripe's own that can be turned off, so that a test sees whether its gateway holds without them."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Guards:
    """`over_refunds`: more than was captured cannot be refunded. Without it, any amount can be, at any time."""

    over_refunds: bool = True
