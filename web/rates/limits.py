"""What callers may ask for, and what they hear where it is too much."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException

from domain.actor import Actor, Role
from web.client_address import network
from web.rates.counters import Counters, Standing
from web.rates.metrics import LIMITED
from web.rates.rules import NO_RATES, Limit, RateRules

_NOTED: ContextVar[list[Standing] | None] = ContextVar("rate_standings", default=None)

_WORDS: Final[Mapping[Limit, str]] = {
    Limit.REQUESTS: "requests",
    Limit.WRITES: "changes",
    Limit.PAYMENTS: "attempts to pay or to save a card",
    Limit.COST: "points of cost",
    Limit.ANONYMOUS: "requests without a valid token from one address",
    Limit.STRANGERS: "requests with a token that is not valid from one address",
    Limit.WEBHOOKS: "webhooks from one address",
}


class RateLimited(HTTPException):
    """429, with Retry-After. Nothing was begun, so no idempotency key is used up."""

    def __init__(self, standing: Standing) -> None:
        sentence = f"At most {standing.quota} {_WORDS[standing.limit]} are taken per minute."
        wait = max(1, standing.wait_seconds)
        super().__init__(429, sentence, {"Retry-After": str(wait)})
        self.sentence, self.retry_after_seconds = sentence, wait


async def nothing_to_close() -> None:
    """Memory needs no goodbye."""


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """
    Users are counted by their id, everybody else by the network that they come from.

    Whoever serves a request calls `admit` as soon as the caller is known, and `charge` before anything is done; the
    middleware has counted by address before that. All raise RateLimited. How a request stood is noted for its answer.
    """

    rules: RateRules
    users: Counters = field(default_factory=Counters)
    addresses: Counters = field(default_factory=Counters)
    strangers: Counters = field(default_factory=Counters)
    """In memory always: they are looked at before each token, and guessing is slow enough with many processes, too."""
    unproven: Counters = field(default_factory=Counters)
    """In memory for the same reason."""
    close: Callable[[], Awaitable[None]] = nothing_to_close

    async def admit(self, actor: Actor) -> None:
        """Count a user's request; that of an anonymous caller has been counted by its address."""
        if actor.user_id is not None:
            await self._take(self.users, Limit.REQUESTS, str(actor.user_id), role=actor.role)

    async def charge(
        self, actor: Actor, cost: int = 0, *, is_mutation: bool = False, payments: int = 0
    ) -> None:
        """
        Count what an operation does: its cost, whether it changes something, and how often it asks a bank.

        One that costs more than a whole minute's budget takes all of it. What is dearest to lose is taken last, since
        nobody gets back what was taken before a later limit refuses.
        """
        whose, name = (
            (self.addresses, network(actor.ip)) if actor.user_id is None else (self.users, str(actor.user_id))
        )
        asked = {Limit.COST: cost, Limit.WRITES: int(is_mutation), Limit.PAYMENTS: payments}
        for limit, amount in asked.items():
            await self._take(whose, limit, name, amount=amount, role=actor.role)

    async def greet(self, address: str | None, limit: Limit) -> None:
        """Count a request by its address, before anything else is known of it."""
        await self._take(self.addresses, limit, network(address))

    async def note_stranger(self, address: str | None) -> None:
        """A token turned out to be nobody's."""
        if quota := self.rules.quota(Limit.STRANGERS):
            await self.strangers.take(Limit.STRANGERS, network(address), quota=quota)

    async def note_unproven(self, address: str | None) -> None:
        """A request brought a token that nobody could or had to look at, so that it is no user's."""
        if quota := self.rules.quota(Limit.ANONYMOUS):
            await self.unproven.take(Limit.ANONYMOUS, network(address), quota=quota)

    async def must_not_be_guessing(self, address: str | None) -> None:
        if spent := await self._spent(self.strangers, Limit.STRANGERS, network(address)):
            _refuse(spent)

    async def must_not_waste(self, address: str | None, is_proven: Callable[[], Awaitable[bool]]) -> None:
        """Where too many came whose tokens proved nothing, only those go on whose token is good."""
        spent = await self._spent(self.unproven, Limit.ANONYMOUS, network(address))
        if spent and not await is_proven():
            _refuse(spent)

    async def _spent(self, counters: Counters, limit: Limit, name: str) -> Standing | None:
        """How it stands where nothing is left."""
        quota = self.rules.quota(limit)
        if not quota or counters.are_all_zero:
            return None
        standing = await counters.look(limit, name, quota=quota)
        return None if standing.remaining else standing

    async def _take(
        self,
        counters: Counters,
        limit: Limit,
        name: str,
        *,
        amount: int = 1,
        role: Role = Role.ANONYMOUS,
    ) -> None:
        quota = self.rules.quota(limit, role) if amount > 0 else 0
        if not quota:
            return
        standing = await counters.take(limit, name, quota=quota, amount=min(amount, quota))
        if (noted := _NOTED.get()) is not None:
            noted.append(standing)
        if not standing.is_taken:
            _refuse(standing)


UNLIMITED: Final = RateLimits(rules=NO_RATES)


def _refuse(standing: Standing) -> None:
    LIMITED.labels(standing.limit.value).inc()
    raise RateLimited(standing)


@contextmanager
def noting() -> Iterator[list[Standing]]:
    """How the request that is answered meanwhile stands, by every limit that it was counted for."""
    standings: list[Standing] = []
    token = _NOTED.set(standings)
    try:
        yield standings
    finally:
        _NOTED.reset(token)
