import asyncio
import time
from collections.abc import Iterable
from random import Random
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from stripe import APIError, StripeClient

from sandbox import Sandbox
from sandbox.__main__ import parser, settings
from sandbox.control import weather
from sandbox.control.faults import Kind
from sandbox.control.likeness import masked
from sandbox.control.weather import BadWeather
from tests.sandbox.payments import payment

EVEN = dict.fromkeys(Kind, 1 / len(Kind))
FORM = {"amount": "2000", "currency": "usd"}


async def begin(http: httpx2.AsyncClient, **parts: Any) -> None:
    answer = await http.post("/_sandbox/chaos", json={"seed": 7, **parts})
    assert answer.status_code == 200


async def done(http: httpx2.AsyncClient) -> Any:
    return (await http.get("/_sandbox/chaos")).json()["done"]


async def statuses(http: httpx2.AsyncClient, amounts: Iterable[int]) -> list[int]:
    """What payments of these amounts, all asked for at once, are answered with."""
    asked = [
        http.post(
            "/v1/payment_intents",
            data={**FORM, "amount": str(amount)},
            headers={"Idempotency-Key": f"payment-{uuid4()}"},
        )
        for amount in amounts
    ]
    return [answer.status_code for answer in await asyncio.gather(*asked)]


class TestSeed:
    async def test_the_same_one_spoils_the_same_requests_in_whatever_order_they_come(
        self, http: httpx2.AsyncClient
    ) -> None:
        amounts = range(100, 140)
        await begin(http, faults={"error_before": 0.5})
        before = await statuses(http, amounts)

        await begin(http, faults={"error_before": 0.5})
        again = await statuses(http, reversed(amounts))

        assert again[::-1] == before
        assert set(before) == {200, 500}

    async def test_another_one_spoils_others(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 0.5})
        before = await statuses(http, range(100, 140))

        await begin(http, seed=8, faults={"error_before": 0.5})

        assert await statuses(http, range(100, 140)) != before

    async def test_every_attempt_of_a_key_draws_anew(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 0.5})
        key = {"Idempotency-Key": "order-17"}

        answers = [(await http.post("/v1/customers", headers=key)).status_code for _ in range(20)]

        assert set(answers) == {200, 500}

    async def test_requests_that_look_alike_draw_apart(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 0.5})

        assert set(await statuses(http, [2000] * 20)) == {200, 500}


class TestOdds:
    async def test_hold_for_every_kind(self, sandbox: Sandbox, http: httpx2.AsyncClient) -> None:
        await begin(http, faults=EVEN, seconds=0)

        for number in range(550):
            with_key = {"Idempotency-Key": f"order-{number}"}
            try:
                await http.post("/v1/customers", headers=with_key)
            except httpx2.TransportError:
                continue

        told = (await done(http))["faults"]
        assert told.keys() == set(Kind)
        assert all(30 <= count <= 70 for count in told.values())

    async def test_of_reads_may_be_others(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 1}, reads={})

        assert (await http.post("/v1/customers")).status_code == 500
        assert (await http.get("/v1/customers")).status_code == 200

    async def test_of_reads_are_those_of_writes_unless_given(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"html": 1})

        assert (await http.get("/v1/customers")).status_code == 502

    async def test_a_fault_after_execution_leaves_the_work_done(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        await begin(http, faults={"error_after": 1})

        with pytest.raises(APIError):
            await client.v1.payment_intents.create_async(payment())

        assert sandbox.ledger()["totals"]["captures"] == 1
        assert sandbox.requests.newest_first()[0].fault is Kind.ERROR_AFTER


class TestLatency:
    async def test_delays_every_answer(self, http: httpx2.AsyncClient) -> None:
        await begin(http, latency={"median": 0.05, "p99": 0.05})
        asked_at = time.monotonic()

        await http.get("/v1/customers")

        assert time.monotonic() - asked_at >= 0.05
        assert (await done(http))["latency_seconds"] == pytest.approx(0.05)

    async def test_has_the_median_and_the_tail_that_were_asked_for(self) -> None:
        latency, dice = weather.Latency(median=0.02, p99=0.5), Random(7)  # noqa: S311  # It is the same every time.

        drawn = sorted(latency.drawn(dice) for _ in range(2_000))

        assert drawn[1_000] == pytest.approx(0.02, rel=0.2)
        assert drawn[1_980] == pytest.approx(0.5, rel=0.4)


class TestControl:
    async def test_rules_go_first_and_have_no_part_in_the_weather(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 1}, latency={"median": 1, "p99": 1})
        await http.post("/_sandbox/faults", json={"rules": [{"path": "customers", "kind": "rate_limit"}]})

        answer = await http.post("/v1/customers")

        assert answer.status_code == 429
        assert (await done(http))["requests"] == 0

    async def test_is_calm_unless_told_otherwise(self, http: httpx2.AsyncClient) -> None:
        await http.post("/v1/customers")

        told = (await http.get("/_sandbox/chaos")).json()

        assert told == {
            "chaos": None,
            "done": {"requests": 0, "faults": {}, "latency_seconds": 0, "webhooks": 0, "mishaps": {}},
        }

    async def test_shows_the_weather_in_full(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"html": 0.5}, webhooks={"dropped": 0.25}, latency={"median": 0.1, "p99": 2})

        assert (await http.get("/_sandbox/chaos")).json()["chaos"] == {
            "seed": 7,
            "faults": {"html": 0.5},
            "reads": {"html": 0.5},
            "seconds": 1.0,
            "latency": {"median": 0.1, "p99": 2.0},
            "webhooks": {"dropped": 0.25, "seconds": 2.0, "paused": False},
        }

    async def test_is_over_when_deleted_and_still_tells_what_it_did(self, http: httpx2.AsyncClient) -> None:
        await begin(http, faults={"error_before": 1})
        await http.post("/v1/customers")

        ended = (await http.delete("/_sandbox/chaos")).json()

        assert (ended["chaos"], ended["done"]["faults"]) == (None, {"error_before": 1})
        assert (await http.post("/v1/customers")).status_code == 200

    @pytest.mark.parametrize(
        ("described", "complaint"),
        [
            ({}, "seed is required"),
            ({"seed": True}, "seed is required"),
            ({"seed": 7, "wind": 3}, "the weather knows no wind"),
            ({"seed": 7, "faults": {"explode": 0.1}}, "faults knows no explode"),
            ({"seed": 7, "faults": ["html"]}, "faults is a JSON object"),
            ({"seed": 7, "faults": {"html": 1.1}}, "faults.html is a number from 0 to 1"),
            ({"seed": 7, "reads": {"html": -0.1}}, "reads.html is a number from 0 to 1"),
            ({"seed": 7, "faults": {"html": "0.1"}}, "faults.html is a number from 0 to 1"),
            ({"seed": 7, "faults": {"html": 0.6, "delay": 0.6}}, "the odds of faults add up to more than 1"),
            ({"seed": 7, "seconds": 61}, "seconds is a number from 0 to 60"),
            ({"seed": 7, "latency": {"median": 1}}, "latency takes both"),
            ({"seed": 7, "latency": {"median": 0, "p99": 1}}, "latency.median is more than 0"),
            ({"seed": 7, "latency": {"median": 2, "p99": 1}}, "latency.p99 not less"),
            ({"seed": 7, "webhooks": {"lost": 1}}, "webhooks knows no lost"),
            ({"seed": 7, "webhooks": {"dropped": 0.6, "delayed": 0.6}}, "the odds of webhooks add up"),
            ({"seed": 7, "webhooks": {"paused": 1}}, "webhooks.paused is a boolean"),
        ],
    )
    async def test_a_weather_that_cannot_be_is_refused(
        self, http: httpx2.AsyncClient, sandbox: Sandbox, described: dict[str, Any], complaint: str
    ) -> None:
        answer = await http.post("/_sandbox/chaos", json=described)

        assert answer.status_code == 400
        assert complaint in answer.json()["error"]["message"]
        assert sandbox.chaos.weather is None


class TestDescription:
    @pytest.mark.parametrize("seed", [7, -1])
    def test_of_what_is_shown_makes_the_same_weather(self, seed: int) -> None:
        rough = weather.rough(seed)

        assert weather.read(weather.shown(rough)) == rough

    def test_may_name_the_odds_in_any_order(self) -> None:
        one = weather.read({"seed": 7, "faults": {"html": 0.1, "delay": 0.2}})
        other = weather.read({"seed": 7, "faults": {"delay": 0.2, "html": 0.1}})

        assert list(one.faults) == list(other.faults)

    def test_that_is_no_object_is_refused(self) -> None:
        with pytest.raises(BadWeather, match="the weather is a JSON object"):
            weather.read(["seed", 7])


class TestLikeness:
    @pytest.mark.parametrize(
        ("text", "common"),
        [
            ("/v1/payment_intents/pi_0123456789abcdef01234567", "/v1/payment_intents/pi_*"),
            ("payment-0198c0de-1234-7abc-8def-0123456789ab", "payment-*"),
            ("created[gte]=1790000000&limit=100", "created[gte]=*&limit=100"),
            ("amount=2000&payment_method=pm_card_visa", "amount=2000&payment_method=pm_card_visa"),
        ],
    )
    def test_leaves_out_what_differs_between_runs(self, text: str, common: str) -> None:
        assert masked(text) == common


class TestCommandLine:
    def test_refuses_what_it_does_not_understand(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            parser().parse_args(["--chaos", '{"seed": 7, "faults": {"explode": 1}}'])

        assert ended.value.code == 2
        assert "--chaos: faults knows no explode" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("text", "begun"),
        [
            ("7", weather.rough(7)),
            ('{"seed": 7, "faults": {"html": 1}}', weather.read({"seed": 7, "faults": {"html": 1}})),
        ],
    )
    def test_takes_a_weather_or_just_a_seed(self, text: str, begun: weather.Weather) -> None:
        assert settings(parser().parse_args(["--chaos", text])).chaos == begun

    def test_begins_calm(self) -> None:
        assert settings(parser().parse_args([])).chaos is None
