"""The connection to Stripe that all commands share."""

from typing import Final, Self

import stripe
from stripe import HTTPClient, HTTPXClient, RequestOptions, StripeClient, StripeObject

from processor.stripe_calls import TIMEOUT
from processor.stripe_shapes import (
    Shape,
)

API_VERSION: Final = "2026-10-28.endive"
LIVE_KEYS: Final = ("sk_live_", "rk_live_")
UNKNOWN: Final = "resource_missing"
"""Stripe's code for an id that it does not know."""


class StripeConnection:
    def __init__(self, client: StripeClient, *, is_live: bool, http: HTTPClient) -> None:
        self._stripe = client.v1
        self._is_live = is_live
        self._http = http

    @classmethod
    def connected(cls, secret_key: str, *, api_base: str | None = None) -> Self:
        """Our own retries, deadline and idempotency keys, so the library's retries and telemetry are off."""
        stripe.enable_telemetry = False
        http = HTTPXClient(timeout=TIMEOUT)
        client = StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=0,
            http_client=http,
        )
        return cls(client, is_live=secret_key.startswith(LIVE_KEYS), http=http)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    @property
    def is_live(self) -> bool:
        return self._is_live


def under(key: str) -> RequestOptions:
    return {"idempotency_key": key}


def shape(thing: StripeObject) -> Shape:
    return thing.to_dict()
