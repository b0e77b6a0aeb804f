"""Clients: some ask once, others until they are told, as the advice beside each error says."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from tests.api import GRAPHQL
from tests.chaos.wishes import Told, Wish
from tests.parts import bearer

PATIENCE: Final = httpx2.Timeout(40)
ASK_AGAIN: Final = "LATER_SAME_KEY"
PAUSE: Final = (0.1, 0.4)
"""Seconds between two tries, at random."""
MISTAKE: Final = "BAD_USER_INPUT"
"""An experiment's own, which no insistence mends."""
UNREACHABLE: Final = "unreachable"
UNFORESEEN: Final = "INTERNAL_ERROR"


class Clients:
    """
    `urls` are the replicas, one of which is chosen for each request.

    `heard` counts every answer by its status or its error code; `slowest` is the longest wait for one, in seconds.
    """

    def __init__(self, http: httpx2.AsyncClient, urls: Sequence[str], dice: random.Random) -> None:
        self.urls = list(urls)
        self.heard = Counter[str]()
        self.slowest = 0.0
        self._http = http
        self._dice = dice

    async def ask(self, wish: Wish) -> Told | None:
        """One request; None where its answer is none, or says to ask again."""
        body = await self._answer(wish) or {}
        payload = (body.get("data") or {}).get(wish.kind.mutation)
        if payload is None or ASK_AGAIN in advice_in(body, payload):
            return None
        made = payload[wish.kind.made] or {}
        codes = tuple(error["code"] for error in payload["errors"])
        return Told(object_id=made.get("id"), status=made.get("status"), codes=codes)

    async def insist(self, wish: Wish, *, seconds: float) -> Told | None:
        """Ask with the same key until told."""
        deadline = time.monotonic() + seconds
        while (told := await self.ask(wish)) is None and time.monotonic() < deadline:  # noqa: ASYNC110 - it asks
            await asyncio.sleep(self._dice.uniform(*PAUSE))
        return told

    @property
    def failures(self) -> int:
        """Answers that no client can make anything of: 5xx other than 503, and errors that nobody foresaw."""
        statuses = sum(count for code, count in self.heard.items() if code.startswith("5") and code != "503")
        return statuses + self.heard[UNFORESEEN]

    async def _answer(self, wish: Wish) -> dict[str, Any] | None:
        body = {"query": wish.kind.document, "variables": {"input": wish.input}}
        began = time.monotonic()
        try:
            response = await self._http.post(
                f"{self._dice.choice(self.urls)}{GRAPHQL}", json=body, headers=bearer(wish.caller)
            )
        except httpx2.TransportError:
            self.heard[UNREACHABLE] += 1
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.heard[str(response.status_code)] += 1
        answer: dict[str, Any] = response.json()
        codes = codes_in(answer)
        assert MISTAKE not in codes, answer
        self.heard.update(codes)
        return answer


def advice_in(body: dict[str, Any], payload: dict[str, Any]) -> set[str]:
    """Beside what the command came to, and beside what of it could not be read afterwards."""
    unread = [error.get("extensions", {}).get("retry", "") for error in body.get("errors", ())]
    return {*unread, *(error["retry"] for error in payload["errors"])}


def codes_in(answer: dict[str, Any]) -> list[str]:
    payloads = (payload for payload in (answer.get("data") or {}).values() if payload)
    codes = [error["code"] for payload in payloads for error in payload["errors"]]
    return codes + [error.get("extensions", {}).get("code", "") for error in answer.get("errors", ())]


@asynccontextmanager
async def clients(urls: Sequence[str], dice: random.Random) -> AsyncIterator[Clients]:
    """As many connections as there are requests at once."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(timeout=PATIENCE, limits=limits) as http:
        yield Clients(http, urls, dice)
