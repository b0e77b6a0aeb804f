from typing import Any
from uuid import UUID

import pytest

from domain.events import (
    MethodDetached,
    MethodReported,
    PaymentReported,
    ProcessorEvent,
    SetupReported,
    Unhandled,
)
from domain.outcome import NextActionKind
from domain.payment_method import PaymentMethodType, SetupStatus
from domain.payment_status import PaymentStatus
from processor.stripe_events import StripeNews
from processor.stripe_shapes import (
    decline_of,
    method_facts,
    next_action_of,
    our_id,
    outcome_of_intent,
    setup_facts,
)
from tests.domain.values import inbox_event, stripe_event

OURS = UUID(int=7)


def read(name: str, **changes: Any) -> ProcessorEvent:
    return StripeNews([]).read(inbox_event(stripe_event(name, **changes)))


def intent(**known: Any) -> dict[str, Any]:
    return {"id": "pi_1", "status": "succeeded", **known}


class TestEvents:
    def test_name_our_payment(self) -> None:
        for name in ("payment_intent.succeeded", "charge.succeeded"):
            news = read(name, metadata={"payment_id": str(OURS)})
            assert isinstance(news, PaymentReported)
            assert (news.payment_id, news.processor_payment_id) == (OURS, "pi_SampleIntent000000001")
            assert news.outcome.event_id == stripe_event(name)["id"]

    @pytest.mark.parametrize(
        "name",
        [
            "charge.failed",
            "unknown.future_type",
        ],
    )
    def test_that_prove_nothing_of_a_payment_are_kept_only(self, name: str) -> None:
        assert isinstance(read(name), Unhandled)

    @pytest.mark.parametrize(
        "changes", [{"status": "pending"}, {"status": "failed"}, {"payment_intent": None}]
    )
    def test_of_charges_that_did_not_succeed_for_an_intent_are_kept_only(
        self, changes: dict[str, str | None]
    ) -> None:
        assert isinstance(read("charge.updated", **changes), Unhandled)

    def test_of_an_expanded_intent_name_it_too(self) -> None:
        news = read("charge.succeeded", payment_intent={"id": "pi_9", "object": "payment_intent"})

        assert isinstance(news, PaymentReported)
        assert (news.processor_payment_id, news.outcome.processor_payment_id) == ("pi_9", "pi_9")

    def test_of_methods(self) -> None:
        attached, detached = read("payment_method.attached"), read("payment_method.detached")

        assert isinstance(attached, MethodReported)
        assert attached.customer_id == "cus_SampleCust0001"
        assert isinstance(detached, MethodDetached)
        assert isinstance(read("payment_method.updated", customer=None), Unhandled)

    def test_of_set_ups(self) -> None:
        news = read("setup_intent.succeeded", metadata={"setup_id": str(OURS)})

        assert isinstance(news, SetupReported)
        assert (news.setup_id, news.facts.status) == (OURS, SetupStatus.SUCCEEDED)


class TestOutcome:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("requires_payment_method", PaymentStatus.PENDING),
            ("requires_confirmation", PaymentStatus.PENDING),
            ("requires_action", PaymentStatus.REQUIRES_ACTION),
            ("processing", PaymentStatus.PROCESSING),
            ("requires_capture", PaymentStatus.AUTHORIZED),
            ("canceled", PaymentStatus.CANCELLED),
            ("succeeded", PaymentStatus.COMPLETED),
            ("invented_tomorrow", PaymentStatus.PENDING),
        ],
    )
    def test_has_the_status_of_the_intent(self, status: str, expected: PaymentStatus) -> None:
        assert outcome_of_intent(intent(status=status)).status is expected

    def test_of_a_refused_attempt_tells_the_card_and_the_reason(self) -> None:
        error = {
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "advice_code": "try_again_later",
            "charge": "ch_1",
            "payment_method": {"type": "card", "card": {"brand": "visa", "last4": "9995"}},
        }

        outcome = outcome_of_intent(intent(status="requires_payment_method", last_payment_error=error))

        assert outcome.status is PaymentStatus.FAILED
        assert outcome.decline is not None
        assert (outcome.decline.code, outcome.decline.network_advice) == (
            "insufficient_funds",
            "try_again_later",
        )
        assert outcome.snapshot is not None
        assert (outcome.charge_id, outcome.snapshot.last4) == ("ch_1", "9995")

    def test_takes_receipt_and_card_from_the_expanded_charge(self) -> None:
        charge = {
            "id": "ch_1",
            "receipt_url": "https://pay.stripe.com/receipts/1",
            "payment_method_details": {
                "type": "card",
                "card": {"last4": "4242", "wallet": {"type": "apple_pay"}},
            },
        }

        outcome = outcome_of_intent(intent(latest_charge=charge, amount_received=450))

        assert outcome.snapshot is not None
        assert (outcome.charge_id, outcome.receipt_url) == ("ch_1", charge["receipt_url"])
        assert (outcome.snapshot.last4, outcome.snapshot.wallet) == ("4242", "apple_pay")
        assert (outcome.authorized_amount, outcome.captured_amount) == (450, 450)

    def test_has_a_decline_even_where_stripe_gives_no_code(self) -> None:
        assert decline_of({}).code == "generic_decline"
        assert decline_of({"code": "expired_card"}).code == "expired_card"
        assert decline_of({"code": 17, "advice_code": "a\0b"}).network_advice == "ab"


class TestMethodFacts:
    @pytest.mark.parametrize(
        ("type_", "part", "expected", "brand"),
        [
            ("card", {"brand": "visa", "last4": "4242"}, PaymentMethodType.CARD, "visa"),
            ("us_bank_account", {"bank_name": "TD", "last4": "6789"}, PaymentMethodType.BANK_ACCOUNT, "TD"),
            ("sepa_debit", {"last4": "3000"}, PaymentMethodType.SEPA_DEBIT, None),
            ("link", {"email": "a@example.com"}, PaymentMethodType.LINK, None),
            ("invented_tomorrow", None, PaymentMethodType.OTHER, None),
        ],
    )
    def test_of_every_type(
        self, type_: str, part: dict[str, str] | None, expected: PaymentMethodType, brand: str | None
    ) -> None:
        facts = method_facts({"id": "pm_1", "type": type_, type_: part})

        assert (facts.type, facts.brand) == (expected, brand)
        assert facts.last4 == (part or {}).get("last4")


class TestNextAction:
    def test_is_a_redirect_where_there_is_somewhere_to_go(self) -> None:
        action = next_action_of(
            intent(
                status="requires_action",
                client_secret="pi_1_secret",
                next_action={"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank"}},
            )
        )

        assert action is not None
        assert (action.kind, action.redirect_url) == (NextActionKind.REDIRECT, "https://bank")
        assert "pi_1_secret" not in repr(action)

    def test_is_a_look_at_the_bank_account_for_micro_deposits(self) -> None:
        details = {"hosted_verification_url": "https://verify"}
        action = next_action_of(
            intent(
                status="requires_action",
                next_action={"type": "verify_with_microdeposits", "verify_with_microdeposits": details},
            )
        )

        assert action is not None
        assert (action.kind, action.redirect_url) == (NextActionKind.VERIFY_MICRODEPOSITS, "https://verify")

    def test_is_the_sdk_for_what_nobody_has_heard_of_and_for_confirmations(self) -> None:
        unknown = next_action_of(intent(status="requires_action", next_action={"type": "dance"}))
        waiting = next_action_of(intent(status="requires_payment_method", client_secret="s"))

        assert unknown is not None
        assert waiting is not None
        assert {unknown.kind, waiting.kind} == {NextActionKind.USE_STRIPE_SDK}

    def test_is_none_where_nothing_is_left_to_do(self) -> None:
        assert next_action_of(intent()) is None
        assert next_action_of(intent(status="processing", next_action=None)) is None


class TestOurIds:
    @pytest.mark.parametrize(
        "metadata", [None, {}, {"payment_id": ""}, {"payment_id": "x"}, {"payment_id": 7}]
    )
    def test_that_are_none_are_none(self, metadata: dict[str, object] | None) -> None:
        assert our_id({"metadata": metadata}, "payment_id") is None

    def test_unknown_states_of_a_set_up_ask_for_a_method(self) -> None:
        facts = setup_facts(
            {"id": "seti_1", "status": "invented_tomorrow", "last_setup_error": {"code": "x"}}
        )

        assert facts.status is SetupStatus.REQUIRES_METHOD
        assert facts.decline is not None
