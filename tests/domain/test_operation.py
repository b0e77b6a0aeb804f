from dataclasses import replace
from datetime import timedelta

import pytest

from domain.arguments import decoded, encoded, kept
from domain.commands.catalogue import COMMANDS
from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment, CapturePayment
from domain.decline import Decline
from domain.errors import (
    Declined,
    ErrorCode,
    ProcessorRefused,
    ProcessorUnavailable,
    Retry,
    Verdict,
    remembered,
)
from domain.identity import new_id
from domain.json_value import JsonValue
from domain.money import Money
from domain.operation import Operation, OperationState, checked_key, fingerprint_of
from domain.payment_status import CaptureMethod
from tests.domain.values import NOON, an_operation

VERDICTS: list[Verdict] = [
    Declined(Decline(code="insufficient_funds", network_advice="try_again_later")),
    Declined(Decline(code="lost_card")),
    ProcessorRefused("No.", reason="resource_missing"),
    ProcessorUnavailable(retry_after_seconds=7),
]
COMMAND = CreatePayment(
    amount=Money(minor=450, currency="EUR"),
    payment_method_id=new_id(),
    is_confirmed=False,
    capture_method=CaptureMethod.MANUAL,
    description="Espresso for Ada",
    details={"order": {"id": 17, "tags": ["a", None, True, 1.5]}},
    return_url="https://coffee.example/thanks",
    owner=new_id(),
)


@pytest.fixture
def operation() -> Operation:
    return an_operation(key="coffee-17")


class TestOperation:
    def test_is_worked_on_until_its_lease_is_over(self, operation: Operation) -> None:
        assert operation.is_worked_on_at(NOON)
        assert not operation.is_worked_on_at(NOON + timedelta(seconds=30))

    def test_whose_outcome_is_unknown_may_be_taken_over_at_once(self, operation: Operation) -> None:
        left = operation.left_open(ProcessorUnavailable(), at=NOON)

        assert (left.state, left.has_ended) == (OperationState.OUTCOME_UNKNOWN, False)
        assert not left.is_worked_on_at(NOON)
        taken = left.leased(NOON + timedelta(seconds=60))
        assert (taken.attempts, taken.state) == (2, OperationState.RUNNING)
        assert taken.is_worked_on_at(NOON)

    @pytest.mark.parametrize(("attempts", "told", "pause"), [(1, 1, 2), (1, 5, 5), (6, 5, 64), (100, 5, 900)])
    def test_is_left_alone_for_as_long_as_its_caller_is_told(
        self, operation: Operation, attempts: int, told: int, pause: int
    ) -> None:
        tried = replace(operation, attempts=attempts)

        left = tried.left_open(ProcessorUnavailable(retry_after_seconds=told), at=NOON)

        assert left.leased_until == NOON + timedelta(seconds=pause)
        assert isinstance(left.verdict, ProcessorUnavailable)
        assert left.verdict.retry_after_seconds == pause

    def test_that_the_processor_was_spared_has_not_been_tried(self, operation: Operation) -> None:
        tried = replace(operation, attempts=9)

        left = tried.leased(NOON).left_open(
            ProcessorUnavailable(retry_after_seconds=3, was_asked=False), at=NOON
        )

        assert (left.attempts, left.leased_until) == (9, NOON + timedelta(seconds=3))

    def test_that_was_cut_off_goes_on_soon_under_a_new_attempt(self, operation: Operation) -> None:
        tried = replace(operation, attempts=12)

        handed_over = tried.handed_over(at=NOON)

        assert (handed_over.state, handed_over.attempts) == (OperationState.OUTCOME_UNKNOWN, 12)
        assert handed_over.leased_until == NOON + timedelta(seconds=2)

    def test_speaks_to_the_processor_under_a_key_of_ours(self, operation: Operation) -> None:
        again = operation.leased(NOON)

        assert operation.key not in operation.processor_key
        assert again.processor_key == operation.processor_key
        assert again.attempt_key != operation.attempt_key
        assert str(operation.id.hex) in again.attempt_key

    def test_that_made_nothing_is_about_nothing(self, operation: Operation) -> None:
        with pytest.raises(ValueError, match="about no object"):
            _ = operation.subject

    @pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: type(verdict).__name__)
    def test_remembers_its_verdict(self, operation: Operation, verdict: Verdict) -> None:
        ended = operation.ended(object_id=operation.id, verdict=verdict, at=NOON)

        assert (ended.state, ended.finished_at, ended.leased_until) == (OperationState.FAILED, NOON, None)
        said = ended.verdict
        assert said is not None
        assert (type(said), said.code, said.message, said.retry) == (
            type(verdict),
            verdict.code,
            verdict.message,
            verdict.retry,
        )
        assert said.record() == verdict.record()

    def test_without_bad_news_has_succeeded(self, operation: Operation) -> None:
        ended = operation.ended(object_id=None, verdict=None, at=NOON)

        assert (ended.state, ended.verdict, ended.object_id) == (OperationState.SUCCEEDED, None, None)

    def test_does_not_guess_at_a_verdict_that_is_none_of_ours(self, operation: Operation) -> None:
        with pytest.raises(ValueError, match="none of ours"):
            _ = replace(operation, error={"code": "SUNSPOTS", "message": "?"}).verdict

    def test_hard_declines_are_not_to_be_retried(self) -> None:
        advice = {code: Declined(Decline(code=code)).retry for code in ("insufficient_funds", "lost_card")}

        assert advice == {"insufficient_funds": Retry.AFTER_CUSTOMER_ACTION, "lost_card": Retry.NEVER}


class TestFingerprint:
    def test_tells_fields_apart_without_keeping_their_values(self) -> None:
        first = fingerprint_of(encoded(COMMAND))
        second = fingerprint_of(encoded(replace(COMMAND, description="Espresso for Bob", owner=None)))

        differing = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
        assert differing == {"description", "owner"}
        assert "Espresso" not in str(first)

    def test_ignores_the_order_of_keys(self) -> None:
        one: dict[str, JsonValue] = {"a": 1, "b": {"c": 2, "d": 3}}
        two: dict[str, JsonValue] = {"b": {"d": 3, "c": 2}, "a": 1}

        assert fingerprint_of({"details": one}) == fingerprint_of({"details": two})
        assert fingerprint_of({"details": one}) != fingerprint_of({"details": {**one, "a": "1"}})


class TestKey:
    @pytest.mark.parametrize("key", ["12345678", "x" * 255, "order 17 / try #1"])
    def test_in_bounds_is_itself(self, key: str) -> None:
        assert checked_key(key) == key


class TestArguments:
    def test_of_a_command_come_back_without_its_free_text(self) -> None:
        resumed = decoded(CreatePayment, kept(COMMAND))

        assert resumed == replace(COMMAND, description=None, details={})

    def test_of_a_capture_come_back_with_its_amount(self) -> None:
        for amount in (None, Money(minor=100, currency="EUR")):
            command = CapturePayment(payment_id=new_id(), amount=amount)
            assert decoded(CapturePayment, kept(command)) == command

    def test_of_a_cancellation_keep_no_reason(self) -> None:
        command = CancelPayment(payment_id=new_id(), reason="Ada changed her mind")

        assert "Ada" not in str(kept(command))

    def test_cannot_hold_what_json_cannot(self) -> None:
        with pytest.raises(TypeError, match="object"):
            encoded(CreatePayment(amount=object()))  # type: ignore[arg-type]  # That is the point.

    def test_every_command_is_found_by_the_name_that_its_operation_keeps(self) -> None:
        assert {name: command.mutation for name, command in COMMANDS.items()} == {
            name: name for name in COMMANDS
        }
        assert len(COMMANDS) == 24


class TestErrors:
    def test_every_verdict_has_a_code_that_is_remembered(self) -> None:
        assert {remembered(verdict.record()).code for verdict in VERDICTS} == {
            ErrorCode.DECLINED,
            ErrorCode.PROVIDER_REFUSED,
            ErrorCode.PROVIDER_UNAVAILABLE,
        }
