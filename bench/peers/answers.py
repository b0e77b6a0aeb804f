"""Whether the servers' answers are the same: what is faster because it answers something else is no faster."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from bench.load import asked
from bench.peers import postgraphile
from bench.peers.questions import Question
from bench.peers.servers import Dialect, Server
from bench.programs import Program

COMPARED: Final = 25
"""How many requests of each question."""


class OtherAnswer(Exception):
    """A server's answer is not the gateway's; the message shows both."""


async def compare(
    servers: Sequence[Server], programs: Mapping[str, Program], questions: Sequence[Question]
) -> None:
    """The first server is what the others are held against. Raises OtherAnswer and BadAnswer."""
    standard, *others = servers
    for question in questions:
        expected = await answers(standard, programs[standard.name], question)
        for server in others:
            if server.dialect in question.requests:
                found = await answers(server, programs[server.name], question)
                must_agree(question.name, server, found, expected)


async def answers(server: Server, program: Program, question: Question) -> list[Any]:
    """One after the other, so that no server is overrun."""
    requests = question.requests[server.dialect][:COMPARED]
    return [comparable(await asked(program.port, request), server.dialect) for request in requests]


def must_agree(question: str, server: Server, found: Sequence[Any], expected: Sequence[Any]) -> None:
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        wanted = without_cursors(other) if server.dialect is Dialect.POSTGRAPHILE else other
        if one != wanted:
            raise OtherAnswer(
                f"{server.name} answers request {number} of “{question}” differently:\n{one}\n{wanted}"
            )


def comparable(body: bytes, dialect: Dialect) -> Any:
    """The data, without what no two answers have in common: the ids of new payments."""
    data = orjson.loads(body)["data"]
    if dialect is Dialect.POSTGRAPHILE:
        return without_cursors(postgraphile.translated(data))
    if "createPayment" in data:
        del data["createPayment"]["payment"]["id"]
    return data


def without_cursors(found: Any) -> Any:
    """Cursors of another server are opaque too, but not the same."""
    if isinstance(found, list):
        return [without_cursors(each) for each in found]
    if isinstance(found, Mapping):
        return {key: without_cursors(value) for key, value in found.items() if key != "endCursor"}
    return found
