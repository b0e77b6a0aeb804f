"""M10: ten thousand signed webhooks, a fifth of them duplicates, beside reads."""

import random
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domain.actor import Actor
from gateway.app import STRIPE_WEBHOOK
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from tests.acceptance.world import World
from tests.api import GRAPHQL
from tests.chaos.finding import Finding
from tests.chaos.hose import Job, Poured, poured
from tests.chaos.laboratory import PLAIN, Effort, Laboratory
from tests.chaos.shop import Shop
from tests.news import signed
from tests.parts import bearer
from tests.waiting import until

DUPLICATES: Final = 5
"""One of so many webhooks repeats another."""
PAYMENTS: Final = 20
READ: Final = """{ payments(first: 20) { nodes {
    id status createdAt amount { minor currency } paymentMethod { id brand last4 }
} } }"""
UNHANDLED: Final = "SELECT count(*) FROM inbox_events WHERE status NOT IN ('HANDLED', 'IGNORED')"
HANDLED_SECONDS: Final = 300.0

Event = dict[str, Any]


async def flood(laboratory: Laboratory) -> list[Finding]:
    """As fast as 16 connections can; in the end each event is stored once, and handled."""
    async with laboratory.world() as world:
        await world.serve(**PLAIN)
        buyer, events = await events_of_payments(world)
        count = laboratory.of(short=1_000, usual=10_000, full=10_000)
        webhooks = shuffled(events, count, laboratory.dice("flood"))

        flooded = await flooded_with(world, webhooks, read_of(buyer))

    return [finding(flooded, laboratory.effort)]


async def events_of_payments(world: World) -> tuple[Actor, list[Event]]:
    """A buyer, and what Stripe has to tell about some payments of theirs, none of which it has sent."""
    await world.hold_webhooks()
    shop = Shop(world=world)
    buyer = await shop.buyer()
    for number in range(PAYMENTS):
        await shop.collect(buyer, 1000 + number)
    listed = await world.control.get(
        "/v1/events?limit=100", headers={"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}"}
    )
    events: list[Event] = listed.json()["data"]
    return buyer, events


def shuffled(events: list[Event], count: int, dice: random.Random) -> list[Event]:
    """So many webhooks, each of them an event under an id of its own or a duplicate of such a one."""
    repeated = count // DUPLICATES
    unique = [{**dice.choice(events), "id": f"evt_flood_{number:06}"} for number in range(count - repeated)]
    webhooks = unique + dice.choices(unique, k=repeated)
    dice.shuffle(webhooks)
    return webhooks


def sent(event: Event) -> str:
    body = orjson.dumps(event)
    head = (
        f"POST {STRIPE_WEBHOOK} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nStripe-Signature: {signed(body)}\r\n\r\n"
    )
    return head + body.decode()


def read_of(buyer: Actor) -> str:
    body = orjson.dumps({"query": READ}).decode()
    return (
        f"POST {GRAPHQL} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Authorization: {bearer(buyer)['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """
    How many events were never stored, how many were handled, and how many are of a payment and were ignored.

    Others may be, such as a customer's.
    """

    lost: int
    handled: int
    overlooked: int

    @property
    def is_all(self) -> bool:
        return self.handled > 0 and self.lost == self.overlooked == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    idle: Poured
    beside: Poured
    kept: Kept

    @property
    def read_ratio(self) -> float:
        return self.beside.reads.slowest(99) / self.idle.reads.slowest(99)

    @property
    def failures(self) -> int:
        return self.beside.webhooks.failures + self.beside.reads.failures + self.idle.reads.failures

    @property
    def loses_nothing(self) -> bool:
        are_sound = (
            self.beside.webhooks.are_sound and self.beside.reads.are_sound and self.idle.reads.are_sound
        )
        return are_sound and self.kept.is_all

    @property
    def is_fast(self) -> bool:
        webhooks = self.beside.webhooks
        return webhooks.per_second >= 500 and webhooks.slowest(99) < 1000 and self.read_ratio < 5


async def flooded_with(world: World, webhooks: list[Event], read: str) -> Flooded:
    await poured(Job(port=world.port, read=read, seconds=1))  # The first reads are slow, and would flatter.
    idle = await poured(Job(port=world.port, read=read))
    beside = await poured(Job(port=world.port, read=read, webhooks=[sent(each) for each in webhooks]))
    return Flooded(idle=idle, beside=beside, kept=await kept_of(world, webhooks))


async def kept_of(world: World, webhooks: list[Event]) -> Kept:
    """Fails where some are stored and never handled or ignored."""

    async def all_handled() -> bool:
        return bool(await world.value(UNHANDLED) == 0)

    await until(all_handled, seconds=HANDLED_SECONDS)
    stored = await world.rows("SELECT processor_event_id AS id, type, status FROM inbox_events")
    of_payments = [row for row in stored if row["type"].startswith("payment_intent.")]
    return Kept(
        lost=len({event["id"] for event in webhooks} - {row["id"] for row in stored}),
        handled=sum(row["status"] == "HANDLED" for row in stored),
        overlooked=sum(row["status"] == "IGNORED" for row in of_payments),
    )


def finding(found: Flooded, effort: Effort) -> Finding:
    """Tests ask for nothing that depends on the machine's speed."""
    webhooks, reads, idle = found.beside.webhooks, found.beside.reads, found.idle.reads
    return Finding(
        experiment="M10",
        tried=f"{len(webhooks.statuses):,} webhooks, a fifth duplicates, beside {len(reads.statuses)} reads",
        measured=f"{found.kept.lost} lost, {found.kept.handled:,} handled, {found.kept.overlooked} overlooked, "
        f"{found.failures} failures; "
        f"{webhooks.per_second:.0f}/s, p99 {webhooks.slowest(99):.0f} ms; "
        f"reads' p99 {reads.slowest(99):.0f} ms, idle {idle.slowest(99):.0f} ms",
        target="0 lost or overlooked, some handled, 0 failures; 500/s, p99 < 1 s; reads' p99 < 5 times idle",
        holds=found.loses_nothing and (effort is Effort.SHORT or found.is_fast),
    )
