"""The limits, and how much each allows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.actor import Role


class Limit(StrEnum):
    """What is counted, of whom. Only callers with a genuine token are users; all others are their address."""

    REQUESTS = "requests"
    """All requests of a user."""
    WRITES = "writes"
    """A user's mutations, and REST requests that change something."""
    PAYMENTS = "payments"
    """What asks a bank on behalf of a user: what charges or tries a card."""
    COST = "cost"
    """What a user's operations cost, as gql.limits reckons it."""
    ANONYMOUS = "anonymous"
    """Requests without a token, by address; and as many whose token nobody could or had to look at."""
    STRANGERS = "strangers"
    """Requests with a token that is not accepted, by address: guessing is bounded."""
    WEBHOOKS = "webhooks"
    """By address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRules:
    """Per minute; a limit of 0 is none. `staff` and `services` are how many times as much those may ask for."""

    requests: int = 0
    writes: int = 0
    payments: int = 0
    cost: int = 0
    anonymous: int = 0
    strangers: int = 0
    webhooks: int = 0
    staff: int = 1
    services: int = 1

    def quota(self, limit: Limit, role: Role = Role.ANONYMOUS) -> int:
        most: int = getattr(self, limit.value)
        if role in _STAFF:
            return most * self.staff
        return most * self.services if role is Role.SERVICE else most


NO_RATES: Final = RateRules()
_STAFF: Final = frozenset({Role.ADMIN, Role.SUPPORT})
