"""M10: ten thousand signed webhooks, a fifth of them duplicates, beside reads."""

import random
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domain.actor import Actor, Role
from domain.identity import new_id
from gateway.app import STRIPE_WEBHOOK
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from tests.acceptance.world import World
from tests.api import GRAPHQL
from tests.chaos.finding import Finding
from tests.chaos.hose import Job, Poured, poured
from tests.chaos.laboratory import PLAIN, Effort, Laboratory
from tests.news import signed
from tests.parts import bearer
from tests.waiting import until

DUPLICATES: Final = 5
"""One of so many webhooks repeats another."""
PAYMENTS: Final = 20
SAVE_CARD: Final = """mutation { addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa", makeDefault: true}) {
    errors { code }
} }"""
PAY: Final = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { errors { code } } }"
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
        buyer = Actor(role=Role.USER, user_id=new_id())
        events = await events_of_payments(world, buyer)
        count = laboratory.of(short=1_000, usual=10_000, full=10_000)
        webhooks = shuffled(events, count, laboratory.dice("flood"))

        flooded = await flooded_with(world, webhooks, read_of(buyer))

    return [finding(flooded, laboratory.effort)]


async def events_of_payments(world: World, buyer: Actor) -> list[Event]:
    """What Stripe has to tell about some payments of ours, none of which it has sent."""
    await world.hold_webhooks()
    await asked(world, buyer, SAVE_CARD)
    for number in range(PAYMENTS):
        charge = {"amount": {"minor": 1000 + number, "currency": "EUR"}}
        await asked(world, buyer, PAY, {"idempotencyKey": f"payment-{number}", "charge": charge})
    listed = await world.control.get(
        "/v1/events?limit=100", headers={"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}"}
    )
    events: list[Event] = listed.json()["data"]
    return events


async def asked(world: World, buyer: Actor, document: str, given: Event | None = None) -> None:
    body = {"query": document, "variables": {"input": given}}
    answer = (await world.http.post(GRAPHQL, json=body, headers=bearer(buyer))).json()
    [payload] = answer["data"].values()
    assert payload["errors"] == [], answer


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
class Flooded:
    idle: Poured
    beside: Poured
    lost: int

    @property
    def read_ratio(self) -> float:
        return self.beside.reads.slowest(99) / self.idle.reads.slowest(99)

    @property
    def failures(self) -> int:
        return self.beside.webhooks.failures + self.beside.reads.failures

    @property
    def loses_nothing(self) -> bool:
        return self.lost == 0 and self.failures == 0

    @property
    def is_fast(self) -> bool:
        webhooks = self.beside.webhooks
        return webhooks.per_second >= 500 and webhooks.slowest(99) < 1000 and self.read_ratio < 5


async def flooded_with(world: World, webhooks: list[Event], read: str) -> Flooded:
    await poured(Job(port=world.port, read=read, seconds=1))  # The first reads are slow, and would flatter.
    idle = await poured(Job(port=world.port, read=read))
    beside = await poured(Job(port=world.port, read=read, webhooks=[sent(each) for each in webhooks]))
    return Flooded(idle=idle, beside=beside, lost=await lost_of(world, webhooks))


async def lost_of(world: World, webhooks: list[Event]) -> int:
    """How many events were never stored; fails where some are stored and never handled."""

    async def all_handled() -> bool:
        return bool(await world.value(UNHANDLED) == 0)

    await until(all_handled, seconds=HANDLED_SECONDS)
    stored = await world.rows("SELECT processor_event_id AS id FROM inbox_events")
    return len({event["id"] for event in webhooks} - {row["id"] for row in stored})


def finding(found: Flooded, effort: Effort) -> Finding:
    """Tests ask for nothing that depends on the machine's speed."""
    webhooks, reads, idle = found.beside.webhooks, found.beside.reads, found.idle.reads
    return Finding(
        experiment="M10",
        tried=f"{len(webhooks.statuses):,} webhooks, a fifth duplicates, beside {len(reads.statuses)} reads",
        measured=f"{found.lost} lost, {found.failures} 5xx; {webhooks.per_second:.0f}/s, "
        f"p99 {webhooks.slowest(99):.0f} ms; reads' p99 {reads.slowest(99):.0f} ms, idle {idle.slowest(99):.0f} ms",
        target="0 lost, 0 5xx; 500/s, p99 < 1 s; reads' p99 < 5 times idle",
        holds=found.loses_nothing and (effort is Effort.SHORT or found.is_fast),
    )
