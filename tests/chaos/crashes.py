"""M1, M2 and half of M7: kill -9 around a call to Stripe; clients ask again, or nobody ever does."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.chaos.finding import Finding
from tests.chaos.fleet import Replicas, Single
from tests.chaos.kills import POINTS, Point, Scene, carried_out, kill_at
from tests.chaos.laboratory import Effort, Laboratory
from tests.chaos.referee import Judged
from tests.chaos.stand import Fleets, Stand, stand
from tests.chaos.verdict import Verdict
from tests.chaos.wishes import Kind, Told, Wish

DEFAULT_LEASES: Final = {"OPERATION_LEASE_SECONDS": "30", "RESUME_SECONDS": "5"}
"""As the program is delivered; without FULL leases are short, so that an hour of waiting is spared."""
RESTART_SECONDS: Final = 20.0
SHORT_POINTS: Final = tuple(point for point in POINTS if point.name in {"received", "answered"})

HELD_POINTS: Final = tuple(point for point in POINTS if point.fault)
"""Those at which every wish is where it is meant to be."""


@dataclass(frozen=True, kw_only=True)
class Crash:
    """One way to crash and to go on; `patience` is how many seconds after the restart all may take."""

    experiment: str
    name: str
    kind: Kind
    insists: bool
    patience: float
    has_webhooks: bool = True
    fleet: Fleets = Single


@dataclass(kw_only=True)
class Toll:
    """How many kills there were, and the seconds until all had settled after the one that took longest."""

    kills: int = 0
    longest: float = 0.0

    def add(self, judged: Judged) -> None:
        self.kills += 1
        self.longest = max(self.longest, judged.seconds)


async def crashed(laboratory: Laboratory, crash: Crash) -> Finding:
    """Kill after kill in one world, at each point in turn."""
    settings = DEFAULT_LEASES if laboratory.effort is Effort.FULL else {}
    name = f"{crash.experiment} {crash.name} {crash.kind.made}"
    toll = Toll()
    async with stand(laboratory, name, fleet=crash.fleet, settings=settings) as at:
        if not crash.has_webhooks:
            await at.world.hold_webhooks()
        for point in points(laboratory, crash.kind):
            await at.fleet.complete()
            toll.add(await killed_at(at, crash, point, laboratory.of(short=6, usual=20, full=40)))
        verdict = await at.referee.closing()
    return finding(crash, toll, verdict)


async def killed_at(at: Stand, crash: Crash, point: Point, count: int) -> Judged:
    """Seconds count from the restart, for clients that insist from the last word that they have heard."""
    wishes = await at.shop.wishes(crash.kind, count)
    before = await carried_out(at.world, crash.kind)
    scene = Scene(world=at.world, fleet=at.fleet, kind=crash.kind, count=count, executed=before, dice=at.dice)
    if point.fault:
        await scene.spoil(*point.fault)
    told = await told_through(at, crash, scene, point, wishes)
    return await at.referee.judged(told, within=crash.patience, must_be_told=crash.insists)


async def told_through(
    at: Stand, crash: Crash, scene: Scene, point: Point, wishes: Sequence[Wish]
) -> dict[Wish, Told | None]:
    async def told(wish: Wish) -> Told | None:
        if crash.insists:
            return await at.clients.insist(wish, seconds=crash.patience + RESTART_SECONDS)
        return await at.clients.ask(wish)

    async with asyncio.TaskGroup() as group:
        asking = {wish: group.create_task(told(wish)) for wish in wishes}
        await kill_at(point, scene)
        await at.fleet.replace_victim()
    return {wish: task.result() for wish, task in asking.items()}


def points(laboratory: Laboratory, kind: Kind) -> Sequence[Point]:
    match laboratory.effort:
        case Effort.SHORT:
            return SHORT_POINTS
        case Effort.USUAL:
            return POINTS if kind is Kind.PAYMENT else HELD_POINTS
        case Effort.FULL:
            return POINTS * 4


def finding(crash: Crash, toll: Toll, verdict: Verdict) -> Finding:
    return Finding(
        experiment=crash.experiment,
        tried=f"{crash.name}: {verdict.tried} {crash.kind.made}s, {toll.kills} kills",
        measured=f"{verdict}; the last settled {toll.longest:.0f} s later",
        target=f"0 of each within {crash.patience:.0f} s",
        holds=verdict.holds,
    )


RETRIED: Final = Crash(
    experiment="M1", name="clients ask again", kind=Kind.PAYMENT, insists=True, patience=40
)
LEFT: Final = Crash(experiment="M2", name="nobody asks again", kind=Kind.PAYMENT, insists=False, patience=60)
UNHEARD: Final = replace(LEFT, name="nobody asks again, no webhooks", has_webhooks=False)
CRASHES: Final[Mapping[str, Sequence[Crash]]] = {
    "M1": (RETRIED, replace(RETRIED, kind=Kind.REFUND), replace(RETRIED, kind=Kind.SUBSCRIPTION)),
    "M2": (
        LEFT,
        UNHEARD,
        replace(UNHEARD, kind=Kind.REFUND),
        replace(UNHEARD, kind=Kind.SUBSCRIPTION),
    ),
    "M7": (
        replace(RETRIED, experiment="M7", name="one of two replicas dies", fleet=Replicas),
        replace(
            UNHEARD,
            experiment="M7",
            name="one of two replicas dies, nobody asks again, no webhooks",
            fleet=Replicas,
        ),
    ),
}


async def retried(laboratory: Laboratory) -> list[Finding]:
    return [await crashed(laboratory, crash) for crash in CRASHES["M1"]]


async def left(laboratory: Laboratory) -> list[Finding]:
    return [await crashed(laboratory, crash) for crash in CRASHES["M2"]]


async def beside_a_replica(laboratory: Laboratory) -> list[Finding]:
    return [await crashed(laboratory, crash) for crash in CRASHES["M7"]]
