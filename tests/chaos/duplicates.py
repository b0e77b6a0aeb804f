"""M3, M4, M6 and half of M7: the same at once, on one server or on two."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from tests.chaos.finding import Finding
from tests.chaos.fleet import Replicas, Single
from tests.chaos.laboratory import Laboratory
from tests.chaos.referee import executions
from tests.chaos.shop import nobody_yet
from tests.chaos.stand import Fleets, Stand, stand
from tests.chaos.verdict import Word
from tests.chaos.wishes import Kind, Told, Wish

PATIENCE: Final = 40.0
AT_ONCE: Final = 50
REFUNDS_AT_ONCE: Final = 20
KEYS_AT_ONCE: Final = 20
NAMES: Final = {Single: "one server", Replicas: "two replicas"}


async def identical(laboratory: Laboratory, experiment: str = "M3", fleet: Fleets = Single) -> list[Finding]:
    """Fifty times the same key at once, and once more later."""
    rounds = laboratory.of(short=1, usual=5, full=20)
    async with stand(laboratory, f"{experiment} identical", fleet=fleet) as at:
        return [
            await same_key(at, experiment, kind, rounds, fleet) for kind in (Kind.PAYMENT, Kind.SUBSCRIPTION)
        ]


async def same_key(at: Stand, experiment: str, kind: Kind, rounds: int, fleet: Fleets) -> Finding:
    wishes = await at.shop.wishes(kind, rounds)
    words = [await uttered(at, [wish] * AT_ONCE) for wish in wishes]
    later = [await at.clients.insist(wish, seconds=PATIENCE) for wish in wishes]
    told = dict(zip(wishes, later, strict=True))
    await at.referee.judged(told, within=PATIENCE, must_be_told=True)
    verdict = await at.referee.closing()
    agreeing = sum({*each, last} == {last} for each, last in zip(words, later, strict=True))
    return Finding(
        experiment=experiment,
        tried=f"{rounds} times {AT_ONCE} identical {kind.made}s at once, {NAMES[fleet]}",
        measured=f"{verdict}; {agreeing} of {rounds} with one answer for all; {at.clients.failures} 5xx",
        target="0 of each; one answer, now and later; 0 5xx",
        holds=verdict.holds and agreeing == rounds and at.clients.failures == 0,
    )


async def uttered(at: Stand, wishes: Sequence[Wish]) -> list[Told | None]:
    """All at once, and each of them until it is told."""
    return await asyncio.gather(*(at.clients.insist(wish, seconds=PATIENCE) for wish in wishes))


async def one_per_plan(laboratory: Laboratory) -> list[Finding]:
    """One user subscribes to one plan under many keys at once: one of them is lucky."""
    async with stand(laboratory, "one per plan") as at:
        subscriber = await at.shop.buyer()
        wishes = [at.shop.subscription(subscriber) for _ in range(KEYS_AT_ONCE)]
        told = await uttered(at, wishes)
        found = await executions(at.world)
        live, lucky = (
            sum(found[each] for each in found if each[0] is Kind.SUBSCRIPTION),
            done(told, wishes[0].kind),
        )
    return [
        Finding(
            experiment="M3",
            tried=f"{len(wishes)} keys at once subscribe one user to one plan",
            measured=f"{live} live and paid, {lucky} told so; {at.clients.failures} 5xx",
            target="1, and 1 told; 0 5xx",
            holds=(live, lucky, at.clients.failures) == (1, 1, 0),
        )
    ]


def done(told: Sequence[Told | None], kind: Kind) -> int:
    """How many were told that theirs was done."""
    return sum(word is not None and word.word(kind) is Word.DONE for word in told)


async def reused_keys(laboratory: Laboratory) -> list[Finding]:
    """The same key with another input is refused, and with another user it is another key."""
    async with stand(laboratory, "M4") as at:
        buyer, other = await at.shop.buyers(2)
        first = at.shop.payment(buyer)
        changed, foreign = at.shop.payment(buyer, key=first.key), at.shop.payment(other, key=first.key)
        wishes = (first, foreign, changed)
        told = {wish: await at.clients.insist(wish, seconds=PATIENCE) for wish in wishes}
        await at.referee.judged(told, within=PATIENCE, must_be_told=True)
        verdict = await at.referee.closing()
        charged = (await executions(at.world)).get((Kind.PAYMENT, str(changed.amount)), 0)
    refused = told.pop(changed)
    codes = refused.codes if refused else ()
    completed = done(list(told.values()), Kind.PAYMENT)
    return [
        Finding(
            experiment="M4",
            tried="one key with another input, and of another user",
            measured=f"{', '.join(codes)} and charged {charged} times; {completed} of 2 users paid; {verdict}",
            target="KEY_REUSED and charged 0 times; 2 of 2; 0 of each",
            holds=verdict.holds and codes == ("KEY_REUSED",) and charged == 0 and completed == 2,
        )
    ]


async def refunds(laboratory: Laboratory, experiment: str = "M6", fleet: Fleets = Single) -> list[Finding]:
    """With nobody at Stripe who would refuse too much."""
    async with stand(laboratory, f"{experiment} refunds", fleet=fleet) as at:
        await at.world.control.post("/_sandbox/guards", json={"over_refunds": False})
        return [
            await too_many_refunds(at, experiment, fleet),
            await one_refund(at, experiment, fleet),
        ]


async def too_many_refunds(at: Stand, experiment: str, fleet: Fleets) -> Finding:
    """Of which Stripe, our database and those who asked tell the same, one by one and in sum."""
    paid = 777_700
    buyer, payment = await at.shop.paid(paid)
    wishes = [at.shop.refund(buyer, payment, share) for share in shares(paid)]
    at.dice.shuffle(wishes)
    told = dict(zip(wishes, await uttered(at, wishes), strict=True))
    await at.referee.judged(told, within=PATIENCE, must_be_told=True)
    verdict = await at.referee.closing()
    sums = await sums_given_back(at, paid, told)
    return Finding(
        experiment=experiment,
        tried=f"{len(wishes)} refunds of 60 % and 30 % at once, Stripe's guard off, {NAMES[fleet]}",
        measured=f"{verdict}; {sums.shown(paid)}; {at.clients.failures} 5xx",
        target="0 of each; at most 100 %, and something, the same for all; 0 5xx",
        holds=verdict.holds and sums.agree_within(paid) and at.clients.failures == 0,
    )


def shares(paid: int) -> Iterator[int]:
    """Each of its own amount, by which the referee tells them apart."""
    for number in range(REFUNDS_AT_ONCE):
        yield paid * (60, 30)[number % 2] // 100 + number


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsGivenBack:
    """Of one payment, in minor units, as Stripe, our database and those who asked for it have it."""

    stripe: int
    ours: int
    told: int

    def agree_within(self, paid: int) -> bool:
        return 0 < self.stripe <= paid and self.stripe == self.ours == self.told

    def shown(self, paid: int) -> str:
        shares = "/".join(f"{each * 100 // paid} %" for each in (self.stripe, self.ours, self.told))
        return f"{shares} given back by Stripe, our database and what was told"


async def sums_given_back(at: Stand, paid: int, told: Mapping[Wish, Told | None]) -> SumsGivenBack:
    [stripe] = [
        intent["amount_refunded"]
        for intent in (await at.world.ledger())["payment_intents"]
        if intent["amount"] == paid
    ]
    return SumsGivenBack(
        stripe=stripe,
        ours=await at.world.value("SELECT refunded_amount FROM payments WHERE amount = $1", paid),
        told=sum(wish.amount for wish, word in told.items() if word and word.word(wish.kind) is Word.DONE),
    )


async def one_refund(at: Stand, experiment: str, fleet: Fleets) -> Finding:
    [wish] = await at.shop.wishes(Kind.REFUND, 1)
    words = await uttered(at, [wish] * REFUNDS_AT_ONCE)
    await at.referee.judged({wish: words[0]}, within=PATIENCE, must_be_told=True)
    verdict = await at.referee.closing()
    return Finding(
        experiment=experiment,
        tried=f"one refund's key {len(words)} times at once, {NAMES[fleet]}",
        measured=f"{verdict}; {len(set(words))} answers",
        target="0 of each; 1 answer",
        holds=verdict.holds and len(set(words)) == 1,
    )


async def on_two_replicas(laboratory: Laboratory) -> list[Finding]:
    return [
        *await identical(laboratory, "M7", Replicas),
        *await refunds(laboratory, "M7", Replicas),
        await first_customer(laboratory),
    ]


async def first_customer(laboratory: Laboratory) -> Finding:
    """A user of whom nobody has heard saves a card ten times at once, on two replicas."""
    async with stand(laboratory, "first customer", fleet=Replicas) as at:
        users = [nobody_yet() for _ in range(laboratory.of(short=2, usual=10, full=20))]
        statuses = [
            status
            for user in users
            for status in await asyncio.gather(*(at.shop.try_card(user, url) for url in at.fleet.urls * 5))
        ]
        customers = (await at.world.ledger())["customers_per_user"]
    numbers = {customers.get(str(user.known_id), 0) for user in users}
    failures = sum(status >= HTTPStatus.INTERNAL_SERVER_ERROR for status in statuses)
    return Finding(
        experiment="M7",
        tried=f"the first customer of {len(users)} users, ten times at once on two replicas",
        measured=f"{', '.join(map(str, sorted(numbers)))} at Stripe for each; {failures} 5xx",
        target="1; 0 5xx",
        holds=numbers == {1} and failures == 0,
    )


async def on_one_server(laboratory: Laboratory) -> list[Finding]:
    return [*await identical(laboratory), *await one_per_plan(laboratory)]
