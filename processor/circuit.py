"""A circuit breaker: while Stripe is unwell, calls fail at once instead of being held for it one by one."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()

RELIEF: Final = 4
"""Failures that one answer makes up for: below four failures in five, trying again gets most calls through."""
FORGOTTEN_AFTER: Final = 60.0
"""Seconds without a failure, after which the former ones count no more."""


class CircuitState(StrEnum):
    CLOSED = "closed"
    """Stripe is well, as far as we know."""
    OPEN = "open"
    """Stripe is left alone."""
    HALF_OPEN = "half_open"
    """One request is let through, and its fate decides."""


class CircuitIsOpen(Exception):
    """The request was not sent."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Stripe is left alone for another {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class Passage:
    """One request's way through; where `is_well` stays None, it tells nothing about Stripe."""

    is_probe: bool
    is_well: bool | None = None


class Circuit:
    """
    Opens when failed requests outnumber the answers by `threshold`, an answer weighing as much as RELIEF failures;
    `pause` seconds later one request at a time is let through, until one is answered. Never where `threshold` is 0.

    One per process. `clock` is monotonic, in seconds.
    """

    def __init__(self, *, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._strain = 0
        self._failed_at = -math.inf
        self._broke_at = math.inf
        self._opens_until: float | None = None
        self._is_probing = False

    @property
    def state(self) -> CircuitState:
        if self._opens_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._clock() < self._opens_until else CircuitState.HALF_OPEN

    def welcomes(self, requests: int) -> int:
        """How many of so many requests would be let through now."""
        match self.state:
            case CircuitState.CLOSED:
                return requests
            case CircuitState.HALF_OPEN:
                return 0 if self._is_probing else min(1, requests)
            case CircuitState.OPEN:
                return 0

    def must_welcome(self) -> None:
        """Raises CircuitIsOpen."""
        if not self.welcomes(1):
            raise CircuitIsOpen(self._retry_after())

    @contextmanager
    def passage(self) -> Iterator[Passage]:
        """Raises CircuitIsOpen. Whoever passes says whether Stripe is well, if that can be told."""
        self.must_welcome()
        passage = Passage(is_probe=self.state is CircuitState.HALF_OPEN)
        self._is_probing = passage.is_probe
        try:
            yield passage
        finally:
            self._judge(passage)

    def _judge(self, passage: Passage) -> None:
        """What began before the circuit opened tells nothing about Stripe as it is now."""
        if passage.is_probe:
            self._is_probing = False
            if passage.is_well is not None:
                self._close() if passage.is_well else self._open()
        elif self._opens_until is None and passage.is_well is not None:
            self._weigh(is_well=passage.is_well)

    def _weigh(self, *, is_well: bool) -> None:
        now = self._clock()
        if now - self._failed_at > FORGOTTEN_AFTER:
            self._strain = 0
        if is_well:
            self._strain = max(0, self._strain - RELIEF)
            return
        self._failed_at = now
        self._strain += 1
        if self._threshold and self._strain >= self._threshold:
            self._broke_at = now
            self._open()
            log.warning("stripe.circuit_opened", failures=self._strain, pause_seconds=self._pause)

    def _open(self) -> None:
        self._opens_until = self._clock() + self._pause

    def _close(self) -> None:
        self._opens_until = None
        self._strain = 0
        log.info("stripe.circuit_closed", open_seconds=round(self._clock() - self._broke_at, 3))

    def _retry_after(self) -> int:
        """Whole seconds; while a probe is under way, as long as the pause that its failure would bring."""
        left = (self._opens_until or 0.0) - self._clock()
        return max(1, math.ceil(left if left > 0 else self._pause))
