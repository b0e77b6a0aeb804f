"""How long calls to Stripe take, and what comes of them."""

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec, TypeVar

import stripe
from prometheus_client import Histogram

from domain.errors import ProcessorRefused, ProcessorUnavailable

P = ParamSpec("P")
T = TypeVar("T")

CALLS: Final = Histogram(
    "payments_stripe_call_seconds",
    "Calls to Stripe with all their attempts, by what came of them; `unavailable` is that nobody knows.",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)


def timed(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The same call, measured."""

    @functools.wraps(call)
    async def measured(*args: P.args, **kwargs: P.kwargs) -> T:
        began, outcome = time.perf_counter(), "interrupted"
        try:
            answer = await call(*args, **kwargs)
            outcome = "answered"
            return answer
        except Exception as error:
            outcome = outcome_of(error)
            raise
        finally:
            CALLS.labels(outcome).observe(time.perf_counter() - began)

    return measured


def outcome_of(error: Exception) -> str:
    match error:
        case stripe.CardError():
            return "declined"
        case ProcessorRefused():
            return "refused"
        case ProcessorUnavailable():
            return "unavailable"
        case _:
            return "failed"
