"""Stripe's webhooks: is it really Stripe, and what does it say?"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import stripe

from domain.errors import InvalidInput
from domain.events import (
    InboxEvent,
    MethodDetached,
    MethodReported,
    PaymentReported,
    ProcessorEvent,
    SetupReported,
    Unhandled,
)
from domain.identity import new_id
from domain.outcome import Outcome
from domain.payment_status import SyncSource
from processor.stripe_shapes import (
    Shape,
    identity,
    method_facts,
    our_id,
    outcome_of_charge,
    outcome_of_intent,
    setup_facts,
)

TOLERANCE: Final = 300
"""Seconds a time stamp may be old, or ahead: https://docs.stripe.com/webhooks#replay-attacks"""
TIME_STAMP: Final = re.compile(r"(?:^|,)t=([^,]*)")
SECONDS: Final = re.compile(r"[0-9]{1,12}")
LONGEST_NAME: Final = 255
SECRET: Final = "client_secret"  # noqa: S105
PROVES_SUCCESS: Final = frozenset({"charge.succeeded", "charge.captured", "charge.updated"})
METHOD_NEWS: Final = frozenset(
    {
        "payment_method.attached",
        "payment_method.updated",
        "payment_method.automatically_updated",
        "payment_method.card_automatically_updated",
    }
)


class StripeNews:
    """`secrets` are the signing secrets that are valid now: two while one is being rotated."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def receive(self, body: bytes, signature: str, *, at: datetime) -> InboxEvent:
        """Raises InvalidInput unless the body is an event that Stripe signed within the last minutes."""
        self._verify(body, signature, at)
        return _inbox_event(body, at)

    def read(self, event: InboxEvent) -> ProcessorEvent:
        thing: Shape = orjson.loads(event.payload)["data"]["object"]
        reader = _reader(event.type, thing)
        news = reader(thing, event.processor_event_id)
        return _dated(news, event) if isinstance(news, PaymentReported) else news

    def _verify(self, body: bytes, signature: str, at: datetime) -> None:
        """One plain time stamp only, so that the one judged here is the one that the library takes as signed."""
        stamps = TIME_STAMP.findall(signature)
        if len(stamps) != 1 or not SECONDS.fullmatch(stamps[0]) or _is_far(int(stamps[0]), at):
            raise InvalidInput("The signature's time stamp is missing, too old or in the future.")
        if not any(_is_signed(body, signature, secret) for secret in self._secrets):
            raise InvalidInput("The signature does not match.")


def _is_far(seconds: int, at: datetime) -> bool:
    return abs(at.timestamp() - seconds) > TOLERANCE


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Beyond its own error, the library raises UnicodeDecodeError for such a body, TypeError for such a header."""
    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret))
    except (stripe.SignatureVerificationError, UnicodeError, TypeError):
        return False


def _inbox_event(body: bytes, at: datetime) -> InboxEvent:
    try:
        event = orjson.loads(body)
        return InboxEvent(
            id=new_id(),
            processor_event_id=_name(event["id"]),
            type=_name(event["type"]),
            livemode=event["livemode"] is True,
            api_version=_name(event.get("api_version") or "unknown"),
            payload=orjson.dumps(_without_secrets(event)).decode(),
            occurred_at=datetime.fromtimestamp(event["created"], UTC),
            received_at=at,
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError) as malformed:
        raise InvalidInput("This is not an event.") from malformed


def _name(value: Any) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_NAME:
        return value
    raise ValueError("not a name")


def _without_secrets(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event without what would let its reader pay; whoever needs a client secret asks Stripe."""
    event["data"]["object"]["object"]
    waiting: list[Any] = [event]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            item.pop(SECRET, None)
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return event


def _dated(news: PaymentReported, event: InboxEvent) -> PaymentReported:
    return replace(news, outcome=replace(news.outcome, occurred_at=event.occurred_at))


Reader = Callable[[Shape, str], ProcessorEvent]


def _reader(kind: str, thing: Shape) -> Reader:
    if kind.startswith("payment_intent."):
        return _payment
    if kind in PROVES_SUCCESS and thing.get("status") == "succeeded" and thing.get("payment_intent"):
        return _charge
    if kind.startswith("setup_intent."):
        return _setup
    if kind in METHOD_NEWS and thing.get("customer"):
        return _method
    if kind == "payment_method.detached":
        return _detached
    return _unhandled


def _payment(intent: Shape, event_id: str) -> ProcessorEvent:
    outcome = outcome_of_intent(intent, source=SyncSource.WEBHOOK, event_id=event_id)
    return _reported(intent, intent["id"], outcome)


def _charge(charge: Shape, event_id: str) -> ProcessorEvent:
    outcome = outcome_of_charge(charge, source=SyncSource.WEBHOOK, event_id=event_id)
    return _reported(charge, identity(charge["payment_intent"]) or "", outcome)


def _reported(thing: Shape, intent_id: str, outcome: Outcome) -> PaymentReported:
    return PaymentReported(
        payment_id=our_id(thing, "payment_id"), processor_payment_id=intent_id, outcome=outcome
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
