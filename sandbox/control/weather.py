"""
What the weather of a sandbox is made of, as JSON gives it:

    {"seed": 7,
     "faults":   {"reset_after": 0.02, "error_before": 0.01},
     "reads":    {"error_before": 0.05},
     "seconds":  1.0,
     "latency":  {"median": 0.02, "p99": 0.5},
     "webhooks": {"duplicated": 0.2, "reordered": 0.2, "delayed": 0.1, "dropped": 0.05,
                  "seconds": 2.0, "paused": false}}

Only `seed`, a whole number, is required. `faults` gives the odds of each kind of fault (see faults.py; what is
not named never happens), and `reads` those of GET requests, which are the same unless given. `seconds` is how
long hang_before, hang_after and delay last. `latency` is what every request takes besides: half of it on the way
there, half on the way back; log-normal, and never more than a minute.

Of `webhooks`, dropped ones are never sent; delayed ones are sent `seconds` late, reordered ones at a random
moment within `seconds`, so that later ones overtake them, and duplicated ones at once and again at such a moment.
While it is paused nothing is sent. The odds of one part add up to 1 at most; the rest goes well.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from statistics import NormalDist
from typing import Any, TypeVar

from sandbox.control.faults import Kind

LONGEST = 60.0
ROUNDING = 1e-9
NORMAL_P99 = NormalDist().inv_cdf(0.99)

K = TypeVar("K", bound=StrEnum)
N = TypeVar("N", int, float)


class BadWeather(ValueError):
    """A description of a weather that cannot be; the message says what is wrong with it."""


class Mishap(StrEnum):
    """What may happen to a webhook on its way."""

    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    DELAYED = "delayed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """In seconds: half of all requests take less than the median, and one in a hundred more than p99."""

    median: float
    p99: float

    def drawn(self, dice: Random) -> float:
        mean = math.log(self.median)
        return min(dice.lognormvariate(mean, (math.log(self.p99) - mean) / NORMAL_P99), LONGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWeather:
    odds: Mapping[Mishap, float] = field(default_factory=dict)
    seconds: float = 2.0
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """`reads` are the odds of GET requests, `faults` those of all others."""

    seed: int
    faults: Mapping[Kind, float] = field(default_factory=dict)
    reads: Mapping[Kind, float] = field(default_factory=dict)
    seconds: float = 1.0
    latency: Latency | None = None
    webhooks: WebhookWeather = field(default_factory=WebhookWeather)


def rough(seed: int) -> Weather:
    """A bad day, on which everything still gets done in the end: for trying out by hand."""
    every = dict.fromkeys(Kind, 0.01)
    return Weather(
        seed=seed,
        faults=every,
        reads=every,
        latency=Latency(median=0.05, p99=1.0),
        webhooks=WebhookWeather(
            odds={
                Mishap.DUPLICATED: 0.1,
                Mishap.REORDERED: 0.2,
                Mishap.DELAYED: 0.1,
                Mishap.DROPPED: 0.02,
            }
        ),
    )


def read(given: object) -> Weather:
    """The weather that JSON describes; BadWeather if it cannot be."""
    parts = _parts(given, "the weather", ("seed", "faults", "reads", "seconds", "latency", "webhooks"))
    if type(parts.get("seed")) is not int:
        raise BadWeather("seed is required, and a whole number")
    faults = _odds(parts.get("faults", {}), "faults", Kind)
    return Weather(
        seed=parts["seed"],
        faults=faults,
        reads=_odds(parts["reads"], "reads", Kind) if "reads" in parts else faults,
        seconds=_seconds(parts.get("seconds", 1.0), "seconds"),
        latency=_latency(parts["latency"]) if "latency" in parts else None,
        webhooks=_webhooks(parts.get("webhooks", {})),
    )


def shown(weather: Weather) -> dict[str, Any]:
    """As JSON, from which `read` makes the same weather."""
    latency, webhooks = weather.latency, weather.webhooks
    told: dict[str, Any] = {
        "seed": weather.seed,
        "faults": by_name(weather.faults),
        "reads": by_name(weather.reads),
        "seconds": weather.seconds,
        "webhooks": {**by_name(webhooks.odds), "seconds": webhooks.seconds, "paused": webhooks.is_paused},
    }
    return told if latency is None else {**told, "latency": {"median": latency.median, "p99": latency.p99}}


def by_name(numbers: Mapping[K, N]) -> dict[str, N]:
    return {kind.value: number for kind, number in numbers.items()}


def _latency(given: object) -> Latency:
    parts = _parts(given, "latency", ("median", "p99"))
    if len(parts) < 2:
        raise BadWeather("latency takes both median and p99")
    latency = Latency(
        median=_seconds(parts["median"], "latency.median"), p99=_seconds(parts["p99"], "latency.p99")
    )
    if not 0 < latency.median <= latency.p99:
        raise BadWeather("latency.median is more than 0, and latency.p99 not less than that")
    return latency


def _webhooks(given: object) -> WebhookWeather:
    parts = dict(_parts(given, "webhooks", (*Mishap, "seconds", "paused")))
    seconds, is_paused = parts.pop("seconds", 2.0), parts.pop("paused", False)
    if not isinstance(is_paused, bool):
        raise BadWeather("webhooks.paused is a boolean")
    return WebhookWeather(
        odds=_odds(parts, "webhooks", Mishap),
        seconds=_seconds(seconds, "webhooks.seconds"),
        is_paused=is_paused,
    )


def _odds(given: object, name: str, kinds: type[K]) -> dict[K, float]:
    """In the order of the kinds, so that the order in which they were given does not matter."""
    parts = _parts(given, name, tuple(kinds))
    odds = {kind: _number(parts[kind], f"{name}.{kind}", most=1.0) for kind in kinds if kind in parts}
    if sum(odds.values()) > 1 + ROUNDING:
        raise BadWeather(f"the odds of {name} add up to more than 1")
    return odds


def _seconds(given: object, name: str) -> float:
    return _number(given, name, most=LONGEST)


def _number(given: object, name: str, *, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= most:
        raise BadWeather(f"{name} is a number from 0 to {most:g}")
    return float(given)


def _parts(given: object, name: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadWeather(f"{name} is a JSON object")
    if unknown := sorted(given.keys() - set(known)):
        raise BadWeather(f"{name} knows no {', '.join(unknown)}; it takes {', '.join(known)}")
    return given
