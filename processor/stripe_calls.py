"""Calls to Stripe: bounded in time and in number, and every failure sorted into *no* or *not known*."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import stripe

from domain.errors import ProcessorRefused, ProcessorUnavailable
from processor.circuit import CircuitIsOpen
from processor.stripe_http import SERVER_ERROR, header, is_replay
from processor.stripe_metrics import timed
from processor.stripe_shapes import Shape, outcome_of_intent

T = TypeVar("T")
S = TypeVar("S", bound=stripe.StripeObject)

DEADLINE: Final = 24.0
"""Seconds for one command with all its attempts."""
ATTEMPTS: Final = 4
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 4.0
CONFLICT: Final = 409
KEY_IN_USE: Final = "idempotency_key_in_use"
SHOULD_RETRY: Final = "stripe-should-retry"
"""`false` where another attempt would get the same answer, such as an error that is stored under the key."""
RETRY_AFTER: Final = "retry-after"
SECONDS: Final = re.compile(r"[0-9]{1,6}")
LONGEST_RETRY_AFTER: Final = 60
NOT_EXECUTED: Final = frozenset({400, 401, 403, 404})
"""Definite refusals: https://docs.stripe.com/api/errors"""


@timed
async def call(send: Callable[[], Awaitable[T]]) -> T:
    """
    Stripe's answer, after as many attempts as the deadline allows, all under the caller's idempotency key.

    Raises stripe.CardError for a decline, which means different things to different commands, ProcessorRefused
    for another definite no, and ProcessorUnavailable where nobody can know, or where Stripe is unwell and is spared.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            return await _attempts(send)
    except stripe.CardError:
        raise
    except stripe.StripeError as error:
        raise _verdict(error) from error
    except (OSError, ValueError) as unreadable:
        raise ProcessorUnavailable from unreadable


async def every_one(send: Callable[[], Awaitable[stripe.ListObject[S]]]) -> AsyncIterator[S]:
    """All objects of a list; each of its pages is a call of its own."""
    page = await call(send)
    for thing in page.data:
        yield thing
    while page.has_more:
        page = await call(page.next_page_async)
        for thing in page.data:
            yield thing


async def _attempts(send: Callable[[], Awaitable[T]]) -> T:
    """A key in use is no failure: the same request is on its way elsewhere, and its answer is worth the wait."""
    tries = failures = 0
    while True:
        try:
            return await send()
        except CircuitIsOpen as unwell:
            raise ProcessorUnavailable(
                retry_after_seconds=unwell.retry_after_seconds, was_asked=tries > 0
            ) from unwell
        except stripe.StripeError as error:
            failures += error_body(error).get("code") != KEY_IN_USE
            if failures == ATTEMPTS or not _is_worth_another(error):
                raise
            tries += 1
            pause = max(_pause(tries), _retry_after(error) or 0)
        await asyncio.sleep(pause)


def _is_worth_another(error: stripe.StripeError) -> bool:
    """Not within the time of this command, where Stripe says so itself."""
    if header(error.headers or {}, SHOULD_RETRY) == "false" or (_retry_after(error) or 0) > LONGEST_PAUSE:
        return False
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):
        return True
    status = error.http_status or 0
    return status == CONFLICT or status >= SERVER_ERROR


def _pause(attempt: int) -> float:
    """Seconds: exponential, with full jitter, so that many callers do not come back together."""
    return random.uniform(FIRST_PAUSE, min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))  # noqa: S311


def _retry_after(error: stripe.StripeError) -> int | None:
    """What Stripe asks for, in seconds, within reason."""
    told = header(error.headers or {}, RETRY_AFTER) or ""
    return min(int(told), LONGEST_RETRY_AFTER) if SECONDS.fullmatch(told) else None


def _verdict(error: stripe.StripeError) -> ProcessorRefused | ProcessorUnavailable:
    if isinstance(error, stripe.IdempotencyError) or error.http_status not in NOT_EXECUTED:
        return ProcessorUnavailable(retry_after_seconds=_retry_after(error))
    if error_body(error) == {}:
        return ProcessorUnavailable()  # Not Stripe's words, so perhaps not Stripe.
    intent = error_body(error).get("payment_intent")
    return ProcessorRefused(
        "The payment provider did not accept this.",
        reason=error.code or "invalid_request",
        outcome=outcome_of_intent(intent) if intent else None,
    )


def is_stored(error: BaseException | None) -> bool:
    """Whether Stripe will answer so, whatever the cause was, for as long as it remembers the key."""
    return isinstance(error, stripe.StripeError) and is_replay(error.headers or {})


def error_body(error: stripe.StripeError) -> Shape:
    """The `error` part of the answer; empty where the answer was not Stripe's JSON."""
    body: Any = error.json_body
    part = body.get("error") if isinstance(body, Mapping) else None
    return part if isinstance(part, Mapping) else {}
