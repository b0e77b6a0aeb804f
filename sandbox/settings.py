"""What a sandbox is started with."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox.control.weather import Weather

API_VERSION = "2026-10-28.endive"
EVERY_EVENT = ("*",)
DunningEnd = Literal["cancel", "unpaid"]
SHORT_BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """A webhook endpoint that exists from the start, as if it had been made by hand in the dashboard."""

    url: str
    secret: str = field(repr=False)
    enabled_events: tuple[str, ...] = EVERY_EVENT


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """
    How a sandbox behaves; every field has a default that suits a test.

    `state` names the SQLite file that survives restarts (None: memory only). `public_url` is the address
    that links to 3-D Secure pages start with (None: taken from the request that asks). `webhook_backoff`
    lists the seconds between two delivery attempts, so its length plus one is the number of attempts. A
    renewal that failed is tried again after each of `dunning_days`, counted from the try before; when the last
    one fails as well, `dunning_end` says what becomes of the subscription. `begins_days_ago` sets the clock of a
    sandbox without a state back, so that a history can be lived through, or ahead where it is negative. What
    falls due while nobody moves the clock, such as a renewal, happens within `chore_seconds`. `chaos` is the weather
    that it begins in.
    """

    secret_key: str = field(default="sk_test_sandbox", repr=False)
    publishable_key: str = "pk_test_sandbox"
    state: Path | None = None
    public_url: str | None = None
    webhooks: tuple[WebhookTarget, ...] = ()
    webhook_backoff: tuple[float, ...] = SHORT_BACKOFF
    webhook_timeout: float = 10.0
    remembered_requests: int = 10_000
    dunning_days: tuple[int, ...] = (3, 5, 7)
    dunning_end: DunningEnd = "cancel"
    begins_days_ago: float = 0
    chore_seconds: float = 60.0
    chaos: Weather | None = None


def new_webhook_secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"
