"""The load generator leaves nothing out of what it measures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf

import pytest

from tests.chaos.hose import REFUSED, UNANSWERED, Answers, Job, pour

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class TestReads:
    async def test_that_hang_count_with_their_age(self) -> None:
        reads = await read_from(silence)

        assert reads.statuses == [UNANSWERED]
        assert reads.slowest(99) >= 300
        assert not reads.are_sound

    async def test_whose_connection_breaks_count_and_go_on(self) -> None:
        reads = await read_from(break_off)

        assert len(reads.statuses) > 1
        assert set(reads.statuses) == {UNANSWERED}

    async def test_that_find_nobody_count(self) -> None:
        async with server(silence) as port:
            pass

        assert set((await read_at(port)).statuses) == {UNANSWERED}

    @pytest.mark.parametrize(
        ("line", "body", "status"),
        [
            ("200 OK", '{"data":{}}', 200),
            ("200 OK", '{"errors":[{"message":"no"}]}', REFUSED),
            ("429 Too Many Requests", "", 429),
            ("500 Internal Server Error", "", 500),
        ],
    )
    async def test_are_sound_where_all_are_200_and_free_of_errors(
        self, line: str, body: str, status: int
    ) -> None:
        reads = await read_from(saying(f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n\r\n{body}"))

        assert set(reads.statuses) == {status}
        assert reads.are_sound is (status == 200)

    def test_of_which_there_are_none_are_neither_fast_nor_sound(self) -> None:
        assert Answers().slowest(99) == inf
        assert not Answers().are_sound


async def read_from(serve: Serve) -> Answers:
    async with server(serve) as port:
        return await read_at(port)


async def read_at(port: int) -> Answers:
    job = Job(port=port, read="GET / HTTP/1.1\r\n\r\n", readers=1, read_pause=0.01, seconds=0.1, patience=0.3)
    return (await pour(job)).reads


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[int]:
    started = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with started:
        yield started.sockets[0].getsockname()[1]


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


def saying(answer: str) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            if await reader.readline() == b"\r\n":
                writer.write(answer.encode())
        writer.close()

    return serve
