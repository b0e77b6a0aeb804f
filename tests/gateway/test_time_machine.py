from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from gateway.time_machine import CLOCK, clock_of, clock_route
from gateway.wiring import now
from sandbox import Sandbox
from web.errors import EXCEPTION_HANDLERS

BLINK = timedelta(seconds=5)


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[clock_route(sandbox)], exception_handlers=EXCEPTION_HANDLERS)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as page:
        yield page


def told(answer: httpx2.Response) -> datetime:
    return datetime.fromisoformat(answer.json()["now"])


class TestClock:
    async def test_tells_the_time(self, page: httpx2.AsyncClient) -> None:
        assert abs(told(await page.get(CLOCK)) - now()) < BLINK

    async def test_moves_the_sandbox_and_the_gateway_alike(
        self, page: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        later = told(await page.post(CLOCK, json={"days": 31}))

        assert abs(later - now() - timedelta(days=31)) < BLINK
        assert abs(clock_of(sandbox)() - later) < BLINK
        assert abs(sandbox.clock.now() - later.timestamp()) < BLINK.total_seconds()

    async def test_stands_still_with_a_frozen_sandbox(self, sandbox: Sandbox) -> None:
        sandbox.clock.freeze()

        assert clock_of(sandbox)() == clock_of(sandbox)()

    @pytest.mark.parametrize(
        "body", [{}, {"days": 0}, {"days": -1}, {"days": 367}, {"days": True}, {"days": "1"}, []]
    )
    async def test_refuses_other_steps(self, page: httpx2.AsyncClient, sandbox: Sandbox, body: Any) -> None:
        answer = await page.post(CLOCK, json=body)

        assert answer.status_code == 400
        assert sandbox.clock.status().ahead == 0

    async def test_refuses_what_a_form_of_another_site_may_send(
        self, page: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        answer = await page.post(CLOCK, content=b'{"days": 31}', headers={"Content-Type": "text/plain"})

        assert answer.status_code == 415
        assert sandbox.clock.status().ahead == 0
