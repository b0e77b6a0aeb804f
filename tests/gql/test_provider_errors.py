"""Declines, refusals and silence of the payment provider."""

import re
from typing import Any

import pytest

from gateway.wiring import Gateway
from processor.circuit import CircuitState
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.api import EURO, Api, fresh_key

COMMON = "code message path retry"


def creation(**given: Any) -> dict[str, Any]:
    return {"idempotencyKey": fresh_key(), "charge": EURO, **given}


def spoilt(kind: Kind, *, times: int | None = None, seconds: float = 0) -> Rule:
    return Rule(path=re.compile("/payment_intents$"), kind=kind, method="POST", times=times, seconds=seconds)


class TestDeclinedError:
    async def test_comes_with_the_failed_payment(self, api: Api) -> None:
        card = await api.add_card("pm_card_chargeCustomerFail")
        decline = "code category networkAdvice fixableBy customerMessage retryable"

        payload = await api.mutate(
            "createPayment",
            creation(paymentMethodId=card),
            f"payment {{ status decline {{ {decline} }} actions capturedAmount {{ minor }} }} operation {{ state }}"
            f" errors {{ {COMMON} ... on DeclinedError {{ decline {{ {decline} }} }} }}",
        )

        [error] = payload["errors"]
        assert payload["operation"] == {"state": "FAILED"}
        assert payload["payment"]["status"] == "FAILED"
        assert payload["payment"]["actions"] == ["RETRY", "CANCEL"]
        assert payload["payment"]["capturedAmount"] == {"minor": 0}
        assert payload["payment"]["decline"] == error["decline"]
        assert (error["code"], error["path"]) == ("DECLINED", [])
        assert error["retry"] == ("AFTER_CUSTOMER_ACTION" if error["decline"]["retryable"] else "NEVER")
        assert error["message"] == error["decline"]["customerMessage"]

    async def test_is_told_again_by_a_replay(self, api: Api, sandbox: Sandbox) -> None:
        given = creation(paymentMethodId=await api.add_card("pm_card_chargeCustomerFail"))
        told = "payment { id status } operation { id } errors { code message retry }"
        first = await api.mutate("createPayment", given, told)

        again = await api.mutate("createPayment", given, told)

        assert again == first
        assert sandbox.ledger()["totals"]["payment_intents"] == 1

    async def test_is_overcome_with_another_card(self, api: Api) -> None:
        failed = await api.pay(paymentMethodId=await api.add_card("pm_card_chargeCustomerFail"))
        given = {
            "idempotencyKey": fresh_key(),
            "paymentId": failed["id"],
            "paymentMethodId": await api.add_card(),
        }

        payload = await api.mutate(
            "confirmPayment", given, "payment { id status decline { code } } errors { code }"
        )

        assert payload == {
            "payment": {"id": failed["id"], "status": "COMPLETED", "decline": None},
            "errors": [],
        }


class TestProviderError:
    ERRORS = f"errors {{ {COMMON} ... on ProviderError {{ outcomeKnown retryAfterSeconds }} }}"
    SELECTION = f"payment {{ id status }} operation {{ state replayed }} {ERRORS}"

    @pytest.fixture(autouse=True)
    def impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("processor.stripe_calls.FIRST_PAUSE", 0.001)

    async def test_of_a_refusal_is_final(self, api: Api) -> None:
        payload = await api.mutate(
            "addPaymentMethod",
            {"stripePaymentMethodId": "pm_nobodyKnowsIt"},
            f"operation {{ state }} paymentMethod {{ id }} {self.ERRORS}",
        )

        [error] = payload["errors"]
        assert error.pop("message")
        assert payload["operation"] == {"state": "FAILED"}
        assert payload["paymentMethod"] is None
        assert error == {
            "code": "PROVIDER_REFUSED",
            "path": [],
            "retry": "NEW_KEY",
            "outcomeKnown": True,
            "retryAfterSeconds": None,
        }

    @pytest.mark.parametrize("kind", [Kind.ERROR_BEFORE, Kind.RESET_AFTER, Kind.HTML, Kind.RATE_LIMIT])
    async def test_of_an_unknown_outcome_advises_the_same_key_which_then_finds_one_payment(
        self, api: Api, sandbox: Sandbox, kind: Kind
    ) -> None:
        await api.add_card()
        given = creation()
        sandbox.faults.add([spoilt(kind)])

        unknown = await api.mutate("createPayment", given, self.SELECTION)
        sandbox.faults.clear()
        settled = await api.mutate("createPayment", given, self.SELECTION)

        [error] = unknown["errors"]
        assert unknown["payment"]["status"] == "PENDING"
        assert unknown["operation"] == {"state": "OUTCOME_UNKNOWN", "replayed": False}
        assert (error["code"], error["retry"]) == ("PROVIDER_UNAVAILABLE", "LATER_SAME_KEY")
        assert (error["outcomeKnown"], error["retryAfterSeconds"]) == (False, 5)
        assert settled == {
            "payment": {"id": unknown["payment"]["id"], "status": "COMPLETED"},
            "operation": {"state": "SUCCEEDED", "replayed": True},
            "errors": [],
        }
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_comes_at_once_while_the_provider_is_known_to_be_unwell(
        self, api: Api, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        await api.add_card()
        sandbox.faults.add([spoilt(Kind.HTML)])
        for _ in range(5):
            await api.mutate("createPayment", creation(), "payment { id }")
        assert gateway.processor.circuit is CircuitState.OPEN
        sent = len(sandbox.requests.newest_first())

        payload = await api.mutate("createPayment", creation(), self.SELECTION)

        [error] = payload["errors"]
        assert payload["payment"]["status"] == "PENDING"
        assert (error["code"], error["retry"]) == ("PROVIDER_UNAVAILABLE", "LATER_SAME_KEY")
        assert error["outcomeKnown"] is False
        assert 1 <= error["retryAfterSeconds"] <= 5
        assert len(sandbox.requests.newest_first()) == sent

    async def test_of_a_read_spoils_only_the_field_that_needed_the_provider(
        self, api: Api, sandbox: Sandbox
    ) -> None:
        payment = await api.pay(paymentMethodId=await api.add_card("pm_card_authenticationRequired"))
        sandbox.faults.add(
            [Rule(path=re.compile("/payment_intents/"), kind=Kind.HTML, method="GET", times=None)]
        )

        body = await api.answer(
            "query($id: ID!) { payment(id: $id) { status nextAction { kind } } }", {"id": payment["id"]}
        )

        assert body["data"]["payment"] == {"status": "REQUIRES_ACTION", "nextAction": None}
        [error] = body["errors"]
        assert error["path"] == ["payment", "nextAction"]
        assert error["extensions"]["code"] == "PROVIDER_UNAVAILABLE"
        assert error["extensions"]["retry"] == "LATER_SAME_KEY"
