import asyncio

from starlette.applications import Starlette

from tests.clocks import MonotonicClock
from tests.waiting import until
from tests.web.in_process import Client, Events
from web.health import health_routes


async def works() -> None:
    return None


async def fails() -> None:
    raise ConnectionError("no route to db.internal as user payments")


async def hangs() -> None:
    await asyncio.Event().wait()


class Database:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked, self.is_away = 0, False
        self.is_quick = asyncio.Event()
        self.is_quick.set()

    async def check(self) -> None:
        self.asked += 1
        await self.is_quick.wait()
        if self.is_away:
            raise ConnectionError


class TestLiveness:
    async def test_depends_on_nothing(self, client: Client) -> None:
        async with client(Starlette(routes=health_routes({"database": fails}))) as http:
            answer = await http.get("/healthz")

        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}


class TestReadiness:
    async def test_is_ok_when_every_check_passes(self, client: Client) -> None:
        async with client(Starlette(routes=health_routes({"database": works, "processor": works}))) as http:
            answer = await http.get("/readyz")

        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "checks": {"database": "ok", "processor": "ok"}}

    async def test_names_the_failed_check_and_logs_why(self, client: Client, events: Events) -> None:
        async with client(Starlette(routes=health_routes({"database": fails, "processor": works}))) as http:
            answer = await http.get("/readyz")

        assert answer.status_code == 503
        assert answer.json() == {"status": "failed", "checks": {"database": "failed", "processor": "ok"}}
        (event,) = events
        assert event["event"] == "health.check_failed"
        assert event["check"] == "database"
        assert event["error"] == "ConnectionError"
        assert event["reason"] == "no route to db.internal as user payments"
        assert "exc_info" not in event

    async def test_check_that_hangs_has_failed(self, client: Client, events: Events) -> None:
        routes = health_routes({"database": hangs, "processor": works}, timeout_seconds=0.01)

        async with client(Starlette(routes=routes)) as http:
            answer = await http.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["checks"] == {"database": "failed", "processor": "ok"}
        assert [event["error"] for event in events] == ["TimeoutError"]

    async def test_is_asked_once_for_all_who_want_to_know_within_a_second(self, client: Client) -> None:
        clock, database = MonotonicClock(), Database()
        routes = health_routes({"database": database.check}, clock=clock)

        async with client(Starlette(routes=routes)) as http:
            database.is_quick.clear()
            asking = [asyncio.create_task(http.get("/readyz")) for _ in range(10)]
            await until(lambda: asyncio.sleep(0, database.asked))
            asking[0].cancel()
            database.is_quick.set()
            at_once = await asyncio.gather(*asking[1:])
            clock.seconds += 0.9
            soon = await http.get("/readyz")

            assert [answer.status_code for answer in (*at_once, soon)] == [200] * 10
            assert database.asked == 1

            database.is_away = True
            clock.seconds += 0.2
            assert (await http.get("/readyz")).status_code == 503
            assert database.asked == 2


class TestHead:
    async def test_has_the_same_status_as_get(self, client: Client) -> None:
        async with client(Starlette(routes=health_routes({"database": fails}))) as http:
            assert (await http.head("/healthz")).status_code == 200
            assert (await http.head("/readyz")).status_code == 503
