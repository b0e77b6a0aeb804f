"""Real time, by which tokens begin and end, also where decisions are made by a sandbox's clock."""

from datetime import UTC, datetime


def system_clock() -> datetime:
    return datetime.now(UTC)
