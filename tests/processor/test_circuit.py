"""When Stripe is left alone, and when it is tried again."""

from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from processor.circuit import FORGOTTEN_AFTER, RELIEF, Circuit, CircuitIsOpen, CircuitState
from tests.clocks import MonotonicClock

PAUSE = 5.0
THRESHOLD = 8


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
def circuit(clock: MonotonicClock) -> Circuit:
    return Circuit(threshold=THRESHOLD, pause=PAUSE, clock=clock)


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        with circuit.passage() as passage:
            passage.is_well = False


def succeed(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        with circuit.passage() as passage:
            passage.is_well = True


@pytest.fixture
def opened(circuit: Circuit) -> Circuit:
    fail(circuit, THRESHOLD)
    return circuit


@pytest.fixture
def half_open(opened: Circuit, clock: MonotonicClock) -> Circuit:
    clock.seconds += PAUSE
    return opened


class TestClosedCircuit:
    def test_lets_everything_through(self, circuit: Circuit) -> None:
        assert (circuit.state, circuit.welcomes(20)) == (CircuitState.CLOSED, 20)

    def test_stays_closed_below_the_threshold(self, circuit: Circuit) -> None:
        fail(circuit, THRESHOLD - 1)

        assert circuit.state is CircuitState.CLOSED

    def test_opens_at_the_threshold(self, circuit: Circuit) -> None:
        fail(circuit, THRESHOLD)

        assert circuit.state is CircuitState.OPEN

    def test_stays_closed_where_one_in_five_is_answered(self, circuit: Circuit) -> None:
        for _ in range(50):
            fail(circuit, RELIEF)
            succeed(circuit)

        assert circuit.state is CircuitState.CLOSED

    def test_opens_where_fewer_are_answered(self, circuit: Circuit) -> None:
        for _ in range(THRESHOLD):
            with suppress(CircuitIsOpen):
                fail(circuit, RELIEF + 1)
                succeed(circuit)

        assert circuit.state is CircuitState.OPEN

    def test_forgets_failures_of_long_ago(self, circuit: Circuit, clock: MonotonicClock) -> None:
        fail(circuit, THRESHOLD - 1)
        clock.seconds += FORGOTTEN_AFTER + 1
        fail(circuit, THRESHOLD - 1)

        assert circuit.state is CircuitState.CLOSED

    def test_takes_a_request_that_tells_nothing_for_neither(self, circuit: Circuit) -> None:
        fail(circuit, THRESHOLD - 1)
        with circuit.passage():
            pass
        fail(circuit)

        assert circuit.state is CircuitState.OPEN

    def test_never_opens_without_a_threshold(self, clock: MonotonicClock) -> None:
        circuit = Circuit(threshold=0, pause=PAUSE, clock=clock)

        fail(circuit, 1_000)

        assert circuit.state is CircuitState.CLOSED


class TestOpenCircuit:
    def test_lets_nothing_through_and_tells_how_long(self, opened: Circuit, clock: MonotonicClock) -> None:
        clock.seconds += 1.5

        with pytest.raises(CircuitIsOpen) as refused:
            fail(opened)

        assert (refused.value.retry_after_seconds, opened.welcomes(20)) == (4, 0)

    def test_takes_no_notice_of_requests_that_began_before(self, circuit: Circuit) -> None:
        with circuit.passage() as earlier:
            fail(circuit, THRESHOLD)
            earlier.is_well = True

        assert circuit.state is CircuitState.OPEN

    def test_is_half_open_after_the_pause(self, half_open: Circuit) -> None:
        assert (half_open.state, half_open.welcomes(20)) == (CircuitState.HALF_OPEN, 1)


class TestHalfOpenCircuit:
    def test_lets_one_through_at_a_time(self, half_open: Circuit) -> None:
        with half_open.passage():
            with pytest.raises(CircuitIsOpen) as refused:
                succeed(half_open)
            assert half_open.welcomes(20) == 0

        assert refused.value.retry_after_seconds == PAUSE

    def test_closes_at_an_answer_and_remembers_nothing(self, half_open: Circuit) -> None:
        succeed(half_open)
        fail(half_open, THRESHOLD - 1)

        assert half_open.state is CircuitState.CLOSED

    def test_opens_for_another_pause_at_a_failure(self, half_open: Circuit, clock: MonotonicClock) -> None:
        fail(half_open)
        failed = half_open.state
        clock.seconds += PAUSE

        assert (failed, half_open.state) == (CircuitState.OPEN, CircuitState.HALF_OPEN)

    def test_lets_another_through_where_the_first_was_given_up(self, half_open: Circuit) -> None:
        with suppress(LookupError), half_open.passage():
            raise LookupError("The caller went away.")

        succeed(half_open)

        assert half_open.state is CircuitState.CLOSED


class TestLog:
    def test_tells_once_that_it_opened_and_once_that_it_closed(
        self, circuit: Circuit, clock: MonotonicClock
    ) -> None:
        with capture_logs() as logs:
            fail(circuit, THRESHOLD)
            clock.seconds += PAUSE
            fail(circuit)
            clock.seconds += PAUSE
            succeed(circuit, 2)

        assert logs == [
            {
                "event": "stripe.circuit_opened",
                "log_level": "warning",
                "failures": THRESHOLD,
                "pause_seconds": PAUSE,
            },
            {"event": "stripe.circuit_closed", "log_level": "info", "open_seconds": 2 * PAUSE},
        ]
