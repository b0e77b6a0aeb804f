"""What callers hear who ask too much, through the whole application."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.types import Message

from domain.actor import Actor, Role
from domain.identity import new_id
from gateway.settings import Settings
from sandbox import Sandbox
from tests.api import EURO, GRAPHQL, fresh_key
from tests.parts import bearer
from tests.web.graphql_requests import CREATE, CURRENCIES, RESPONSE_JSON, code_of
from tests.web.issuer import ec_key
from tests.web.user_service import UserService
from web.auth import development_token
from web.rates.limits import RateLimited, RateLimits
from web.rates.rules import Limit, RateRules

QUOTAS = {
    "allowed_origins": ("https://app.example",),
    "rate_limits": True,
    "rate_limit_requests": 8,
    "rate_limit_writes": 4,
    "rate_limit_payments": 2,
    "rate_limit_cost": 20_000,
    "rate_limit_anonymous": 3,
    "rate_limit_strangers": 3,
    "rate_limit_webhooks": 5,
    "rate_limit_staff_factor": 2,
    "rate_limit_service_factor": 3,
}
GUESS = {"Authorization": "Bearer a.b.c"}
VIEWER = {"query": "{ viewer { id } }"}
WEBHOOKS = "/api/v1/payments/webhooks/stripe"
UPDATE = {
    "query": 'mutation { deletePaymentMethod(input: {idempotencyKey: "12345678", id: "x"}) { errors { code } } }'
}

AddCard = Callable[..., Awaitable[UUID]]
From = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


class Clock:
    """The time by which minutes are counted; it stands still at the beginning of one."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture
def settings(settings: Settings, clock: Clock) -> Settings:
    return settings.model_copy(update=QUOTAS)


@pytest.fixture
def at(app: Starlette) -> From:
    """Clients at an address, signed in or not."""

    @asynccontextmanager
    async def client(
        address: str = "203.0.113.7", actor: Actor | None = None
    ) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app=app, client=(address, 1234))
        headers = bearer(actor) if actor else {}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://gateway", headers=headers
        ) as made:
            yield made

    return client


@pytest.fixture
async def http(at: From, actor: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    """The actor's."""
    async with at(actor=actor) as client:
        yield client


def limited(limit: str) -> float:
    value = REGISTRY.get_sample_value("payments_requests_limited_total", {"limit": limit})
    assert value is not None
    return value


async def asked(client: httpx2.AsyncClient, times: int, body: Any = VIEWER) -> list[int]:
    return [(await client.post(GRAPHQL, json=body)).status_code for _ in range(times)]


async def guess(client: httpx2.AsyncClient, times: int) -> None:
    for _ in range(times):
        assert (await client.post(GRAPHQL, json=VIEWER, headers=GUESS)).status_code == 401


async def left_of(limits: RateLimits, actor: Actor, limit: Limit, quota: int) -> int:
    return (await limits.users.look(limit, str(actor.user_id), quota=quota)).remaining


async def left(app: Starlette) -> list[Message]:
    """What a client hears who announces a body and goes away in the middle of it."""
    heard: list[Message] = []
    coming: Iterator[Message] = iter(
        ({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})
    )

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        heard.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": GRAPHQL,
        "query_string": b"",
        "client": ("203.0.113.7", 1234),
        "headers": [(b"authorization", GUESS["Authorization"].encode())],
    }
    await app(scope, receive, send)
    return heard


def payment(key: str) -> dict[str, Any]:
    return {"query": CREATE, "variables": {"input": {"idempotencyKey": key, "charge": EURO}}}


class TestRequests:
    async def test_of_a_user_are_bounded_and_answered_in_the_shape_of_graphql(
        self, http: httpx2.AsyncClient
    ) -> None:
        before = limited("requests")
        assert await asked(http, 8) == [200] * 8

        refused = await http.post(GRAPHQL, json=VIEWER, headers={"Accept": RESPONSE_JSON})

        error = refused.json()["errors"][0]
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == RESPONSE_JSON
        assert error["message"] == "At most 8 requests are taken per minute."
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["extensions"]["retry"] == "LATER_SAME_KEY"
        assert refused.headers["Retry-After"] == str(error["extensions"]["retryAfterSeconds"])
        assert error["extensions"]["requestId"] == refused.headers["X-Request-ID"]
        assert limited("requests") == before + 1

    async def test_are_taken_again_after_as_long_as_was_said(
        self, http: httpx2.AsyncClient, clock: Clock
    ) -> None:
        await asked(http, 8)
        refused = await http.post(GRAPHQL, json=VIEWER)

        clock.now += int(refused.headers["Retry-After"]) - 1
        assert await asked(http, 1) == [429]
        clock.now += 1
        assert await asked(http, 1) == [200]

    async def test_of_one_user_are_none_of_another(
        self, http: httpx2.AsyncClient, at: From, other_actor: Actor
    ) -> None:
        await asked(http, 9)

        async with at(actor=other_actor) as other:
            assert await asked(other, 1) == [200]

    async def test_of_one_user_count_from_all_addresses(self, at: From, actor: Actor) -> None:
        for number in range(8):
            async with at(f"203.0.113.{number}", actor) as client:
                await asked(client, 1)

        async with at("203.0.113.99", actor) as client:
            assert await asked(client, 1) == [429]

    async def test_that_are_malformed_count_too(self, http: httpx2.AsyncClient) -> None:
        assert await asked(http, 8, {"query": "{"}) == [200] * 8
        assert await asked(http, 1, {"query": "{"}) == [429]

    @pytest.mark.parametrize(("role", "most"), [(Role.ADMIN, 16), (Role.SUPPORT, 16), (Role.SERVICE, 24)])
    async def test_of_staff_and_services_may_be_more(self, at: From, role: Role, most: int) -> None:
        async with at(actor=Actor(role=role, user_id=new_id())) as client:
            assert await asked(client, most + 1, {"query": CURRENCIES}) == [200] * most + [429]


class TestAnswers:
    async def test_tell_what_is_left_of_the_nearest_limit(self, http: httpx2.AsyncClient) -> None:
        read = await http.post(GRAPHQL, json=VIEWER)
        written = await http.post(GRAPHQL, json=payment(fresh_key()))

        assert (read.headers["RateLimit-Limit"], read.headers["RateLimit-Remaining"]) == ("8", "7")
        assert (written.headers["RateLimit-Limit"], written.headers["RateLimit-Remaining"]) == ("2", "1")
        assert read.headers["RateLimit-Reset"] == "60"

    async def test_that_refuse_tell_of_the_limit_that_was_met(self, http: httpx2.AsyncClient) -> None:
        await asked(http, 2, payment(fresh_key()))

        refused = await http.post(GRAPHQL, json=payment(fresh_key()))

        assert (refused.headers["RateLimit-Limit"], refused.headers["RateLimit-Remaining"]) == ("2", "0")
        assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]

    async def test_may_be_read_by_apps_in_browsers(self, at: From) -> None:
        async with at() as client:
            answer = await client.post(GRAPHQL, json=VIEWER, headers={"Origin": "https://app.example"})

        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} <= set(exposed)


class TestMutations:
    async def test_are_fewer_than_requests(self, http: httpx2.AsyncClient) -> None:
        assert await asked(http, 5, UPDATE) == [200] * 4 + [429]
        assert await asked(http, 1) == [200]

    async def test_that_ask_a_bank_are_fewer_still(self, http: httpx2.AsyncClient) -> None:
        statuses = [(await http.post(GRAPHQL, json=payment(fresh_key()))).status_code for _ in range(3)]

        assert statuses == [200, 200, 429]
        assert await asked(http, 1, UPDATE) == [200]

    async def test_count_by_what_they_do_and_not_by_how_they_are_written(
        self, http: httpx2.AsyncClient, sandbox: Sandbox, add_card: AddCard
    ) -> None:
        await add_card()
        await asked(http, 1, payment(fresh_key()))
        twice = (
            "mutation($a: CreatePaymentInput!, $b: CreatePaymentInput!) { ...One ... on Mutation { "
            "b: createPayment(input: $b) { errors { code } } } } "
            "fragment One on Mutation { a: createPayment(input: $a) { errors { code } } }"
        )
        inputs = {name: {"idempotencyKey": fresh_key(), "charge": EURO} for name in "ab"}

        assert await asked(http, 1, {"query": twice, "variables": inputs}) == [429]
        assert sandbox.ledger()["totals"]["payment_intents"] == 1

    async def test_that_are_refused_use_no_key_up(
        self, http: httpx2.AsyncClient, clock: Clock, sandbox: Sandbox, add_card: AddCard
    ) -> None:
        await add_card()
        for _ in range(2):
            await http.post(GRAPHQL, json=payment(fresh_key()))
        key = fresh_key()
        refused = await http.post(GRAPHQL, json=payment(key))
        clock.now += int(refused.headers["Retry-After"])

        paid = await http.post(GRAPHQL, json=payment(key))

        assert code_of(refused) == "RATE_LIMITED"
        assert paid.json()["data"]["createPayment"]["payment"]["id"]
        assert sandbox.ledger()["totals"]["payment_intents"] == 3


class TestCost:
    async def test_is_a_budget_of_each_user(self, http: httpx2.AsyncClient) -> None:
        dear = {
            "query": "{ viewer { payments(first: 90) { nodes { timeline(first: 1) { nodes { __typename } } } } } }"
        }

        statuses = await asked(http, 8, dear)

        assert statuses[0] == 200
        assert statuses[-1] == 429
        assert await asked(http, 1) == [429]

    async def test_that_is_refused_takes_no_attempt_at_a_bank_and_no_change(self, actor: Actor) -> None:
        limits = RateLimits(rules=RateRules(cost=10, writes=4, payments=2))
        await limits.charge(actor, 10)

        with pytest.raises(RateLimited):
            await limits.charge(actor, 1, is_mutation=True, payments=1)

        assert await left_of(limits, actor, Limit.PAYMENTS, 2) == 2
        assert await left_of(limits, actor, Limit.WRITES, 4) == 4

    async def test_of_one_change_too_many_takes_no_attempt_at_a_bank(self, actor: Actor) -> None:
        limits = RateLimits(rules=RateRules(writes=1, payments=2))
        await limits.charge(actor, is_mutation=True)

        with pytest.raises(RateLimited):
            await limits.charge(actor, is_mutation=True, payments=1)

        assert await left_of(limits, actor, Limit.PAYMENTS, 2) == 2


class TestAnonymousCallers:
    async def test_are_bounded_by_their_address(self, at: From) -> None:
        async with at() as client:
            assert await asked(client, 4, {"query": CURRENCIES}) == [200] * 3 + [429]
        async with at("203.0.113.8") as other:
            assert await asked(other, 1, {"query": CURRENCIES}) == [200]

    async def test_of_one_household_are_one(self, at: From) -> None:
        for number in range(3):
            async with at(f"2001:db8::{number}") as client:
                await asked(client, 1)

        async with at("2001:db8::ffff") as client:
            assert await asked(client, 1) == [429]

    async def test_leave_those_with_a_token_alone(self, at: From, actor: Actor) -> None:
        async with at() as client:
            await asked(client, 4)
        async with at(actor=actor) as user:
            assert await asked(user, 1) == [200]

    async def test_are_bounded_wherever_they_ask_and_refused_in_the_shape_of_the_place(
        self, at: From
    ) -> None:
        async with at() as client:
            found = [(await client.get(f"/nowhere/{number}")).status_code for number in range(3)]
            refused = await client.get("/nowhere/again")
            in_graphql = await client.post(GRAPHQL, json=VIEWER)

        assert found == [404] * 3
        assert refused.status_code == in_graphql.status_code == 429
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
        assert refused.json()["error"]["retry"] == "LATER_SAME_KEY"
        assert in_graphql.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert refused.headers["X-Content-Type-Options"] == "nosniff"

    async def test_may_always_ask_for_health(self, at: From) -> None:
        async with at() as client:
            await asked(client, 4)
            answers = [await client.get(path) for path in ("/healthz", "/readyz") for _ in range(5)]

        assert [answer.status_code for answer in answers] == [200] * 10
        assert "RateLimit-Limit" not in answers[0].headers


class TestStrangers:
    async def test_that_guess_tokens_are_not_heard_with_any(self, at: From, actor: Actor) -> None:
        async with at() as guesser:
            for number in range(3):
                headers = {"Authorization": f"Bearer a.b.{number}"}
                assert (await guesser.post(GRAPHQL, json=VIEWER, headers=headers)).status_code == 401
            refused = await guesser.post(GRAPHQL, json=VIEWER, headers=bearer(actor))
        async with at("203.0.113.8", actor) as elsewhere:
            assert await asked(elsewhere, 1) == [200]

        assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) > 0

    async def test_are_heard_again_after_as_long_as_was_said(
        self, at: From, actor: Actor, clock: Clock
    ) -> None:
        async with at() as client:
            for _ in range(3):
                await client.post(GRAPHQL, json=VIEWER, headers={"Authorization": "Bearer a.b.c"})
            refused = await client.post(GRAPHQL, json=VIEWER, headers=bearer(actor))
            clock.now += int(refused.headers["Retry-After"])

            assert (await client.post(GRAPHQL, json=VIEWER, headers=bearer(actor))).status_code == 200

    async def test_do_not_lock_out_who_is_known_already(self, at: From, actor: Actor) -> None:
        async with at(actor=actor) as neighbour:
            assert await asked(neighbour, 1) == [200]
            await guess(neighbour, 3)

            assert await asked(neighbour, 1) == [200]
            assert (await neighbour.post(GRAPHQL, json=VIEWER, headers=GUESS)).status_code == 429

    @pytest.mark.parametrize(
        ("status", "request_of"),
        [
            (404, {"method": "GET", "url": "/nowhere"}),
            (405, {"method": "DELETE", "url": GRAPHQL}),
            (413, {"method": "POST", "url": GRAPHQL, "content": b"x" * 300_000}),
            (415, {"method": "POST", "url": GRAPHQL, "headers": {"Content-Encoding": "gzip"}}),
            (200, {"method": "GET", "url": "/.well-known/jwks.json"}),
        ],
    )
    async def test_are_not_those_whose_token_nobody_looked_at(
        self, at: From, actor: Actor, status: int, request_of: dict[str, Any]
    ) -> None:
        async with at(actor=replace(actor, user_id=new_id())) as client:
            assert [(await client.request(**request_of)).status_code for _ in range(4)] == [status] * 4

        async with at(actor=actor) as neighbour:
            assert await asked(neighbour, 1) == [200]

    async def test_are_not_those_whose_token_has_expired(
        self, at: From, actor: Actor, settings: Settings
    ) -> None:
        expired = development_token(
            settings.jwt_secrets[0], user_id=new_id(), clock=lambda: datetime.now(UTC) - timedelta(hours=5)
        )
        headers = {"Authorization": f"Bearer {expired}"}
        async with at() as client:
            answers = [await client.post(GRAPHQL, json=VIEWER, headers=headers) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [401] * 3 + [429]
        async with at(actor=actor) as neighbour:
            assert await asked(neighbour, 1) == [200]


class TestTokensThatCannotBeVerified:
    @pytest.fixture
    def settings(self, settings: Settings, user_service: UserService) -> Settings:
        user_service.answers(500)
        return settings.model_copy(update={"jwt_jwks_url": user_service.url})

    async def test_are_bounded_by_their_address_and_make_nobody_a_stranger(
        self, at: From, actor: Actor
    ) -> None:
        headers = {"Authorization": f"Bearer {ec_key().token()}"}
        async with at() as client:
            statuses = [
                (await client.post(GRAPHQL, json=VIEWER, headers=headers)).status_code for _ in range(5)
            ]
        async with at(actor=actor) as neighbour:
            assert await asked(neighbour, 1) == [200]

        assert statuses == [503] * 3 + [429] * 2


class TestTokensThatNobodyLookedAt:
    async def test_are_looked_at_once_there_were_too_many(self, at: From, actor: Actor) -> None:
        before = limited("anonymous")
        async with at() as client:
            statuses = [(await client.get("/nowhere", headers=GUESS)).status_code for _ in range(5)]
        async with at(actor=actor) as neighbour:
            found = (await neighbour.get("/nowhere")).status_code

        assert statuses == [404] * 3 + [429] * 2
        assert limited("anonymous") == before + 2
        assert found == 404

    async def test_are_strangers_where_they_prove_to_be(self, at: From, actor: Actor) -> None:
        async with at() as client:
            for _ in range(6):
                await client.get("/nowhere", headers=GUESS)
        async with at(actor=actor) as neighbour:
            refused = await neighbour.post(GRAPHQL, json=VIEWER)

        assert refused.status_code == 429
        assert "not valid" in refused.json()["errors"][0]["message"]

    async def test_count_where_the_client_leaves_with_half_a_body(self, at: From, app: Starlette) -> None:
        for _ in range(3):
            assert await left(app) == []

        async with at() as client:
            assert (await client.get("/nowhere", headers=GUESS)).status_code == 429

    async def test_are_none_of_webhooks(self, at: From) -> None:
        async with at() as client:
            for _ in range(4):
                await client.post(WEBHOOKS, content=b"{}", headers=GUESS)

            assert (await client.get("/nowhere", headers=GUESS)).status_code == 404


class TestWebhooks:
    async def test_have_a_limit_of_their_own(self, at: From) -> None:
        async with at() as client:
            await asked(client, 4)
            answers = [await client.post(WEBHOOKS, content=b"{}") for _ in range(6)]

        assert [answer.status_code for answer in answers] == [400] * 5 + [429]
        assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
        assert answers[-1].headers["Retry-After"]


class TestDevelopment:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"rate_limits": None})

    async def test_has_no_limits_unless_it_is_told_to(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json=VIEWER)

        assert await asked(http, 20) == [200] * 20
        assert "RateLimit-Limit" not in answer.headers
