"""Asks Stripe's ledger and our database about each wish: when it has settled, and again at the end of the world."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.acceptance.world import World
from tests.chaos.verdict import Facts, Verdict
from tests.chaos.wishes import Kind, Told, Wish
from tests.waiting import until

POLL_SECONDS: Final = 0.5
LONGEST_DELAY: Final = 90.0
"""Seconds: no request is delayed for more than a minute."""
OPEN: Final = frozenset({"PENDING", "PROCESSING", "INCOMPLETE"})
UNDONE: Final = frozenset({"failed", "canceled"})
OPERATIONS: Final = "SELECT key, state FROM operations"
RECORDED: Final[Mapping[Kind, str]] = {
    Kind.PAYMENT: "SELECT amount::text AS name, status FROM payments",
    Kind.REFUND: "SELECT amount::text AS name, status FROM refunds",
    Kind.SUBSCRIPTION: "SELECT user_id::text AS name, status FROM subscriptions",
}

TellingOf = Mapping[Wish, Told | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What the client of one wish was told, and whether it ought to have been."""

    told: Told | None
    must_be_told: bool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """`seconds` went by until everything had settled, or until patience had ended."""

    verdict: Verdict
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Records:
    """One look at both sides."""

    states: Mapping[str, str]
    statuses: Mapping[tuple[Kind, str], list[str]]
    executed: Mapping[tuple[Kind, str], int] = field(default_factory=dict)

    def facts(self, wish: Wish, hearing: Hearing) -> Facts:
        name = (wish.kind, name_of(wish))
        statuses = self.statuses.get(name, [])
        is_running = self.states.get(wish.key) in {"RUNNING", "OUTCOME_UNKNOWN"}
        return Facts(
            executed=self.executed.get(name, 0),
            is_recorded=wish.kind.done in statuses,
            is_open=is_running or not OPEN.isdisjoint(statuses),
            told=None if hearing.told is None else hearing.told.word(wish.kind),
            must_be_told=hearing.must_be_told,
        )


@dataclass(kw_only=True)
class Referee:
    """Of one world. `heard` are the wishes that were judged, and `first` is what was found then."""

    world: World
    heard: dict[Wish, Hearing] = field(default_factory=dict)
    first: Verdict = field(default_factory=Verdict)
    is_open: bool = field(default=False, init=False)

    async def judged(self, told: TellingOf, *, within: float, must_be_told: bool) -> Judged:
        """Wait until everything has settled, and not longer than that; then compare."""
        hearings = {wish: Hearing(told=word, must_be_told=must_be_told) for wish, word in told.items()}
        found = await self._settled(hearings, within=within)
        self.heard.update(hearings)
        self.first += found.verdict
        self.is_open = True
        return found

    async def closing(self, *, within: float = 20.0) -> Verdict:
        """
        The worse of what was found at first and what is found now, about all wishes of this world.

        Stripe carries out what it was asked for, however late and whether or not its caller waits: until then
        the last of several requests for one wish may still be one too many.
        """
        await until(self._nothing_is_delayed, seconds=LONGEST_DELAY)
        found = await self._settled(self.heard, within=within)
        self.is_open = False
        return self.first.or_worse(found.verdict)

    async def _settled(self, hearings: Mapping[Wish, Hearing], *, within: float) -> Judged:
        began = time.monotonic()
        verdict = await look(self.world, hearings)
        while (verdict.unresolved or verdict.lost) and time.monotonic() - began < within:
            await asyncio.sleep(POLL_SECONDS)
            verdict = await look(self.world, hearings)
        return Judged(verdict=verdict, seconds=time.monotonic() - began)

    async def _nothing_is_delayed(self) -> bool:
        return bool((await self.world.faults())["delayed"] == 0)


async def look(world: World, hearings: Mapping[Wish, Hearing]) -> Verdict:
    records = await records_of(world)
    return Verdict.of(records.facts(wish, hearing) for wish, hearing in hearings.items())


async def records_of(world: World) -> Records:
    """Stripe first: what it has done by then must be in our database, or still be open there."""
    executed = await executions(world)
    statuses: dict[tuple[Kind, str], list[str]] = {}
    for kind, statement in RECORDED.items():
        for row in await world.rows(statement):
            statuses.setdefault((kind, row["name"]), []).append(row["status"])
    states = {row["key"]: row["state"] for row in await world.rows(OPERATIONS)}
    return Records(states=states, statuses=statuses, executed=executed)


async def executions(world: World) -> Mapping[tuple[Kind, str], int]:
    """How often Stripe has carried out each wish, by the wish's kind and name."""
    ledger = await world.ledger()
    found = Counter[tuple[Kind, str]]()
    for intent in ledger["payment_intents"]:
        found[Kind.PAYMENT, str(intent["amount"])] += intent["captures"]
        for refund in intent["refunds"]:
            found[Kind.REFUND, str(refund["amount"])] += refund["status"] not in UNDONE
    found.update(subscribed(ledger))
    return found


def subscribed(ledger: Mapping[str, Any]) -> Mapping[tuple[Kind, str], int]:
    """Per user the live subscriptions, or the paid invoices if those are more."""
    users = {each["id"]: each["user_id"] for each in ledger["customers"]}
    live, paid = Counter[str](), Counter[str]()
    for subscription in ledger["subscriptions"]:
        user = users[subscription["customer"]]
        live[user] += subscription["is_live"]
        paid[user] += sum(invoice["captures"] for invoice in subscription["invoices"])
    return {(Kind.SUBSCRIPTION, user): max(live[user], paid[user]) for user in live}


def name_of(wish: Wish) -> str:
    return str(wish.buyer.known_id) if wish.kind is Kind.SUBSCRIPTION else str(wish.amount)
