"""
Faults on demand: what a network or Stripe itself may do to a request.

| kind         | executed | the caller gets                                             |
|--------------|----------|-------------------------------------------------------------|
| error_before | no       | 500                                                         |
| error_after  | yes      | 500, which is also what the idempotency key answers from now |
| reset_before | no       | a connection reset                                          |
| reset_after  | yes      | a connection reset                                          |
| half_body    | yes      | half of the answer, then the connection closes              |
| html         | no       | 502 and a web page                                          |
| hang_before  | no       | nothing for `seconds`, then a connection reset              |
| hang_after   | yes      | nothing for `seconds`, then a connection reset              |
| rate_limit   | no       | 429, code rate_limit                                        |
| lock_timeout | no       | 429, code lock_timeout, Stripe-Should-Retry: true           |
| delay        | yes      | its answer, `seconds` late; the key is in use until then    |

POST /_sandbox/faults    {"rules": [{"kind", "path"?: a regular expression, "method"?, "times"?: 1, "seconds"?}]}
GET /_sandbox/faults     {"rules": those that still wait for requests,
                          "delayed": how many requests are still to be carried out}
DELETE /_sandbox/faults  forgets them

A delayed request is executed at the end of the delay, even if its caller has gone away by then.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HALF_BODY = "half_body"
    HTML = "html"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    RATE_LIMIT = "rate_limit"
    LOCK_TIMEOUT = "lock_timeout"
    DELAY = "delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What one request meets with; `seconds` count for hang_before, hang_after and delay."""

    kind: Kind
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Rule:
    """Spoil the next `times` requests (None: every one) whose path contains a match and whose method fits."""

    path: re.Pattern[str]
    kind: Kind
    method: str | None = None
    times: int | None = 1
    seconds: float = 0.0

    def fits(self, method: str, path: str) -> bool:
        fits_method = self.method is None or self.method == method
        return fits_method and self.times != 0 and self.path.search(path) is not None


class Faults:
    def __init__(self) -> None:
        self.delayed = 0
        self._rules: list[Rule] = []
        self._ending = asyncio.Event()

    def add(self, rules: Iterable[Rule]) -> None:
        self._rules.extend(rules)

    def clear(self) -> None:
        self._rules.clear()

    def rules(self) -> list[Rule]:
        """The rules that still wait for requests."""
        return [rule for rule in self._rules if rule.times != 0]

    def take(self, method: str, path: str) -> Fault | None:
        """That of the first rule that fits this request; the rule counts as used."""
        rule = next((rule for rule in self._rules if rule.fits(method, path)), None)
        if rule is None:
            return None
        if rule.times is not None:
            rule.times -= 1
        return Fault(kind=rule.kind, seconds=rule.seconds)

    async def delay(self, seconds: float) -> None:
        """As `wait`, for a request that is carried out afterwards: it is counted as `delayed` meanwhile."""
        self.delayed += 1
        try:
            await self.wait(seconds)
        finally:
            self.delayed -= 1

    async def wait(self, seconds: float) -> None:
        """Let time pass for a slow request, but not beyond the end of the sandbox."""
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return

    def release(self) -> None:
        """Let every waiting request go on: the sandbox is about to end."""
        self._ending.set()
