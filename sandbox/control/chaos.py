"""
Chaos: a weather in which each request and each webhook draws its fate from a seed.

POST /_sandbox/chaos    a weather (see weather.py), such as {"seed": 7, "faults": {"reset_after": 0.02}}; it
                        replaces the one before, and begins to count anew
GET /_sandbox/chaos     {"chaos": the weather or null,
                         "done": {"requests": 120, "faults": {"reset_after": 3}, "latency_seconds": 4.2,
                                  "webhooks": 80, "mishaps": {"dropped": 4}}}
DELETE /_sandbox/chaos  ends it; what it did is still told. Delayed webhooks still come when they are due.

A fate depends on the seed and on who draws it, not on who draws before, so that a seed that once showed a fault
shows it again under concurrency. Of a request that is its method, path, idempotency key and parameters; of a
webhook it is the event's type, its object's amount, currency, texts and metadata, and the place of the endpoint
among those that get it. Ids and keys that are made up anew in each run are left out of that (see likeness.py);
instead those who look alike are numbered as they come, and so are the attempts of one key, the reads of one
address, and the events of one type of one object. Give things that happen at once different amounts or texts, then
each of them meets with the same fate in every run; otherwise the fates are the same, but not who meets with which.

Rules (faults.py) go first: a request that one fits has no part in the weather. Deliveries that are tried again
after a failure draw no second time. Weather and counts end with the process; `--chaos` begins it anew.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from random import Random
from typing import Any, TypeVar

import orjson

from sandbox.api.incoming import Incoming
from sandbox.control.faults import Fault, Kind
from sandbox.control.likeness import Census, masked
from sandbox.control.weather import Mishap, Weather, by_name, shown
from sandbox.state.objects import StripeObject

TOLD_APART_BY = ("amount", "currency", "description", "email", "name", "nickname", "metadata")

K = TypeVar("K", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a request meets with: nothing, or a fault and so many seconds of latency."""

    fault: Fault | None = None
    latency: float = 0.0

    @property
    def way(self) -> float:
        """Half of the latency passes on the way there, and half on the way back."""
        return self.latency / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How a webhook travels: undisturbed, or with a mishap; `late` is in seconds, of a duplicate the second's."""

    mishap: Mishap | None = None
    late: float = 0.0


CALM = Fate()
UNDISTURBED = Passage()


@dataclass(slots=True, kw_only=True)
class Done:
    """What a weather has done so far."""

    requests: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    latency_seconds: float = 0.0
    webhooks: int = 0
    mishaps: Counter[Mishap] = field(default_factory=Counter)

    def shown(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "faults": by_name(self.faults),
            "latency_seconds": self.latency_seconds,
            "webhooks": self.webhooks,
            "mishaps": by_name(self.mishaps),
        }


class Chaos:
    """`weather` is None on a calm day, which is how every sandbox begins unless it is told otherwise."""

    def __init__(self, weather: Weather | None = None) -> None:
        self.on_changed: Callable[[], None] = lambda: None
        self.weather = weather
        self.done = Done()
        self._census = Census()

    @property
    def holds_webhooks(self) -> bool:
        return self.weather is not None and self.weather.webhooks.is_paused

    def begin(self, weather: Weather) -> None:
        """From now on this is the weather; what the one before did is forgotten."""
        self.weather, self.done, self._census = weather, Done(), Census()
        self.on_changed()

    def end(self) -> None:
        self.weather = None
        self.on_changed()

    def of_request(self, incoming: Incoming) -> Fate:
        weather = self.weather
        if weather is None:
            return CALM
        dice = self._dice(weather.seed, *_looks_of_request(incoming))
        kind = _drawn(weather.reads if incoming.method == "GET" else weather.faults, dice)
        latency = 0.0 if weather.latency is None else weather.latency.drawn(dice)
        self.done.requests += 1
        self.done.latency_seconds += latency
        if kind is None:
            return Fate(latency=latency)
        self.done.faults[kind] += 1
        return Fate(fault=Fault(kind=kind, seconds=weather.seconds), latency=latency)

    def of_webhook(self, type_: str, thing: StripeObject, place: int) -> Passage:
        """`place` is that of the endpoint among those that the event goes to."""
        if self.weather is None:
            return UNDISTURBED
        weather = self.weather.webhooks
        dice = self._dice(self.weather.seed, *_looks_of_webhook(type_, thing, place))
        mishap = _drawn(weather.odds, dice)
        self.done.webhooks += 1
        if mishap is None:
            return UNDISTURBED
        self.done.mishaps[mishap] += 1
        late = weather.seconds if mishap is Mishap.DELAYED else dice.uniform(0, weather.seconds)
        return Passage(mishap=mishap, late=late)

    def report(self) -> dict[str, Any]:
        """The weather and what it did, as JSON."""
        return {"chaos": None if self.weather is None else shown(self.weather), "done": self.done.shown()}

    def _dice(self, seed: int, likeness: str, name: str) -> Random:
        drawn = f"{seed}\n{likeness}\n{self._census.number(likeness, name)}"
        number = int.from_bytes(blake2b(drawn.encode(), digest_size=16).digest())
        return Random(number)  # noqa: S311  # It has to come out the same again.


def _looks_of_request(incoming: Incoming) -> tuple[str, str]:
    """What it has in common with its like in other runs, and what makes it this one: its key, if it has one."""
    asked = f"{incoming.method} {incoming.path}\n{incoming.form.decode(errors='replace')}"
    return masked(f"{asked}\n{incoming.idempotency_key}"), incoming.idempotency_key or asked


def _looks_of_webhook(type_: str, thing: StripeObject, place: int) -> tuple[str, str]:
    traits = orjson.dumps([thing.get(name) for name in TOLD_APART_BY]).decode()
    return masked(f"{type_} to {place}\n{traits}"), str(thing.get("id"))


def _drawn(odds: Mapping[K, float], dice: Random) -> K | None:
    point = dice.random()
    for kind, share in odds.items():
        if point < share:
            return kind
        point -= share
    return None
