import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from gateway.app import LARGEST_EVENT, STRIPE_WEBHOOK, application
from gateway.wiring import Gateway, wire
from persistence.tables import metadata
from tests.news import signed
from tests.tables import contents_of

EVENTS = Path(__file__).parents[1] / "stripe" / "events"
BODIES = {path.stem: path.read_bytes() for path in sorted(EVENTS.glob("*.json"))}
PAID = BODIES["payment_intent.succeeded"]
TOLERANCE = 300

SIGNATURES: dict[str, Callable[[float], str]] = {
    "none": lambda now: "",
    "nonsense": lambda now: "nonsense",
    "empty parts": lambda now: "t=,v1=",
    "no digest": lambda now: f"t={int(now)}",
    "a short digest": lambda now: f"t={int(now)},v1=00",
    "no ASCII": lambda now: f"t={int(now)},v1=é",
    "another secret": lambda now: signed(PAID, secret="whsec_of_somebody_else"),
    "too old": lambda now: signed(PAID, at=now - TOLERANCE - 60),
    "in the future": lambda now: signed(PAID, at=now + TOLERANCE + 60),
    "another scheme": lambda now: signed(PAID).replace("v1=", "v0="),
    "another body": lambda now: signed(PAID + b" "),
    "another time": lambda now: signed(PAID, at=now - 60).replace(f"t={int(now - 60)}", f"t={int(now)}"),
}

Inbox = Callable[[], Awaitable[list[str]]]


@pytest.fixture
def inbox(database_url: str) -> Inbox:
    async def rows() -> list[str]:
        return (await contents_of(database_url, metadata))["inbox_events"]

    return rows


async def send(http: httpx2.AsyncClient, body: bytes, signature: str | None = None) -> httpx2.Response:
    headers = {"Stripe-Signature": signed(body) if signature is None else signature}
    return await http.post(STRIPE_WEBHOOK, content=body, headers=headers)


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(PAID), **fields}).encode()


class TestStored:
    async def test_event_is_answered_with_200_and_waits_for_the_worker(
        self, http: httpx2.AsyncClient, inbox: Inbox
    ) -> None:
        answer = await send(http, PAID)

        assert (answer.status_code, answer.json()) == (200, {"received": json.loads(PAID)["id"]})
        [row] = await inbox()
        assert "RECEIVED" in row

    async def test_duplicate_is_answered_with_200_and_kept_once(
        self, http: httpx2.AsyncClient, inbox: Inbox
    ) -> None:
        statuses = [(await send(http, PAID)).status_code for _ in range(3)]

        assert statuses == [200, 200, 200]
        assert len(await inbox()) == 1

    async def test_every_type_known_or_not_is_answered_with_200(
        self, http: httpx2.AsyncClient, inbox: Inbox
    ) -> None:
        statuses = {name: (await send(http, body)).status_code for name, body in BODIES.items()}

        assert statuses == dict.fromkeys(BODIES, 200)
        assert len(await inbox()) == len({json.loads(body)["id"] for body in BODIES.values()})

    async def test_event_under_the_older_of_two_secrets_is_taken_during_a_rotation(
        self, gateway: Gateway
    ) -> None:
        rotating = wire(
            gateway.settings.model_copy(update={"stripe_webhook_secret": SecretStr("whsec_new, whsec_old")})
        )
        async with client(rotating) as http:
            statuses = [
                (await send(http, PAID, signed(PAID, secret=secret))).status_code
                for secret in ("whsec_old", "whsec_new", "whsec_oldest")
            ]
        await rotating.close()

        assert statuses == [200, 200, 400]

    async def test_event_may_be_larger_than_other_requests(self, http: httpx2.AsyncClient) -> None:
        assert (await send(http, changed(padding="x" * (LARGEST_EVENT - 10_000)))).status_code == 200


def client(gateway: Gateway) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=application(gateway))
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway")


class TestRefused:
    @pytest.mark.parametrize("name", SIGNATURES)
    async def test_event_without_a_good_signature_is_400_and_not_kept(
        self, http: httpx2.AsyncClient, inbox: Inbox, name: str
    ) -> None:
        signature = SIGNATURES[name](time.time()).encode()

        answer = await http.post(STRIPE_WEBHOOK, content=PAID, headers=[(b"stripe-signature", signature)])

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
        assert await inbox() == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b"null",
            b"[]",
            b'"event"',
            b"\xff\xfe",
            b"[" * 200_000,
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            changed(id=17),
            changed(id=""),
            changed(id="evt_\0"),
            changed(id="e" * 256),
            changed(type=None),
            changed(created="yesterday"),
            changed(created=10**20),
        ],
        ids=lambda body: str(body[:20]),
    )
    async def test_signed_content_that_is_no_event_is_400_and_not_kept(
        self, http: httpx2.AsyncClient, inbox: Inbox, body: bytes
    ) -> None:
        answer = await send(http, body)

        assert answer.status_code == 400
        assert await inbox() == []

    async def test_event_that_is_too_large_is_413(self, http: httpx2.AsyncClient, inbox: Inbox) -> None:
        answer = await send(http, b"x" * (LARGEST_EVENT + 1))

        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "CONTENT_TOO_LARGE")
        assert await inbox() == []

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
    async def test_other_methods_are_405(self, http: httpx2.AsyncClient, method: str) -> None:
        answer = await http.request(method, STRIPE_WEBHOOK)

        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"

    async def test_everything_is_404_without_a_secret(self, gateway: Gateway) -> None:
        closed = wire(gateway.settings.model_copy(update={"stripe_webhook_secret": SecretStr("")}))

        async with client(closed) as http:
            answer = await send(http, PAID)
        await closed.close()

        assert answer.status_code == 404


class TestSecrets:
    @pytest.mark.parametrize("name", sorted(BODIES))
    async def test_of_clients_are_not_kept_of_any_event(
        self, http: httpx2.AsyncClient, inbox: Inbox, name: str
    ) -> None:
        await send(http, BODIES[name])

        [row] = await inbox()
        assert "secret" not in row

    async def test_inside_addresses_and_names_are_not_kept_however_deep_they_are(
        self, http: httpx2.AsyncClient, inbox: Inbox
    ) -> None:
        event = json.loads(PAID)
        thing = event["data"]["object"]
        thing["next_action"] = {
            "redirect_to_url": {
                "url": "https://hooks.stripe.com/3d?client_secret=src_client_secret_XDGV5&x=1"
            },
            "use_stripe_sdk": {"stripe_js": [["https://js.stripe.com/?s=pi_1Abc_secret_Dm43&y=2"]]},
        }
        thing["description"] = "Card 4242 4242 4242 4242, by phone"
        thing["metadata"] = {"4242424242424242": "cuss_secret_QXhWeU"}

        answer = await send(http, json.dumps(event).encode())

        [row] = await inbox()
        assert answer.status_code == 200
        assert not [part for part in ("XDGV5", "Dm43", "4242 4242", "42424242", "QXhWeU") if part in row]
        assert "&x=1" in row
        assert "&y=2" in row
        assert "by phone" in row
