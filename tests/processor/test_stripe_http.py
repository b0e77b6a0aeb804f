"""What counts as a failure of Stripe's, what is spared it, and how much it is asked at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from domain.errors import DomainError, ProcessorUnavailable
from domain.payment import Payment
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from processor import stripe_calls, stripe_client, stripe_http
from processor.circuit import Circuit, CircuitState
from processor.stripe_client import NamedRequests
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.domain.faults import spoil
from tests.domain.values import OWNER
from tests.parts import RunningSandbox
from tests.processor.charging import charge, like
from tests.processor.conftest import Request

PAUSE = 7.0
CUSTOMERS = "/customers$"
UNWELL = [
    Kind.ERROR_BEFORE,
    Kind.RESET_BEFORE,
    Kind.RESET_AFTER,
    Kind.HALF_BODY,
    Kind.HTML,
    Kind.HANG_BEFORE,
    Kind.HANG_AFTER,
]
BUSY = [Kind.RATE_LIMIT, Kind.LOCK_TIMEOUT]

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
async def fragile(
    requests: list[Request], running_sandbox: RunningSandbox, impatient: None
) -> AsyncIterator[StripeProcessor]:
    """Four failures in a row, which is one call in vain, are enough."""
    circuit = Circuit(threshold=4, pause=PAUSE)
    processor = StripeProcessor.connected(
        DEVELOPMENT_STRIPE_KEY, api_base=running_sandbox.url, circuit=circuit
    )
    yield processor
    await processor.close()


async def fail(processor: StripeProcessor, key: str = "cus-key-1") -> None:
    with pytest.raises(ProcessorUnavailable):
        await processor.create_customer(OWNER, key=key)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, impatient: None) -> None:
    """Answers that keep the connection alive and do not come to their end."""
    monkeypatch.setattr(stripe_client, "TIMEOUT", 10)
    monkeypatch.setattr(stripe_calls, "DEADLINE", 1.5)
    monkeypatch.setattr(stripe_http, "LONGEST_REQUEST", 0.1)
    spoil(sandbox, CUSTOMERS, Kind.HANG_BEFORE)


class TestCircuit:
    @pytest.mark.parametrize("kind", UNWELL)
    async def test_opens_where_stripe_does_not_answer_or_fails(
        self, fragile: StripeProcessor, sandbox: Sandbox, kind: Kind
    ) -> None:
        spoil(sandbox, CUSTOMERS, kind)

        await fail(fragile)

        assert fragile.circuit is CircuitState.OPEN

    @pytest.mark.parametrize("kind", BUSY)
    async def test_stays_closed_where_stripe_is_only_busy(
        self, fragile: StripeProcessor, sandbox: Sandbox, kind: Kind
    ) -> None:
        spoil(sandbox, CUSTOMERS, kind)

        for _ in range(3):
            await fail(fragile)

        assert fragile.circuit is CircuitState.CLOSED

    async def test_stays_closed_where_stripe_repeats_an_error_that_it_has_stored(
        self, fragile: StripeProcessor, processor: StripeProcessor, payment: Payment, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/payment_intents$", Kind.ERROR_AFTER, times=1)

        for _ in range(8):
            with pytest.raises(ProcessorUnavailable):
                await charge(fragile, payment)

        assert fragile.circuit is CircuitState.CLOSED

    async def test_stays_closed_at_refusals(self, fragile: StripeProcessor, payment: Payment) -> None:
        refused = like(payment, processor_customer_id="cus_nobody")

        for _ in range(8):
            with suppress(DomainError):
                await charge(fragile, refused)

        assert fragile.circuit is CircuitState.CLOSED

    async def test_that_is_open_spares_stripe_and_tells_when_to_come_back(
        self, fragile: StripeProcessor, sandbox: Sandbox, requests: list[Request]
    ) -> None:
        spoil(sandbox, CUSTOMERS, Kind.RESET_BEFORE)
        await fail(fragile)
        requests.clear()

        with pytest.raises(ProcessorUnavailable) as spared:
            await fragile.find_method("pm_card_visa")

        assert (spared.value.was_asked, spared.value.retry_after_seconds) == (False, PAUSE)
        assert requests == []

    async def test_that_nobody_tries_after_the_pause_spares_stripe_no_more(self) -> None:
        seconds = 0.0
        circuit = Circuit(threshold=1, pause=PAUSE, clock=lambda: seconds)
        processor = StripeProcessor.connected(DEVELOPMENT_STRIPE_KEY, circuit=circuit)
        with circuit.passage() as failed:
            failed.is_well = False
        is_spared = processor.spares_stripe
        seconds = PAUSE
        is_spared_later = processor.spares_stripe
        with circuit.passage():
            is_spared_meanwhile = processor.spares_stripe

        await processor.close()
        assert (is_spared, is_spared_later, is_spared_meanwhile) == (True, False, True)

    async def test_that_opens_during_a_call_ends_it(
        self, fragile: StripeProcessor, sandbox: Sandbox, requests: list[Request]
    ) -> None:
        spoil(sandbox, CUSTOMERS, Kind.RESET_AFTER)
        requests.clear()

        failures = await asyncio.gather(
            *(fragile.create_customer(OWNER, key="cus-key-1") for _ in range(8)), return_exceptions=True
        )

        assert {type(failure) for failure in failures} == {ProcessorUnavailable}
        assert len(requests) == 8

    async def test_opens_where_answers_do_not_end_though_each_byte_comes_in_time(
        self, endless: None, fragile: StripeProcessor
    ) -> None:
        await fail(fragile)

        assert fragile.circuit is CircuitState.OPEN

    async def test_whose_probe_does_not_end_opens_for_another_pause(
        self, running_sandbox: RunningSandbox, endless: None
    ) -> None:
        seconds = 0.0
        circuit = Circuit(threshold=1, pause=PAUSE, clock=lambda: seconds)
        with circuit.passage() as failed:
            failed.is_well = False
        seconds = PAUSE
        processor = StripeProcessor.connected(
            DEVELOPMENT_STRIPE_KEY, api_base=running_sandbox.url, circuit=circuit
        )

        await fail(processor)

        await processor.close()
        assert circuit.state is CircuitState.OPEN


class CountingClient(NamedRequests):
    """The client of every request, which counts how many requests were under way at once."""

    under_way = 0
    most = 0

    async def request_async(  # type: ignore[no-untyped-def]  # The parameters are those of the untyped method of stripe.
        self, method, url, headers, post_data=None
    ):
        CountingClient.under_way += 1
        CountingClient.most = max(CountingClient.most, CountingClient.under_way)
        try:
            return await super().request_async(method, url, headers, post_data)
        finally:
            CountingClient.under_way -= 1


class TestManyRequestsAtOnce:
    @pytest.fixture
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> type[CountingClient]:
        monkeypatch.setattr(CountingClient, "most", 0)
        monkeypatch.setattr(stripe_client, "NamedRequests", CountingClient)
        return CountingClient

    async def test_are_sent_in_turns(
        self, counted: type[CountingClient], running_sandbox: RunningSandbox
    ) -> None:
        processor = StripeProcessor.connected(
            DEVELOPMENT_STRIPE_KEY, api_base=running_sandbox.url, most_at_once=2
        )

        await asyncio.gather(*(processor.create_customer(OWNER, key=f"cus-key-{n}") for n in range(8)))

        await processor.close()
        assert counted.most == 2

    async def test_wait_for_their_turn_and_not_for_a_connection_which_would_be_a_failure(
        self,
        monkeypatch: pytest.MonkeyPatch,
        counted: type[CountingClient],
        running_sandbox: RunningSandbox,
    ) -> None:
        monkeypatch.setattr(stripe_client, "TIMEOUT", 10.0)
        slow = Rule(path=re.compile(CUSTOMERS), kind=Kind.DELAY, times=None, seconds=0.3)
        running_sandbox.sandbox.faults.add([slow])
        processor = StripeProcessor.connected(DEVELOPMENT_STRIPE_KEY, api_base=running_sandbox.url)

        await asyncio.gather(*(processor.create_customer(OWNER, key=f"cus-key-{n}") for n in range(120)))

        await processor.close()
        assert (counted.most, processor.circuit) == (100, CircuitState.CLOSED)
