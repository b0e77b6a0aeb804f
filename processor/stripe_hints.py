"""Which of Stripe's objects an event tells us to read anew. What it says of them beyond that may be out of date."""

from domain.events import InvoiceChanged, PlanChanged, ProcessorEvent, SubscriptionChanged, Unhandled
from processor.stripe_invoice_shapes import subscription_in
from processor.stripe_shapes import Shape, identity
from processor.stripe_subjects import followed


def subscription_hint(subscription: Shape) -> ProcessorEvent:
    return _subscription(identity(subscription), identity(subscription.get("customer")))


def schedule_hint(schedule: Shape) -> ProcessorEvent:
    return _subscription(followed(schedule), identity(schedule.get("customer")))


def invoice_hint(invoice: Shape) -> ProcessorEvent:
    """An upcoming invoice is none yet, so that it has no id."""
    invoice_id, customer_id = identity(invoice), identity(invoice.get("customer"))
    if invoice_id is None or customer_id is None:
        return Unhandled()
    return InvoiceChanged(
        processor_invoice_id=invoice_id,
        processor_subscription_id=subscription_in(invoice).id,
        customer_id=customer_id,
    )


def invoice_payment_hint(payment: Shape) -> ProcessorEvent:
    invoice_id = identity(payment.get("invoice"))
    return Unhandled() if invoice_id is None else InvoiceChanged(processor_invoice_id=invoice_id)


def price_hint(price: Shape) -> ProcessorEvent:
    return _plan(identity(price.get("product")), identity(price)) if price.get("recurring") else Unhandled()


def product_hint(product: Shape) -> ProcessorEvent:
    return _plan(identity(product), None)


def _subscription(subscription_id: str | None, customer_id: str | None) -> ProcessorEvent:
    if subscription_id is None or customer_id is None:
        return Unhandled()
    return SubscriptionChanged(processor_subscription_id=subscription_id, customer_id=customer_id)


def _plan(product_id: str | None, price_id: str | None) -> ProcessorEvent:
    if product_id is None:
        return Unhandled()
    return PlanChanged(processor_product_id=product_id, processor_price_id=price_id)
