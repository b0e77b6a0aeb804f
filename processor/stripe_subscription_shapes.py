"""
Stripe's plans and subscriptions in our words, in today's shape and in the one before 2025.

The current period stood on the subscription; now it stands on its items.
https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.plan import BillingInterval, PlanFacts
from domain.subscription import CancelReason, SubscriptionFacts
from domain.subscription_status import SubscriptionStatus
from processor.stripe_invoice_shapes import instant, invoice_facts, moment
from processor.stripe_shapes import Shape, expanded, identity, our_id, text

STATUS: Final[Mapping[str, SubscriptionStatus]] = {
    "incomplete": SubscriptionStatus.INCOMPLETE,
    "incomplete_expired": SubscriptionStatus.EXPIRED,
    "trialing": SubscriptionStatus.TRIALING,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.UNPAID,
    "paused": SubscriptionStatus.PAUSED,
    "canceled": SubscriptionStatus.CANCELLED,
}
UNKNOWN_STATUS: Final = SubscriptionStatus.UNPAID
"""Of what Stripe may add: it gives no access, ends nothing and can be left again."""
FEEDBACK: Final[Mapping[str, CancelReason]] = {
    "too_expensive": CancelReason.TOO_EXPENSIVE,
    "unused": CancelReason.UNUSED,
    "missing_features": CancelReason.MISSING_CONTENT,
    "switched_service": CancelReason.SWITCHED_SERVICE,
    "low_quality": CancelReason.TECHNICAL_PROBLEMS,
}
INTERVAL: Final[Mapping[str, BillingInterval]] = {
    "day": BillingInterval.DAY,
    "week": BillingInterval.WEEK,
    "month": BillingInterval.MONTH,
    "year": BillingInterval.YEAR,
}


def subscription_facts(subscription: Shape) -> SubscriptionFacts:
    """https://docs.stripe.com/api/subscriptions/object"""
    item = _item(subscription)
    invoice = expanded(subscription.get("latest_invoice"))
    pause = subscription.get("pause_collection") or {}
    status = _status(subscription)
    return SubscriptionFacts(
        processor_subscription_id=subscription["id"],
        subscription_id=our_id(subscription, "subscription_id"),
        customer_id=identity(subscription.get("customer")) or "",
        status=status,
        livemode=subscription.get("livemode") is True,
        processor_item_id=identity(item.get("id")) or "",
        processor_price_id=_price_of(item) or "",
        processor_schedule_id=identity(subscription.get("schedule")),
        pending_price_id=_pending_price(subscription),
        processor_method_id=identity(subscription.get("default_payment_method")),
        current_period_start=instant(_period(subscription, item, "current_period_start")),
        current_period_end=instant(_period(subscription, item, "current_period_end")),
        trial_ends_at=moment(subscription.get("trial_end")),
        cancel_at_period_end=subscription.get("cancel_at_period_end") is True,
        cancel_at=moment(subscription.get("cancel_at")),
        cancelled_at=moment(subscription.get("canceled_at")),
        cancel_reason=_cancel_reason(subscription),
        ended_at=moment(subscription.get("ended_at")),
        paused_until=moment(pause.get("resumes_at")) if status is SubscriptionStatus.PAUSED else None,
        created_at=instant(subscription["created"]),
        latest_invoice=invoice_facts(invoice) if invoice else None,
    )


def plan_facts(price: Shape) -> PlanFacts:
    """A recurring price with its product: https://docs.stripe.com/api/prices/object"""
    product = expanded(price.get("product"))
    recurring = price.get("recurring") or {}
    metadata = product.get("metadata") or {}
    return PlanFacts(
        processor_price_id=price["id"],
        processor_product_id=identity(price.get("product")) or "",
        code=text(price.get("lookup_key")) or text(metadata.get("code")) or price["id"],
        name=text(product.get("name")) or text(price.get("nickname")) or price["id"],
        description=text(product.get("description")),
        amount=price.get("unit_amount") or 0,
        currency=price["currency"].upper(),
        interval=INTERVAL.get(recurring.get("interval") or "", BillingInterval.MONTH),
        interval_count=recurring.get("interval_count") or 1,
        trial_days=_trial_days(price, product),
        features=_features(product),
        active=price.get("active") is True and product.get("active") is True,
        livemode=price.get("livemode") is True,
    )


def is_plan(price: Shape) -> bool:
    """Whether a price can be subscribed to."""
    return price.get("type") == "recurring" and expanded(price.get("recurring")) != {}


def _status(subscription: Shape) -> SubscriptionStatus:
    status = STATUS.get(subscription["status"], UNKNOWN_STATUS)
    if status is SubscriptionStatus.ACTIVE and subscription.get("pause_collection"):
        return SubscriptionStatus.PAUSED
    why = (subscription.get("cancellation_details") or {}).get("reason")
    if status is SubscriptionStatus.CANCELLED and why == "payment_failed":
        return SubscriptionStatus.EXPIRED
    return status


def _cancel_reason(subscription: Shape) -> CancelReason | None:
    feedback = (subscription.get("cancellation_details") or {}).get("feedback")
    return FEEDBACK.get(feedback, CancelReason.OTHER) if feedback else None


def _item(subscription: Shape) -> Shape:
    items = (subscription.get("items") or {}).get("data") or [{}]
    return expanded(items[0])


def _price_of(item: Shape) -> str | None:
    """Old items have a plan, which goes by the same id."""
    return identity(item.get("price")) or identity(item.get("plan"))


def _period(subscription: Shape, item: Shape, name: str) -> int:
    period: int = item.get(name) or subscription.get(name) or subscription["created"]
    return period


def _pending_price(subscription: Shape) -> str | None:
    """What it changes to next: with the coming phase of its schedule, or once its latest invoice is paid."""
    current = _price_of(_item(subscription))
    planned = _scheduled_price(expanded(subscription.get("schedule"))) or _awaited_price(subscription)
    return None if planned == current else planned


def _scheduled_price(schedule: Shape) -> str | None:
    """https://docs.stripe.com/api/subscription_schedules/object"""
    running = (schedule.get("current_phase") or {}).get("end_date")
    phases = schedule.get("phases") or []
    coming = [phase for phase in phases if running and phase.get("start_date", 0) >= running]
    return _price_of(_first(coming[0].get("items"))) if coming else None


def _awaited_price(subscription: Shape) -> str | None:
    """https://docs.stripe.com/billing/subscriptions/pending-updates"""
    items = (subscription.get("pending_update") or {}).get("subscription_items")
    return _price_of(_first(items))


def _first(items: Any) -> Shape:
    return expanded(items[0]) if items else {}


def _features(product: Shape) -> list[str]:
    """From the metadata, or else what the product is advertised with."""
    written = text((product.get("metadata") or {}).get("features"))
    if written is None:
        advertised = product.get("marketing_features") or []
        names = [text(feature.get("name")) or "" for feature in advertised]
    else:
        names = written.split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _trial_days(price: Shape, product: Shape) -> int:
    in_metadata = [(thing.get("metadata") or {}).get("trial_days") for thing in (price, product)]
    for told in ((price.get("recurring") or {}).get("trial_period_days"), *in_metadata):
        days = str(told)
        if days.isascii() and days.isdigit():
            return int(days)
    return 0
