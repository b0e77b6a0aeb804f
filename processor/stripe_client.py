"""The connection to Stripe that all commands share."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import stripe
from stripe import DEFAULT_API_BASE, HTTPClient, HTTPXClient, RequestOptions, StripeClient, StripeObject

from processor.circuit import Circuit, CircuitState
from processor.http_requests import Answer, KeptConnections
from processor.stripe_http import GuardedClient
from processor.stripe_shapes import (
    Shape,
)

TIMEOUT: Final = 10.0
"""Seconds for the answer to one request."""
API_VERSION: Final = "2026-10-28.endive"
LIVE_KEYS: Final = ("sk_live_", "rk_live_")
UNKNOWN: Final = "resource_missing"
"""Stripe's code for an id that it does not know."""


CIRCUIT_THRESHOLD: Final = 20
CIRCUIT_PAUSE: Final = 5.0
MOST_AT_ONCE: Final = 100
"""Connections, too."""
OUR_KEYS: Final = ("opr_", "cus_", "gateway_")
"""How the idempotency keys begin under which we ask: for operations, for customers, and for all else."""
KEY: Final = "Idempotency-Key"
MADE_UP: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A key that the library gives a request which has none: a random UUID."""


class Named(HTTPClient):
    """Gives requests whose key the library has made up a name of ours, so that events tell who asked."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        key = headers.get(KEY)
        if key is not None and MADE_UP.fullmatch(key):
            headers = {**headers, KEY: f"gateway_{key}"}
        return await super().request_async(method, url, headers, post_data)


class NamedRequests(Named, KeptConnections):
    pass


class ProxiedRequests(Named, HTTPXClient):
    """Through the proxy that the environment names: httpx can do that."""


def is_proxied(address: str) -> bool:
    parts = urlsplit(address)
    named = getproxies().keys()
    return not named.isdisjoint({parts.scheme, "all"}) and not proxy_bypass(parts.hostname or "")


def requests_to(address: str) -> HTTPClient:
    return ProxiedRequests(timeout=TIMEOUT) if is_proxied(address) else NamedRequests(timeout=TIMEOUT)


def same(client: HTTPClient) -> HTTPClient:
    return client


class StripeConnection:
    def __init__(self, client: StripeClient, *, is_live: bool, http: GuardedClient, circuit: Circuit) -> None:
        self._client = client
        self._stripe = client.v1
        self._is_live = is_live
        self._http = http
        self._circuit = circuit

    @classmethod
    def connected(
        cls,
        secret_key: str,
        *,
        api_base: str | None = None,
        circuit: Circuit | None = None,
        most_at_once: int = MOST_AT_ONCE,
        wrap: Callable[[HTTPClient], HTTPClient] = same,
    ) -> Self:
        """
        Our own retries, deadline and idempotency keys, so the library's retries and telemetry are off.

        All requests share the circuit, and no more than `most_at_once`, at most 100, are under way. Each of
        them goes through what `wrap` makes of the client.
        """
        stripe.enable_telemetry = False
        circuit = circuit or Circuit(threshold=CIRCUIT_THRESHOLD, pause=CIRCUIT_PAUSE)
        requests = wrap(requests_to(api_base or DEFAULT_API_BASE))
        http = GuardedClient(requests, circuit, most_at_once=min(most_at_once, MOST_AT_ONCE))
        client = StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=0,
            http_client=http,
        )
        return cls(client, is_live=secret_key.startswith(LIVE_KEYS), http=http, circuit=circuit)

    async def _told(
        self, method: str, path: str, params: Mapping[str, Any], options: RequestOptions
    ) -> Shape:
        """
        The answer as Stripe's JSON has it: the library takes longer to make its objects of one than for all else.

        Raises what its other calls raise.
        """
        answer = await self._client.raw_request_async(method, path, **params, **options)
        if not isinstance(answer.data, Mapping):
            raise ValueError("Stripe's answer is no object")
        return answer.data

    async def close(self) -> None:
        await self._http.close_async()

    @property
    def is_live(self) -> bool:
        return self._is_live

    @property
    def circuit(self) -> CircuitState:
        return self._circuit.state

    @property
    def spares_stripe(self) -> bool:
        """Whether a call would be refused now; not where one would be let through and nobody has made it."""
        return not self.welcomes(1)

    def welcomes(self, commands: int) -> int:
        return self._circuit.welcomes(commands)


def under(key: str) -> RequestOptions:
    return {"idempotency_key": key}


def shape(thing: StripeObject) -> Shape:
    return thing.to_dict()
