import asyncio
import re
import time
from typing import Any

import httpx2
import pytest
from stripe import APIConnectionError, APIError, RateLimitError, StripeClient

from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.sandbox.payments import payment
from tests.waiting import until

KEY: Any = {"idempotency_key": "order-17"}
NOT_EXECUTED = [
    ("error_before", APIError),
    ("reset_before", APIConnectionError),
    ("hang_before", APIConnectionError),
    ("html", APIError),
    ("rate_limit", RateLimitError),
    ("lock_timeout", RateLimitError),
]
EXECUTED = ["reset_after", "hang_after", "half_body"]


def captures(sandbox: Sandbox) -> int:
    count: int = sandbox.ledger()["totals"]["captures"]
    return count


async def spoil(http: httpx2.AsyncClient, kind: str, **settings: Any) -> None:
    rule = {"path": "^/v1/payment_intents$", "method": "POST", "kind": kind, "seconds": 0.02, **settings}
    answer = await http.post("/_sandbox/faults", json={"rules": [rule]})
    assert answer.status_code == 200


async def is_idle(http: httpx2.AsyncClient) -> bool:
    return bool((await http.get("/_sandbox/faults")).json()["delayed"] == 0)


class TestKinds:
    @pytest.mark.parametrize(("kind", "error"), NOT_EXECUTED)
    async def test_before_means_not_executed(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        sandbox: Sandbox,
        kind: str,
        error: type[Exception],
    ) -> None:
        await spoil(http, kind)

        with pytest.raises(error):
            await client.v1.payment_intents.create_async(payment(), KEY)
        assert captures(sandbox) == 0

        assert (await client.v1.payment_intents.create_async(payment(), KEY)).status == "succeeded"
        assert captures(sandbox) == 1

    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_after_means_executed_and_the_key_tells_of_it(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox, kind: str
    ) -> None:
        await spoil(http, kind)

        with pytest.raises(APIConnectionError):
            await client.v1.payment_intents.create_async(payment(), KEY)
        assert captures(sandbox) == 1

        again = await client.v1.payment_intents.create_async(payment(), KEY)
        assert again.status == "succeeded"
        assert captures(sandbox) == 1

    async def test_an_error_after_sticks_to_its_key(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        await spoil(http, "error_after")

        for _ in range(2):
            with pytest.raises(APIError) as failed:
                await client.v1.payment_intents.create_async(payment(), KEY)
            assert failed.value.http_status == 500

        assert captures(sandbox) == 1
        assert failed.value.headers is not None
        assert failed.value.headers["idempotent-replayed"] == "true"
        assert failed.value.headers["stripe-should-retry"] == "false"
        assert (await client.v1.payment_intents.list_async()).data[0].status == "succeeded"

    async def test_a_delay_is_answered_late(self, client: StripeClient, http: httpx2.AsyncClient) -> None:
        await spoil(http, "delay", seconds=0.1)
        asked_at = time.monotonic()

        intent = await client.v1.payment_intents.create_async(payment())

        assert intent.status == "succeeded"
        assert time.monotonic() - asked_at >= 0.1

    async def test_a_delayed_request_is_executed_although_its_caller_gave_up(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        await spoil(http, "delay", seconds=0.1)
        form = {"amount": "2000", "currency": "usd"}

        with pytest.raises(httpx2.ReadTimeout):
            await http.post("/v1/payment_intents", data=form, timeout=0.02)
        await asyncio.sleep(0.15)

        assert len(sandbox.ledger()["payment_intents"]) == 1

    async def test_a_reset_is_a_reset(self, http: httpx2.AsyncClient) -> None:
        await spoil(http, "reset_before")

        with pytest.raises(httpx2.ReadError):
            await http.post("/v1/payment_intents", data={"amount": "2000", "currency": "usd"})

    async def test_a_lock_timeout_asks_for_a_retry(self, http: httpx2.AsyncClient) -> None:
        await spoil(http, "lock_timeout")

        answer = await http.post("/v1/payment_intents")

        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "lock_timeout")
        assert answer.headers["stripe-should-retry"] == "true"


class TestDelayed:
    async def test_counts_what_is_still_to_be_carried_out_though_its_caller_has_gone(
        self, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        await spoil(http, "delay", seconds=0.5)
        form = {
            "amount": "2000",
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        }
        with pytest.raises(httpx2.ReadTimeout):
            await http.post("/v1/payment_intents", data=form, timeout=0.1)

        before = (await http.get("/_sandbox/faults")).json()["delayed"], captures(sandbox)
        await until(lambda: is_idle(http))

        assert before == (1, 0)
        assert captures(sandbox) == 1


class TestInProcess:
    """Without a socket, as behind an ASGI transport, a cut connection is an exception."""

    @pytest.mark.parametrize("kind", ["reset_before", "reset_after", "half_body"])
    async def test_a_cut_reaches_the_caller(self, sandbox: Sandbox, kind: str) -> None:
        sandbox.faults.add([Rule(path=re.compile("customers"), kind=Kind(kind))])
        headers = {"Authorization": "Bearer sk_test_sandbox"}
        transport = httpx2.ASGITransport(app=sandbox.app)

        async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            with pytest.raises(ConnectionResetError):
                await http.post("/v1/customers", headers=headers)


class TestRules:
    async def test_fit_by_path_and_method_and_are_used_up(self, http: httpx2.AsyncClient) -> None:
        await spoil(http, "error_before", times=2)
        form = {"amount": "2000", "currency": "usd"}

        statuses = [
            (await http.get("/v1/payment_intents")).status_code,
            (await http.post("/v1/customers")).status_code,
            *[(await http.post("/v1/payment_intents", data=form)).status_code for _ in range(3)],
        ]

        assert statuses == [200, 200, 500, 500, 200]

    async def test_may_hold_for_ever_until_cleared(self, http: httpx2.AsyncClient) -> None:
        await spoil(http, "error_before", times=None)
        form = {"amount": "2000", "currency": "usd"}
        before = [(await http.post("/v1/payment_intents", data=form)).status_code for _ in range(5)]

        await http.delete("/_sandbox/faults")

        assert before == [500] * 5
        assert (await http.post("/v1/payment_intents", data=form)).status_code == 200

    @pytest.mark.parametrize(
        "rule", [{"kind": "explode"}, {"path": "("}, "html", {"kind": "html", "seconds": "soon"}, {}]
    )
    async def test_malformed_ones_are_refused(self, http: httpx2.AsyncClient, rule: object) -> None:
        answer = await http.post("/_sandbox/faults", json={"rules": [rule]})

        assert answer.status_code == 400


class TestRequestLog:
    async def test_shows_keys_statuses_and_replays(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        await spoil(http, "reset_after")
        with pytest.raises(APIConnectionError):
            await client.v1.payment_intents.create_async(payment(), KEY)
        await client.v1.payment_intents.create_async(payment(), KEY)
        await http.get("/v1/payment_intents")

        entries = (await http.get("/_sandbox/requests")).json()["requests"]

        shown = [
            (each["path"], each["idempotency_key"], each["status"], each["is_replayed"], each["fault"])
            for each in entries
        ]
        assert shown == [
            ("/v1/payment_intents", "order-17", 200, True, None),
            ("/v1/payment_intents", "order-17", None, False, "reset_after"),
        ]

    async def test_can_be_emptied(self, http: httpx2.AsyncClient) -> None:
        await http.post("/v1/customers")

        await http.delete("/_sandbox/requests")

        assert (await http.get("/_sandbox/requests")).json() == {"requests": []}
