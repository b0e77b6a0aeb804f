"""Queries that take too long, since somebody else has locked what they read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from domain.actor import Actor
from gateway.app import application
from gateway.settings import Settings
from gateway.wiring import Gateway
from tests.api import GRAPHQL, Api
from tests.parts import bearer
from tests.web.graphql_requests import RESPONSE_JSON

PATIENCE: Final = 0.2
PAGE: Final = "{ viewer { id payments(first: 1) { nodes { id } } } }"
"""Its payments come through a loader, whose batches run in tasks of their own."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_pool_size": 2})


@pytest.fixture
async def impatient(gateway: Gateway, actor: Actor) -> AsyncIterator[Api]:
    """The same gateway, which soon cuts off."""
    changes = {"graphql_timeout_seconds": PATIENCE, "debug_extension": False}
    app = application(Gateway(**{**vars(gateway), "settings": gateway.settings.model_copy(update=changes)}))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        yield Api(http=client, headers=bearer(actor))


async def asked(impatient: Api) -> httpx2.Response:
    return await impatient.http.post(
        GRAPHQL, json={"query": PAGE}, headers={**impatient.headers, "Accept": RESPONSE_JSON}
    )


@asynccontextmanager
async def locked(database_url: str, table: str) -> AsyncIterator[None]:
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def all_returned(gateway: Gateway) -> bool:
    """Whether every connection is back in the pool, soon."""
    for _ in range(100):
        if gateway.engine.pool.checkedout() == 0:  # type: ignore[attr-defined]  # Of this kind of pool it is.
            return True
        await asyncio.sleep(0.02)
    return False


class TestQuery:
    async def test_that_takes_too_long_is_cut_off_and_may_be_tried_again(
        self, api: Api, impatient: Api, database_url: str
    ) -> None:
        await api.run(PAGE)

        async with locked(database_url, "payments"):
            answer = await asked(impatient)

        [error] = answer.json()["errors"]
        told = {name: error["extensions"][name] for name in ("code", "retry", "retryAfterSeconds")}
        assert told == {"code": "TIMEOUT", "retry": "LATER_SAME_KEY", "retryAfterSeconds": 5}
        assert error["message"] == "This took more than 0.2 seconds and was cut off. Ask for less at once."
        assert "data" not in answer.json()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")

    async def test_that_was_cut_off_holds_no_connection(
        self, api: Api, impatient: Api, gateway: Gateway, database_url: str
    ) -> None:
        await api.run(PAGE)

        async with locked(database_url, "payments"):
            answers = await asyncio.gather(*(asked(impatient) for _ in range(4)))
            returned = await all_returned(gateway)

        assert {answer.status_code for answer in answers} == {503}
        assert returned
        assert (await api.run(PAGE))["viewer"]["payments"] == {"nodes": []}


class TestMutation:
    async def test_is_never_cut_off(self, api: Api, impatient: Api, database_url: str) -> None:
        await api.run(PAGE)

        async with locked(database_url, "payment_methods"):
            adding = asyncio.create_task(impatient.http.post(GRAPHQL, json=ADD, headers=impatient.headers))
            await asyncio.sleep(3 * PATIENCE)
            is_waiting = not adding.done()
        payload = (await adding).json()["data"]["addPaymentMethod"]

        assert is_waiting
        assert payload == {"paymentMethod": {"last4": "4242"}, "errors": []}


ADD: Final = {
    "query": """mutation { addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa"}) {
        paymentMethod { last4 } errors { code } } }"""
}
