"""Domain values as the tests need them, and Stripe's own events about them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from domain.events import InboxEvent, PaymentReported
from domain.identity import new_id
from domain.operation import KEPT_FOR, ObjectKind, Operation
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup, PaymentMethodType, SetupStatus
from domain.payment_status import CaptureMethod, PaymentStatus, PaymentTrigger
from processor.stripe_events import StripeNews

EVENTS = Path(__file__).parent.parent / "stripe" / "events"
OWNER = UUID(int=1)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def a_payment(**known: Any) -> Payment:
    """25.00 usd that nobody has heard of yet, unless said otherwise."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": OWNER,
        "status": PaymentStatus.PENDING,
        "trigger": PaymentTrigger.PURCHASE,
        "livemode": False,
        "amount": 2500,
        "currency": "USD",
        "capture_method": CaptureMethod.AUTOMATIC,
        "processor_customer_id": "cus_SampleCust0001",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Payment(**{**usual, **known})


def a_method(**known: Any) -> PaymentMethod:
    """A card that is good until the end of July 2026, unless said otherwise."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": OWNER,
        "processor_method_id": "pm_1",
        "type": PaymentMethodType.CARD,
        "exp_month": 7,
        "exp_year": 2026,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return PaymentMethod(**{**usual, **known})


def a_setup(**known: Any) -> PaymentMethodSetup:
    """A method that is about to be saved."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": OWNER,
        "status": SetupStatus.REQUIRES_METHOD,
        "makes_default": False,
        "processor_customer_id": "cus_SampleCust0001",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return PaymentMethodSetup(**{**usual, **known})


def an_operation(**known: Any) -> Operation:
    """One that has just begun, under a key of its own."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "caller_id": OWNER,
        "mutation": "createPayment",
        "key": str(new_id()),
        "object_kind": ObjectKind.PAYMENT,
        "leased_until": NOON + timedelta(seconds=30),
        "started_at": NOON,
        "expires_at": NOON + KEPT_FOR,
    }
    return Operation(**{**usual, **known})


def an_event() -> InboxEvent:
    return inbox_event(stripe_event("charge.succeeded"))


def stripe_event(name: str, **changes: Any) -> dict[str, Any]:
    """One of the sample events, with changes to its object."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    event["data"]["object"].update(changes)
    return event


def every_stripe_event() -> Iterator[tuple[str, bytes]]:
    for file in sorted(EVENTS.glob("*.json")):
        yield file.stem, file.read_bytes()


def inbox_event(event: dict[str, Any]) -> InboxEvent:
    return InboxEvent(
        id=new_id(),
        processor_event_id=event["id"],
        type=event["type"],
        livemode=event["livemode"],
        api_version=event["api_version"],
        payload=orjson.dumps(event).decode(),
        occurred_at=datetime.fromtimestamp(event["created"], UTC),
        received_at=NOON,
    )


def outcome_in(name: str, **changes: Any) -> Outcome:
    """What a sample event says of its payment."""
    news = StripeNews([]).read(inbox_event(stripe_event(name, **changes)))
    assert isinstance(news, PaymentReported)
    return news.outcome
