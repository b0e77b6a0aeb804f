"""
Stripe, as far as createPayment goes, at no cost: `python -m bench.peers.instant_stripe`.

Every charge succeeds at once and nothing is kept, so that what is measured is the servers and not the sandbox.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
import uvicorn

from bench import HOST

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PAYMENT_INTENTS: Final = ("POST", "/v1/payment_intents")
NUMBERS: Final = count(1)
RUN: Final = os.urandom(6).hex()
"""Ids are unique over all runs, as payments are kept."""


async def app(scope: Message, receive: Receive, send: Send) -> None:
    body = await body_of(receive)
    if (scope["method"], scope["path"]) == PAYMENT_INTENTS:
        await answer(send, 200, payment_intent(dict(parse_qsl(body.decode()))))
    elif scope["path"] == "/readyz":
        await answer(send, 200, {})
    else:
        await answer(send, 404, {"error": {"type": "invalid_request_error", "message": "Not part of this"}})


def payment_intent(asked: Mapping[str, str]) -> dict[str, Any]:
    """https://docs.stripe.com/api/payment_intents/object, with its charge expanded."""
    number = f"{RUN}{next(NUMBERS):08}"
    amount, method = int(asked["amount"]), asked["payment_method"]
    return {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": amount,
        "currency": asked["currency"],
        "customer": asked["customer"],
        "payment_method": method,
        "metadata": {"payment_id": asked["metadata[payment_id]"]},
        "last_payment_error": None,
        "next_action": None,
        "livemode": False,
        "latest_charge": charge(number, amount, asked),
    }


def charge(number: str, amount: int, asked: Mapping[str, str]) -> dict[str, Any]:
    """https://docs.stripe.com/api/charges/object"""
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "status": "succeeded",
        "amount": amount,
        "amount_captured": amount,
        "captured": True,
        "currency": asked["currency"],
        "payment_intent": f"pi_{number}",
        "payment_method": asked["payment_method"],
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2040, "country": "US"},
        },
        "receipt_url": f"https://pay.stripe.example/receipts/{number}",
    }


async def body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def answer(send: Send, status: int, content: object) -> None:
    body = orjson.dumps(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host=HOST,
        port=int(os.environ["PORT"]),
        lifespan="off",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
