"""The connection to Stripe that all commands share."""

import re
from collections.abc import Mapping
from typing import Any, Final, Self

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


OUR_KEYS: Final = ("opr_", "cus_", "gateway_")
"""How the idempotency keys begin under which we ask: for operations, for customers, and for all else."""
KEY: Final = "Idempotency-Key"
MADE_UP: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A key that the library gives a request which has none: a random UUID."""


class NamedRequests(HTTPXClient):
    """Gives requests whose key the library has made up a name of ours, so that events tell who asked."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        key = headers.get(KEY)
        if key is not None and MADE_UP.fullmatch(key):
            headers = {**headers, KEY: f"gateway_{key}"}
        return await super().request_async(method, url, headers, post_data)


class StripeConnection:
    def __init__(self, client: StripeClient, *, is_live: bool, http: HTTPClient) -> None:
        self._stripe = client.v1
        self._is_live = is_live
        self._http = http

    @classmethod
    def connected(cls, secret_key: str, *, api_base: str | None = None) -> Self:
        """Our own retries, deadline and idempotency keys, so the library's retries and telemetry are off."""
        stripe.enable_telemetry = False
        http = NamedRequests(timeout=TIMEOUT)
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
