"""What Stripe's events say, by the kind of object that they are about: https://docs.stripe.com/api/events/types"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from domain.events import (
    DisputeChanged,
    MethodDetached,
    MethodReported,
    PaymentReported,
    ProcessorEvent,
    RefundReported,
    RefundsChanged,
    SetupReported,
    Unhandled,
)
from domain.outcome import Outcome
from domain.payment_status import SyncSource
from processor.stripe_hints import (
    invoice_hint,
    invoice_payment_hint,
    price_hint,
    product_hint,
    schedule_hint,
    subscription_hint,
)
from processor.stripe_refund_shapes import refund_facts
from processor.stripe_shapes import (
    Shape,
    identity,
    method_facts,
    our_id,
    outcome_of_charge,
    outcome_of_intent,
    setup_facts,
)

PROVES_SUCCESS: Final = frozenset({"charge.succeeded", "charge.captured", "charge.updated"})
METHOD_NEWS: Final = frozenset(
    {
        "payment_method.attached",
        "payment_method.updated",
        "payment_method.automatically_updated",
        "payment_method.card_automatically_updated",
    }
)
REFUND_NEWS: Final = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})

Reader: TypeAlias = Callable[[Shape, str], ProcessorEvent]

HINTS: Final[Mapping[str, Reader]] = {
    "customer.subscription.": lambda thing, _: subscription_hint(thing),
    "subscription_schedule.": lambda thing, _: schedule_hint(thing),
    "invoice.": lambda thing, _: invoice_hint(thing),
    "invoice_payment.": lambda thing, _: invoice_payment_hint(thing),
    "price.": lambda thing, _: price_hint(thing),
    "product.": lambda thing, _: product_hint(thing),
}
"""By how the event's type begins."""


def reader_of(kind: str, thing: Shape) -> Reader:
    """What reads events of this kind, about this object."""
    if kind.startswith("payment_intent."):
        return _payment
    if kind in PROVES_SUCCESS and thing.get("status") == "succeeded" and thing.get("payment_intent"):
        return _charge
    if kind in REFUND_NEWS and thing.get("payment_intent"):
        return _refund
    if kind == "charge.refunded" and thing.get("payment_intent"):
        return _refunds
    if kind.startswith("charge.dispute.") and thing.get("payment_intent"):
        return _dispute
    if kind.startswith("setup_intent."):
        return _setup
    if kind in METHOD_NEWS and thing.get("customer"):
        return _method
    if kind == "payment_method.detached":
        return _detached
    return next((hint for name, hint in HINTS.items() if kind.startswith(name)), _unhandled)


def _payment(intent: Shape, event_id: str) -> ProcessorEvent:
    outcome = outcome_of_intent(intent, source=SyncSource.WEBHOOK, event_id=event_id)
    return _reported(intent, intent["id"], outcome)


def _charge(charge: Shape, event_id: str) -> ProcessorEvent:
    outcome = outcome_of_charge(charge, source=SyncSource.WEBHOOK, event_id=event_id)
    return _reported(charge, identity(charge["payment_intent"]) or "", outcome)


def _reported(thing: Shape, intent_id: str, outcome: Outcome) -> PaymentReported:
    return PaymentReported(
        payment_id=our_id(thing, "payment_id"),
        processor_payment_id=intent_id,
        customer_id=identity(thing.get("customer")),
        outcome=outcome,
    )


def _refund(refund: Shape, event_id: str) -> ProcessorEvent:
    payment_id = our_id(refund, "payment_id")
    if payment_id is None or our_id(refund, "refund_id") is None:
        return _refunds(refund, event_id)
    facts = refund_facts(refund, source=SyncSource.WEBHOOK, event_id=event_id)
    return RefundReported(payment_id=payment_id, facts=facts)


def _refunds(thing: Shape, event_id: str) -> ProcessorEvent:
    """A charge tells totals only, and a refund that was made elsewhere not whose it is."""
    return RefundsChanged(processor_payment_id=identity(thing["payment_intent"]) or "")


def _dispute(dispute: Shape, event_id: str) -> ProcessorEvent:
    return DisputeChanged(
        processor_dispute_id=dispute["id"],
        processor_payment_id=identity(dispute["payment_intent"]) or "",
    )


def _setup(setup: Shape, event_id: str) -> ProcessorEvent:
    return SetupReported(
        setup_id=our_id(setup, "setup_id"), processor_setup_id=setup["id"], facts=setup_facts(setup)
    )


def _method(method: Shape, event_id: str) -> ProcessorEvent:
    return MethodReported(customer_id=identity(method["customer"]) or "", facts=method_facts(method))


def _detached(method: Shape, event_id: str) -> ProcessorEvent:
    return MethodDetached(processor_method_id=method["id"])


def _unhandled(thing: Shape, event_id: str) -> ProcessorEvent:
    return Unhandled()
