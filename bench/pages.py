"""Cursor pages: the first and a deep one, for users with few and with very many payments."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final
from uuid import UUID

from bench import dataset
from bench.load import Job, generated_load
from bench.operations import page
from bench.programs import Program
from bench.stack import connected
from bench.turns import SEED, Turn, percentile
from domain.paging import Place
from domain.payment_list import PaymentOrder

SIZE: Final = 5
"""So that every user has a full first page and a full one after it."""
REQUESTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLatency:
    payments: int
    """How many the user has."""
    after: int
    """How many rows come before the page."""
    p50_ms: float
    cpu_ms: float
    """The processor time of the gateway and of PostgreSQL together, per request."""


async def requests(address: str, payments: int) -> Mapping[tuple[int, int], bytes]:
    """By the number of the user's payments and the depth of the page."""
    sizes = {dataset.SMALL: 10, dataset.MEDIUM: 1000, dataset.HOT: payments // 2}
    return {
        (count, depth): page(
            dataset.user_id(number),
            first=SIZE,
            after=await cursor(address, dataset.user_id(number), depth) if depth else None,
        )
        for number, count in sizes.items()
        for depth in (0, count // 2)
    }


async def cursor(address: str, user: UUID, depth: int) -> str:
    """Of the last row before the page."""
    async with connected(address) as connection:
        row = await connection.fetchrow(dataset.PLACE, user, depth - 1)
    if row is None:
        raise LookupError(f"{user} has no {depth} payments")
    return Place(value=row["created_at"], id=row["id"]).cursor(PaymentOrder().name)


def page_latencies(
    gateway: Program, postgres: Program, asked: Mapping[tuple[int, int], bytes], *, turns: int
) -> list[PageLatency]:
    """One request at a time, in shuffled turns, of which one each is for warming up."""
    found: dict[tuple[int, int], list[Turn]] = {which: [] for which in asked}
    order: Sequence[tuple[int, int]] = list(asked) * turns
    order = random.Random(SEED).sample(order, len(order))  # noqa: S311 - an order, not a secret
    for which in [*asked, *order]:
        found[which].append(_turn(gateway, postgres, asked[which]))
    return [
        PageLatency(
            payments=payments,
            after=after,
            p50_ms=percentile(sorted(latency for turn in shown[1:] for latency in turn.latencies), 50),
            cpu_ms=median(turn.cpu_seconds / len(turn.latencies) for turn in shown[1:]) * 1000,
        )
        for (payments, after), shown in found.items()
    ]


def _turn(gateway: Program, postgres: Program, request: bytes) -> Turn:
    job = Job(port=gateway.port, requests=[request.decode()], connections=1, count=REQUESTS, seconds=10)
    before = gateway.cpu_seconds() + postgres.cpu_seconds()
    load = generated_load(job)
    spent = gateway.cpu_seconds() + postgres.cpu_seconds() - before
    return Turn(seconds=load.seconds, cpu_seconds=spent, latencies=load.latencies)
