"""The log of recent POSTs: which idempotency key each carried, and how it ended."""

from collections import deque
from dataclasses import dataclass

from sandbox.control.faults import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """`status` is what was answered or, for an answer that a fault swallowed, None."""

    id: str
    at: int
    method: str
    path: str
    idempotency_key: str | None
    status: int | None
    is_replayed: bool
    fault: Kind | None


class RequestLog:
    def __init__(self, most: int) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=most)

    def add(self, entry: LoggedRequest) -> None:
        self._entries.append(entry)

    def newest_first(self) -> list[LoggedRequest]:
        return list(reversed(self._entries))

    def clear(self) -> None:
        self._entries.clear()
