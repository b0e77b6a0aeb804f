"""What the same story has in common each time it is told: everything but ids, keys and moments."""

import re
from collections import Counter

MADE_UP = re.compile(r"[0-9a-f]{24,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<!\d)\d{10}(?!\d)")


def masked(text: str) -> str:
    """A text without its random ids and UUIDs, and without moments in seconds since the epoch."""
    return MADE_UP.sub("*", text)


class Census:
    """Numbers those who look alike as they come, and counts how often each of them comes."""

    def __init__(self) -> None:
        self._alike = Counter[str]()
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}

    def number(self, likeness: str, name: str) -> tuple[int, int]:
        """The how-manieth of its likeness this one is, and the how-manieth time it comes; both from 0."""
        which, times = self._seen.get((likeness, name), (self._alike[likeness], 0))
        if times == 0:
            self._alike[likeness] += 1
        self._seen[likeness, name] = which, times + 1
        return which, times
