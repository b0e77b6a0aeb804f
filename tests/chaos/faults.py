"""M5 and M11: a Stripe that fails in every way, and one that takes its time."""

import asyncio
from dataclasses import dataclass
from typing import Final

from domain.actor import Actor
from tests.chaos.finding import Finding
from tests.chaos.flood import read_of
from tests.chaos.hose import Answers, Job, poured
from tests.chaos.laboratory import Effort, Laboratory
from tests.chaos.stand import Stand, stand
from tests.chaos.wishes import Kind, Told, Wish
from tests.waiting import until

PATIENCE: Final = 60.0
LONGEST_ANSWER: Final = 30.0
SLOW_SECONDS: Final = 5.0
READ_MILLISECONDS: Final = 200
READ_SECONDS: Final = 1.5
RUNNING: Final = "SELECT count(*) FROM operations WHERE state = 'RUNNING' AND mutation = 'createPayment'"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault of Stripe's, or a card that is refused; `status` is how the payment ends."""

    kind: str
    seconds: float = 0.0
    card: str = "pm_card_visa"
    status: str = "COMPLETED"

    @property
    def is_slow(self) -> bool:
        return self.seconds > SLOW_SECONDS

    @property
    def ends_early(self) -> bool:
        """Met once may be enough: a late answer is one, a stored 500 forbids another try, and slow tries are few."""
        return self.is_slow or self.kind in {"delay", "error_after"}


TROUBLES: Final = (
    Trouble(kind="rate_limit"),
    Trouble(kind="lock_timeout"),
    Trouble(kind="error_before"),
    Trouble(kind="error_after"),
    Trouble(kind="reset_before"),
    Trouble(kind="reset_after"),
    Trouble(kind="half_body"),
    Trouble(kind="html"),
    Trouble(kind="delay", seconds=2),
    Trouble(kind="delay", seconds=12),
    Trouble(kind="hang_before", seconds=60),
    Trouble(kind="hang_after", seconds=60),
    Trouble(kind="reset_after", card="pm_card_chargeCustomerFail", status="FAILED"),
    Trouble(kind="error_before", card="pm_card_authenticationRequired", status="REQUIRES_ACTION"),
)
QUICK: Final = tuple(trouble for trouble in TROUBLES if not trouble.is_slow)


async def every_fault(laboratory: Laboratory) -> list[Finding]:
    """Once and four times in a row each, which is as often as a call is tried; slow ones in FULL only."""
    troubles = QUICK if laboratory.effort is Effort.SHORT else TROUBLES
    tried = [(each, times) for each in troubles for times in times_of(each, laboratory.effort)]
    async with stand(laboratory, "M5") as at:
        wrong = [told for each, times in tried if (told := await troubled(at, each, times))]
        verdict = await at.referee.closing()
        failures, slowest = at.clients.failures, at.clients.slowest
    return [
        Finding(
            experiment="M5",
            tried=f"{len(troubles)} kinds of fault, {verdict.tried} payments",
            measured=f"{verdict}; {', '.join(wrong) or 'each ended as it had to'}; slowest answer {slowest:.0f} s; "
            f"{failures} unforeseen answers",
            target="0 of each; answers within 30 s; 0 unforeseen",
            holds=verdict.holds and not wrong and not failures and slowest <= LONGEST_ANSWER,
        )
    ]


def times_of(trouble: Trouble, effort: Effort) -> tuple[int, ...]:
    is_short = effort is Effort.SHORT or (trouble.is_slow and effort is not Effort.FULL)
    return (1,) if is_short else (1, 4)


async def troubled(at: Stand, trouble: Trouble, times: int) -> str:
    """What was wrong about one payment, if anything was; the referee sees to the rest."""
    wish = at.shop.payment(await at.shop.buyer(trouble.card))
    rule = {"path": Kind.PAYMENT.stripe_path, "method": "POST", "kind": trouble.kind}
    await at.world.spoil(**rule, seconds=trouble.seconds, times=times)
    told = await at.clients.insist(wish, seconds=PATIENCE)
    met = times - sum(rule["times"] for rule in (await at.world.faults())["rules"])
    await at.world.control.delete("/_sandbox/faults")
    await at.referee.judged({wish: told}, within=PATIENCE, must_be_told=True)
    return wrong_about(trouble, times, met=met, told=told)


def wrong_about(trouble: Trouble, times: int, *, met: int, told: Told | None) -> str:
    """`met` is how often the trouble was met with, of the times that it was meant to be."""
    name = f"{trouble.kind} {times} times"
    if met < (1 if trouble.ends_early else times):
        return f"{name} was met {met} times"
    if told is None or told.status != trouble.status:
        return f"{name} ended with {told}"
    return ""


async def slow(laboratory: Laboratory) -> list[Finding]:
    """Two hundred payments wait for Stripe, and hold up nobody who only reads."""
    count = laboratory.of(short=30, usual=200, full=200)
    async with stand(laboratory, "M11") as at:
        wishes = await at.shop.wishes(Kind.PAYMENT, count)
        reader = wishes[0].buyer
        await poured(Job(port=at.world.port, read=read_of(reader), seconds=1))
        rule = {"path": Kind.PAYMENT.stripe_path, "method": "POST", "kind": "delay"}
        await at.world.spoil(**rule, seconds=SLOW_SECONDS, times=None)
        told, coming, waiting = await paid_beside_reads(at, wishes, reader)
        await at.referee.judged(told, within=PATIENCE, must_be_told=True)
        verdict = await at.referee.closing()
    slowest, failures = waiting.slowest(99), coming.failures + waiting.failures
    is_quick = slowest < READ_MILLISECONDS or laboratory.effort is Effort.SHORT
    return [
        Finding(
            experiment="M11",
            tried=f"{count} payments at once on a Stripe that takes {SLOW_SECONDS:.0f} s",
            measured=f"{verdict}; p99 of {len(waiting.statuses)} reads while all wait {slowest:.0f} ms, "
            f"while they come {coming.slowest(99):.0f} ms; {failures} reads failed",
            target=f"0 of each; reads < {READ_MILLISECONDS} ms while all wait, 0 failed",
            holds=verdict.holds and coming.are_sound and waiting.are_sound and is_quick,
        )
    ]


async def paid_beside_reads(
    at: Stand, wishes: list[Wish], reader: Actor
) -> tuple[dict[Wish, Told | None], Answers, Answers]:
    """Reads while the payments come, and then while each of them waits for Stripe."""

    async def all_wait() -> bool:
        return int(await at.world.value(RUNNING)) >= len(wishes)

    job = Job(port=at.world.port, read=read_of(reader), seconds=READ_SECONDS)
    async with asyncio.TaskGroup() as group:
        paying = {wish: group.create_task(at.clients.insist(wish, seconds=PATIENCE)) for wish in wishes}
        coming = (await poured(job)).reads
        await until(all_wait)
        waiting = (await poured(job)).reads
    return {wish: task.result() for wish, task in paying.items()}, coming, waiting
