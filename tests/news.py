"""Events as Stripe sends them: signed, one request each."""

import time
from typing import Any

import orjson
import stripe

from gateway.settings import DEVELOPMENT_WEBHOOK_SECRET
from gateway.wiring import Gateway
from sandbox import Sandbox


def signed(body: bytes, *, secret: str = DEVELOPMENT_WEBHOOK_SECRET, at: float | None = None) -> str:
    """The Stripe-Signature header of a body: https://docs.stripe.com/webhooks#verify-manually"""
    stamp = int(time.time() if at is None else at)
    content = f"{stamp}.{body.decode('latin-1')}"
    digest = stripe.WebhookSignature._compute_signature(content, secret)
    return f"t={stamp},v1={digest}"


async def deliver_news(sandbox: Sandbox, gateway: Gateway) -> None:
    """All that has happened at the sandbox is received, stored and applied."""
    for event in sandbox.objects.all("event"):
        body = orjson.dumps(shown(event))
        stored = await gateway.webhooks.receive(body, signed(body))
        await gateway.webhooks.handle(stored.id)


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """Without what the sandbox notes for itself."""
    return {name: value for name, value in event.items() if not name.startswith("_")}
