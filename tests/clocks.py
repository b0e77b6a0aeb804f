"""Clocks that tests move."""


class MonotonicClock:
    """In seconds from no particular moment, as `time.monotonic` has it; it stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds
