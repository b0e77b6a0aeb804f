"""Every request to Stripe passes here: through the circuit breaker, and only so many at once."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import stripe
from stripe import HTTPClient

from processor.circuit import Circuit
from processor.http_requests import Answer

SERVER_ERROR: Final = 500
LONGEST_REQUEST: Final = 15.0
"""Seconds for the whole of an answer, which is within a call's deadline, whatever the client itself bounds."""
REPLAYED: Final = "idempotent-replayed"
"""Told with an answer that was stored under the key: https://docs.stripe.com/api/idempotent_requests"""


class GuardedClient(HTTPClient):
    """
    Raises CircuitIsOpen while Stripe is unwell; else waits until fewer than `most_at_once` requests are under way.

    The bound keeps below that of the connection pool, where a request that waits too long fails as if Stripe had.
    """

    name = "guarded"

    def __init__(self, client: HTTPClient, circuit: Circuit, *, most_at_once: int) -> None:
        super().__init__()
        self._client = client
        self._circuit = circuit
        self._turns = asyncio.Semaphore(most_at_once)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        """The circuit may open while a request waits for its turn, so it is looked at before and after."""
        self._circuit.must_welcome()
        async with self._turns:
            return await self._sent(method, url, headers, post_data)

    async def close_async(self) -> None:
        await self._client.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    async def _sent(self, method: str, url: str, headers: Mapping[str, str], post_data: Any) -> Answer:
        with self._circuit.passage() as passage:
            try:
                answer = await self._answer(method, url, headers, post_data)
            except stripe.APIConnectionError:
                passage.is_well = False
                raise
            passage.is_well = is_well(*answer)
            return answer

    async def _answer(self, method: str, url: str, headers: Mapping[str, str], post_data: Any) -> Answer:
        """Raises APIConnectionError also where the answer has not ended in time, though its bytes trickle in."""
        try:
            async with asyncio.timeout(LONGEST_REQUEST):
                return await self._client.request_async(method, url, headers, post_data)
        except TimeoutError as endless:
            why = "The answer did not end in time."
            raise stripe.APIConnectionError(why) from endless  # type: ignore[no-untyped-call]  # stripe leaves it so.


def is_well(_: object, status: int, headers: Mapping[str, str]) -> bool:
    """Whoever refuses is well, and so is whoever repeats an error that was stored."""
    return status < SERVER_ERROR or is_replay(headers)


def is_replay(headers: Mapping[str, str]) -> bool:
    return header(headers, REPLAYED) == "true"


def header(headers: Mapping[str, str], name: str) -> str | None:
    """Whatever the case: the library passes on some mappings that heed it."""
    return next((value for each, value in headers.items() if each.lower() == name), None)
