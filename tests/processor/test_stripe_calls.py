"""No, or not known: what every failure of a call means."""

import asyncio
import re
import time
from typing import Any

import pytest
import stripe

from domain.errors import ProcessorRefused, ProcessorUnavailable, Verdict
from domain.payment import Payment
from processor import stripe_calls
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.domain.faults import KINDS, spoil
from tests.domain.values import OWNER
from tests.processor.charging import charge, like
from tests.processor.conftest import Request


class TestFaults:
    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("kind", KINDS)
    async def test_that_last_leave_the_outcome_open(
        self,
        processor: StripeProcessor,
        payment: Payment,
        sandbox: Sandbox,
        kind: Kind,
        requests: list[Request],
    ) -> None:
        spoil(sandbox, "/payment_intents$", kind)
        requests.clear()

        with pytest.raises(ProcessorUnavailable):
            await charge(processor, payment)

        assert {headers["Idempotency-Key"] for _, _, headers in requests} == {"key-1"}

    async def test_that_hang_end_at_the_deadline(
        self, processor: StripeProcessor, payment: Payment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stripe_calls, "DEADLINE", 0.25)
        spoil(sandbox, "/payment_intents$", Kind.HANG_BEFORE)
        began = time.monotonic()

        with pytest.raises(ProcessorUnavailable):
            await charge(processor, payment)

        sandbox.faults.release()
        assert time.monotonic() - began < 2

    @pytest.mark.usefixtures("impatient")
    async def test_are_tried_again_a_bounded_number_of_times(
        self, processor: StripeProcessor, payment: Payment, sandbox: Sandbox, requests: list[Request]
    ) -> None:
        spoil(sandbox, "/payment_intents$", Kind.RATE_LIMIT)
        requests.clear()

        with pytest.raises(ProcessorUnavailable):
            await charge(processor, payment)

        assert len(requests) == 4

    async def test_key_in_use_is_waited_for_however_long_its_answer_takes(
        self, processor: StripeProcessor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.01)
        sandbox.faults.add([Rule(path=re.compile("/customers$"), kind=Kind.DELAY, seconds=0.3)])

        customers = await asyncio.gather(
            *(processor.create_customer(OWNER, key="cus-slow") for _ in range(5))
        )

        assert len(set(customers)) == 1

    async def test_key_in_use_is_waited_for_until_the_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(stripe_calls, "DEADLINE", 0.2)

        async def send() -> None:
            raise stripe.APIError("?", http_status=409, json_body=words(code="idempotency_key_in_use"))

        with pytest.raises(ProcessorUnavailable):
            await stripe_calls.call(send)

    async def test_key_of_another_request_is_no_definite_answer(
        self, processor: StripeProcessor, payment: Payment
    ) -> None:
        await charge(processor, payment)

        with pytest.raises(ProcessorUnavailable):
            await charge(processor, like(payment, amount=9_900))

    async def test_wrong_secret_key_is_a_definite_no(
        self, sandbox: Sandbox, processor: StripeProcessor
    ) -> None:
        base = str(processor._stripe._requestor.base_addresses["api"])
        stranger = StripeProcessor.connected("sk_test_wrong", api_base=base)

        with pytest.raises(ProcessorRefused) as refused:
            await stranger.create_customer(OWNER, key="cus-key-2")

        await stranger.close()
        assert "sk_test_wrong" not in str(refused.value)


def words(**error: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": "No.", **error}}


def refusal(*, status: int, body: Any, code: str | None = None) -> stripe.InvalidRequestError:
    return stripe.InvalidRequestError(  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.
        "No.", param=None, code=code, http_status=status, json_body=body
    )


NO_CONNECTION = stripe.APIConnectionError("?")  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.
ANSWERS: dict[str, tuple[Exception, type[Verdict]]] = {
    "a refusal": (
        refusal(status=400, body=words(code="amount_too_small")),
        ProcessorRefused,
    ),
    "an unknown object": (
        refusal(status=404, body=words()),
        ProcessorRefused,
    ),
    "a page of somebody in between": (
        refusal(status=404, body=None),
        ProcessorUnavailable,
    ),
    "JSON of somebody in between": (
        stripe.APIError("?", http_status=403, json_body=["forbidden"]),
        ProcessorUnavailable,
    ),
    "a key of another request": (
        stripe.IdempotencyError("No.", http_status=400, json_body=words()),
        ProcessorUnavailable,
    ),
    "half an answer": (stripe.APIError("?", http_status=200, json_body=None), ProcessorUnavailable),
    "a status of tomorrow": (stripe.APIError("?", http_status=418, json_body=words()), ProcessorUnavailable),
    "no connection": (NO_CONNECTION, ProcessorUnavailable),
    "a broken stream": (ConnectionResetError("?"), ProcessorUnavailable),
    "an unreadable answer": (ValueError("?"), ProcessorUnavailable),
}


class TestVerdict:
    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(("answer", "verdict"), ANSWERS.values(), ids=ANSWERS.keys())
    async def test_is_a_no_only_where_stripe_itself_says_so(
        self, answer: Exception, verdict: type[Verdict]
    ) -> None:
        async def send() -> None:
            raise answer

        with pytest.raises(verdict):
            await stripe_calls.call(send)

    async def test_of_a_refusal_tells_stripes_reason_and_the_payments_state(self) -> None:
        body = words(code="payment_intent_unexpected_state")
        body["error"]["payment_intent"] = {"id": "pi_1", "status": "succeeded", "amount_received": 450}

        async def send() -> None:
            raise refusal(status=400, body=body, code="payment_intent_unexpected_state")

        with pytest.raises(ProcessorRefused) as refused:
            await stripe_calls.call(send)

        assert refused.value.reason == "payment_intent_unexpected_state"
        assert refused.value.outcome is not None
        assert refused.value.outcome.captured_amount == 450

    async def test_of_a_mistake_of_ours_is_not_hidden(self) -> None:
        async def send() -> None:
            raise LookupError("ours")

        with pytest.raises(LookupError):
            await stripe_calls.call(send)


def rate_limited(retry_after: str) -> stripe.RateLimitError:
    return stripe.RateLimitError(
        "Slow down.",
        http_status=429,
        json_body=words(code="rate_limit"),
        headers={"Retry-After": retry_after},
    )


class TestStripesAdvice:
    @pytest.mark.parametrize(
        ("told", "seconds"), [("12", 12), ("600", 60), ("soon", 5), ("-1", 5), ("", 5), ("9" * 30, 5)]
    )
    @pytest.mark.usefixtures("impatient")
    async def test_when_to_come_back_is_passed_on_within_reason(self, told: str, seconds: int) -> None:
        async def send() -> None:
            raise rate_limited(told)

        with pytest.raises(ProcessorUnavailable) as unavailable:
            await stripe_calls.call(send)

        assert unavailable.value.retry_after_seconds == seconds

    async def test_to_come_back_later_than_the_caller_can_wait_is_taken(self) -> None:
        sent = 0

        async def send() -> None:
            nonlocal sent
            sent += 1
            raise rate_limited("20")

        with pytest.raises(ProcessorUnavailable):
            await stripe_calls.call(send)

        assert sent == 1

    async def test_to_come_back_in_a_second_is_taken(self) -> None:
        began, answers = time.monotonic(), [rate_limited("1")]

        async def send() -> str:
            if answers:
                raise answers.pop()
            return "done"

        assert await stripe_calls.call(send) == "done"
        assert time.monotonic() - began >= 1

    async def test_that_an_error_is_stored_makes_another_attempt_needless(self) -> None:
        sent = 0

        async def send() -> None:
            nonlocal sent
            sent += 1
            raise stripe.APIError("?", http_status=500, headers={"Stripe-Should-Retry": "false"})

        with pytest.raises(ProcessorUnavailable):
            await stripe_calls.call(send)

        assert sent == 1
