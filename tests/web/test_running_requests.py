import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.running_requests import RunningRequests


async def nothing_comes() -> Message:
    raise AssertionError


async def nothing_goes(message: Message) -> None:
    raise AssertionError


class TestRunningRequests:
    async def test_are_waited_for_until_they_have_ended(self) -> None:
        requests, may_end, has_ended = RunningRequests(), asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await may_end.wait()
            has_ended.set()

        running = asyncio.create_task(_called(requests.watched(app), {"type": "http"}))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(requests.ended(within=10))
        await asyncio.sleep(0)
        assert not waiting.done()

        may_end.set()
        await waiting

        assert has_ended.is_set()
        await running

    async def test_are_waited_for_no_longer_than_asked(self) -> None:
        requests = RunningRequests()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.Event().wait()

        running = asyncio.create_task(_called(requests.watched(app), {"type": "http"}))
        await asyncio.sleep(0)

        await requests.ended(within=0.01)

        assert not running.done()
        running.cancel()

    async def test_lifespan_is_none_since_it_does_the_waiting(self) -> None:
        requests = RunningRequests()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async with asyncio.timeout(1):
                await requests.ended(within=10)

        await _called(requests.watched(app), {"type": "lifespan"})


async def _called(app: ASGIApp, scope: Scope) -> None:
    await app(scope, nothing_comes, nothing_goes)
