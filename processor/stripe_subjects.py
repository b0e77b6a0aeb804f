"""Which of Stripe's objects an event tells of, where that is not the one that it carries."""

from collections.abc import Callable, Mapping
from typing import Final

from processor.stripe_shapes import Shape, identity

LONGEST_ID: Final = 255
"""https://docs.stripe.com/upgrades#what-changes-does-stripe-consider-to-be-backwards-compatible"""


def subject_of(kind: str, thing: Shape) -> str | None:
    """
    The id of the object that we would have to look at; a charge, for one, only tells how its payment stands.

    None where PostgreSQL might refuse it, since an event that is refused takes those with it that it is stored with.
    """
    name = kind.rpartition(".")[0]
    subject = SUBJECTS[name](thing) if name in SUBJECTS else None
    found = subject or identity(thing)
    return found if found and found.isprintable() and len(found) <= LONGEST_ID else None


def followed(schedule: Shape) -> str | None:
    """A schedule that was released has let go of its subscription."""
    return identity(schedule.get("subscription")) or identity(schedule.get("released_subscription"))


SUBJECTS: Final[Mapping[str, Callable[[Shape], str | None]]] = {
    "charge": lambda charge: identity(charge.get("payment_intent")),
    "invoice_payment": lambda payment: identity(payment.get("invoice")),
    "subscription_schedule": followed,
}
"""By all but the last word of the event's type."""
