"""One of each object that the API shows and takes, for examples. They are values of the models themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from domain.actor import Actor, Role
from domain.decline import Decline
from domain.legacy_status import LegacyPaymentStatus, LegacySubscriptionStatus
from domain.outcome import NextActionKind
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodState, PaymentMethodType
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.plan import Plan
from domain.refund import RefundOrigin, RefundStatus
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from web.rest.commands import ChangesMeta, CommandMeta
from web.rest.fields import EXAMPLES, Body
from web.rest.paging import PageMeta
from web.rest.payment_methods import (
    AddPaymentMethodBody,
    MethodsMeta,
    PaymentMethodBody,
    UpdatePaymentMethodBody,
)
from web.rest.payments import CreatePaymentBody, MethodSnapshotBody, NextActionBody, PaymentBody
from web.rest.problems import DeclineBody
from web.rest.refunds import RefundBody, RefundPaymentBody, RefundReasonWord
from web.rest.route import NoMeta
from web.rest.stats import AmountBody, BucketBody, FiguresBody, RateBody, StatsBody
from web.rest.subscriptions import CreateSubscriptionBody, SubscriptionBody, UpdateSubscriptionBody

IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "payment": EXAMPLES[Payment],
        "user": "0193e1a0-52c4-7d18-a5b3-2f9c60d7e8b1",
        "method": EXAMPLES[PaymentMethod],
        "refund": "01943055-6c2d-7b40-93e8-1d4fa2c7b950",
        "subscription": EXAMPLES[Subscription],
        "plan": EXAMPLES[Plan],
        "operation": "01942f4e-7b0a-70d1-8f56-3ac9e2d8417b",
    }
)
_THEN: Final = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
_MONTH: Final = timedelta(days=31)
_PAYER: Final = Actor(role=Role.USER, user_id=UUID(IDS["user"]))

PAYMENT: Final = PaymentBody(
    id=UUID(IDS["payment"]),
    user_id=UUID(IDS["user"]),
    amount=1250,
    currency="EUR",
    status=LegacyPaymentStatus.COMPLETED,
    status_detail=PaymentStatus.COMPLETED,
    amount_captured=1250,
    amount_refunded=0,
    amount_refundable=1250,
    description="Film: The Quiet Harbour",
    metadata={"order": "2026-000217"},
    media_item_id=None,
    subscription_id=None,
    payment_method_id=UUID(IDS["method"]),
    payment_method=MethodSnapshotBody(
        type=PaymentMethodType.CARD, brand="visa", last4="4242", exp_month=11, exp_year=2029
    ),
    decline=None,
    receipt_url=None,
    trigger=PaymentTrigger.PURCHASE,
    livemode=False,
    version=2,
    created_at=_THEN,
    updated_at=_THEN + timedelta(seconds=1),
    completed_at=_THEN + timedelta(seconds=1),
)
_NOT_COLLECTED: Final[dict[str, Any]] = {"amount_captured": 0, "amount_refundable": 0, "completed_at": None}
PENDING: Final = PAYMENT.model_copy(
    update={
        **_NOT_COLLECTED,
        "status": LegacyPaymentStatus.PENDING,
        "status_detail": PaymentStatus.PENDING,
        "payment_method": None,
        "version": 1,
    }
)
NEXT_ACTION: Final = NextActionBody(
    kind=NextActionKind.REDIRECT,
    client_secret=None,
    redirect_url="https://hooks.stripe.com/3d_secure/redirect",
)
AWAITING_ACTION: Final = PENDING.model_copy(
    update={"status_detail": PaymentStatus.REQUIRES_ACTION, "next_action": NEXT_ACTION, "version": 2}
)
FAILED: Final = PAYMENT.model_copy(
    update={
        **_NOT_COLLECTED,
        "status": LegacyPaymentStatus.FAILED,
        "status_detail": PaymentStatus.FAILED,
        "decline": DeclineBody.of(Decline(code="insufficient_funds"), _PAYER),
    }
)
REFUND: Final = RefundBody(
    id=UUID(IDS["refund"]),
    payment_id=UUID(IDS["payment"]),
    user_id=UUID(IDS["user"]),
    amount=500,
    currency="EUR",
    status="succeeded",
    status_detail=RefundStatus.SUCCEEDED,
    reason=RefundReasonWord.GOODWILL,
    origin=RefundOrigin.API,
    note="The stream broke off.",
    failure_reason=None,
    created_at=_THEN + timedelta(hours=3),
    updated_at=_THEN + timedelta(hours=3),
)
PENDING_REFUND: Final = REFUND.model_copy(update={"status": "pending", "status_detail": RefundStatus.PENDING})
METHOD: Final = PaymentMethodBody(
    id=UUID(IDS["method"]),
    user_id=UUID(IDS["user"]),
    type=PaymentMethodType.CARD,
    brand="visa",
    last4="4242",
    exp_month=11,
    exp_year=2029,
    billing_name="Ada Byron",
    is_default=True,
    status="usable",
    status_detail=PaymentMethodState.USABLE,
    version=1,
    created_at=_THEN - _MONTH,
    updated_at=_THEN - _MONTH,
)
SUBSCRIPTION: Final = SubscriptionBody(
    id=UUID(IDS["subscription"]),
    user_id=UUID(IDS["user"]),
    plan_id=UUID(IDS["plan"]),
    pending_plan_id=None,
    payment_method_id=None,
    status=LegacySubscriptionStatus.ACTIVE,
    status_detail=SubscriptionStatus.ACTIVE,
    current_period_start=_THEN,
    current_period_end=_THEN + _MONTH,
    paid_through=_THEN + _MONTH,
    cancel_at_period_end=False,
    cancel_at=None,
    cancelled_at=None,
    ended_at=None,
    trial_ends_at=None,
    paused_until=None,
    will_charge_again=True,
    metadata={},
    livemode=False,
    version=3,
    created_at=_THEN,
    updated_at=_THEN,
)
_UNPAID: Final[dict[str, Any]] = {
    "status": LegacySubscriptionStatus.PAST_DUE,
    "status_detail": SubscriptionStatus.INCOMPLETE,
    "paid_through": None,
}
UNPAID_SUBSCRIPTION: Final = SUBSCRIPTION.model_copy(update=_UNPAID)
AWAITING_SUBSCRIPTION: Final = SUBSCRIPTION.model_copy(update={**_UNPAID, "next_action": NEXT_ACTION})
_FIGURES: Final[dict[str, Any]] = {
    "payments_count": 217,
    "gross_volume": [AmountBody(currency="EUR", amount=271_250)],
    "net_volume": [AmountBody(currency="EUR", amount=268_750)],
    "refunded_volume": [AmountBody(currency="EUR", amount=2_500)],
    "refund_rate": [RateBody(currency="EUR", rate=0.0092)],
    "success_rate": 0.973,
    "declines": 6,
    "dispute_rate": 0.0,
    "active_subscriptions": 84,
    "new_subscriptions": 7,
    "churn_rate": 0.024,
    "mrr": [AmountBody(currency="EUR", amount=100_716)],
    "arpu": [AmountBody(currency="EUR", amount=1_199)],
    "dunning_recovery_rate": None,
}
STATS: Final = StatsBody(
    date_from=_THEN.replace(hour=0, minute=0),
    date_to=_THEN.replace(hour=0, minute=0) + timedelta(days=1),
    totals=FiguresBody(**_FIGURES),
    buckets=[
        BucketBody(
            start=_THEN.replace(hour=0, minute=0),
            end=_THEN.replace(hour=0, minute=0) + timedelta(days=1),
            **_FIGURES,
        )
    ],
    generated_at=_THEN + timedelta(days=1),
)

DONE: Final[Mapping[type[BaseModel], BaseModel]] = {
    PaymentBody: PAYMENT,
    RefundBody: REFUND,
    PaymentMethodBody: METHOD,
    SubscriptionBody: SUBSCRIPTION,
    StatsBody: STATS,
}
"""As each is where all went well."""
UNKNOWN: Final[Mapping[type[BaseModel], BaseModel]] = {
    PaymentBody: PENDING,
    RefundBody: PENDING_REFUND,
    PaymentMethodBody: METHOD,
    SubscriptionBody: SUBSCRIPTION,
}
"""As each is while nobody knows what became of a command."""
AWAITING: Final[Mapping[type[BaseModel], BaseModel]] = {
    PaymentBody: AWAITING_ACTION,
    SubscriptionBody: AWAITING_SUBSCRIPTION,
}
"""As those are whose customer must act."""
REFUSED: Final[Mapping[type[BaseModel], BaseModel]] = {
    PaymentBody: FAILED,
    SubscriptionBody: UNPAID_SUBSCRIPTION,
}
"""As a decline leaves them."""
METAS: Final[Mapping[type[BaseModel], BaseModel]] = {
    NoMeta: NoMeta(),
    CommandMeta: CommandMeta(),
    ChangesMeta: ChangesMeta(applied=["plan_id"]),
    MethodsMeta: MethodsMeta(total=1),
    PageMeta: PageMeta(page=1, limit=20, total=1, total_pages=1, next_cursor=None),
}
REQUESTS: Final[Mapping[type[Body], Mapping[str, Mapping[str, Any]]]] = {
    CreatePaymentBody: {
        "With the default method": {
            "amount": 1250,
            "currency": "EUR",
            "description": "Film: The Quiet Harbour",
            "metadata": {"order": "2026-000217"},
        },
        "With another method": {"amount": 1250, "payment_method_id": IDS["method"]},
    },
    RefundPaymentBody: {
        "A part": {"amount": 500, "reason": "goodwill", "note": "The stream broke off."},
        "All that is left": {"reason": "customer_request"},
    },
    CreateSubscriptionBody: {
        "With the default method": {"plan_id": IDS["plan"]},
        "Without a trial": {"plan_id": IDS["plan"], "use_trial": False},
    },
    UpdateSubscriptionBody: {
        "Another plan": {"plan_id": IDS["plan"]},
        "An end with the period": {"cancel_at_period_end": True},
        "Your own data": {"metadata": {"campaign": "winter"}},
    },
    AddPaymentMethodBody: {"A card": {"stripe_payment_method_id": "pm_card_visa", "is_default": True}},
    UpdatePaymentMethodBody: {
        "A new expiry": {"exp_month": 11, "exp_year": 2031},
        "The default": {"is_default": True},
    },
}
"""Bodies of requests, by name, as they are sent."""
