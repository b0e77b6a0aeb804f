"""Stripe's webhooks: is it really Stripe, and what does it say?"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import stripe

from domain.errors import InvalidInput
from domain.events import InboxEvent, PaymentReported, ProcessorEvent, RefundReported, Unhandled
from domain.identity import new_id
from domain.payment_status import SyncSource
from processor.stripe_client import OUR_KEYS
from processor.stripe_readers import reader_of
from processor.stripe_secrets import without_secrets
from processor.stripe_shapes import Shape
from processor.stripe_subjects import subject_of

TOLERANCE: Final = 300
"""Seconds a time stamp may be old, or ahead: https://docs.stripe.com/webhooks#replay-attacks"""
TIME_STAMP: Final = re.compile(r"(?:^|,)t=([^,]*)")
SECONDS: Final = re.compile(r"[0-9]{1,12}")
LONGEST_NAME: Final = 255
KEPT_OF_EVENTS: Final = ("id", "object", "type", "created", "livemode", "api_version", "request")
EMPTIED: Final = "emptied"
"""A mark of ours in events that tell no more than that there was one. Applied again, they change nothing."""


class StripeNews:
    """`secrets` are the signing secrets that are valid now: two while one is being rotated."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secrets)

    def receive(self, body: bytes, signature: str, *, at: datetime) -> InboxEvent:
        """Raises InvalidInput unless the body is an event that Stripe signed within the last minutes."""
        self._verify(body, signature, at)
        return _received(body, at)

    def read(self, event: InboxEvent) -> ProcessorEvent:
        told: Shape = orjson.loads(event.payload)
        if EMPTIED in told:
            return Unhandled()
        thing: Shape = told["data"]["object"]
        news = reader_of(event.type, thing)(thing, event.processor_event_id)
        return _as_told(news, event)

    def emptied(self, event: InboxEvent) -> str:
        told: Shape = orjson.loads(event.payload)
        thing = told["data"]["object"]
        kept = {name: told[name] for name in KEPT_OF_EVENTS if name in told}
        about = {name: thing[name] for name in ("id", "object") if name in thing}
        return orjson.dumps({**kept, EMPTIED: True, "data": {"object": about}}).decode()

    def is_by_others(self, event: InboxEvent) -> bool:
        """By the key of the request, of which all of ours have names: https://docs.stripe.com/api/events/object"""
        request = orjson.loads(event.payload).get("request") or {}
        key = request.get("idempotency_key") or ""
        return bool(request.get("id")) and not key.startswith(OUR_KEYS)

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


def _received(body: bytes, at: datetime) -> InboxEvent:
    try:
        return inbox_event(orjson.loads(body), at=at)
    except orjson.JSONDecodeError as malformed:
        raise InvalidInput("This is not an event.") from malformed


def inbox_event(event: Any, *, at: datetime, via: SyncSource = SyncSource.WEBHOOK) -> InboxEvent:
    """An event as it is kept. Raises InvalidInput for what is none."""
    try:
        event["data"]["object"]["object"]  # What has no object is no event.
        kind, payload = _name(event["type"]), orjson.dumps(without_secrets(event)).decode()
        return InboxEvent(
            id=new_id(),
            processor_event_id=_name(event["id"]),
            type=kind,
            livemode=event["livemode"] is True,
            api_version=_name(event.get("api_version") or "unknown"),
            payload=payload,
            processor_object_id=subject_of(kind, event["data"]["object"]),
            via=via,
            occurred_at=datetime.fromtimestamp(event["created"], UTC),
            received_at=at,
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError) as malformed:
        raise InvalidInput("This is not an event.") from malformed


def _name(value: Any) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_NAME:
        return value
    raise ValueError("not a name")


def _as_told(news: ProcessorEvent, event: InboxEvent) -> ProcessorEvent:
    """With when that was, and how we came to hear of it."""
    match news:
        case PaymentReported(outcome=outcome):
            told = replace(outcome, occurred_at=event.occurred_at, source=event.via)
            return replace(news, outcome=told)
        case RefundReported(facts=facts):
            return replace(news, facts=replace(facts, occurred_at=event.occurred_at, source=event.via))
    return news
