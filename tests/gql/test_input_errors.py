"""Business errors that the input, or the object's state, is to blame for."""

from typing import Any

import pytest

from tests.api import EURO, Api, fresh_key

COMMON = "code message path retry"


def creation(**given: Any) -> dict[str, Any]:
    return {"idempotencyKey": fresh_key(), "charge": EURO, **given}


class TestSimpleError:
    @pytest.mark.parametrize(
        ("mutation", "given", "path", "constraint"),
        [
            ("createPayment", creation(description="a\0b"), ["description"], "noControlCharacters"),
            ("createPayment", creation(description="x" * 1001), ["description"], "maxLength"),
            ("createPayment", creation(returnUrl="javascript:alert(1)"), ["returnUrl"], "absoluteUrl"),
            ("createPayment", creation(metadata={"a": "x" * 9000}), ["metadata"], "maxLength"),
            ("createPayment", creation(offSession=True, confirm=False), ["offSession"], None),
            ("createPayment", creation(), ["paymentMethodId"], "required"),
            ("addPaymentMethod", {"stripePaymentMethodId": "tok_visa"}, ["stripePaymentMethodId"], "pm_…"),
            ("updatePaymentMethod", {"id": f"mth_{0:032x}", "expMonth": 1}, ["expMonth"], None),
            ("updatePaymentMethod", {"id": f"mth_{0:032x}", "makeDefault": False}, ["makeDefault"], None),
        ],
    )
    async def test_names_the_input_field_as_the_input_spells_it(
        self, api: Api, mutation: str, given: dict[str, Any], path: list[str], constraint: str | None
    ) -> None:
        selection = f"operation {{ id }} errors {{ {COMMON} ... on SimpleError {{ constraint }} }}"

        payload = await api.mutate(mutation, given, selection)

        [error] = payload["errors"]
        assert error["message"]
        assert error == {
            "code": "INVALID_INPUT",
            "message": error["message"],
            "path": ["input", *path],
            "retry": "SAME_KEY",
            "constraint": constraint,
        }
        assert payload["operation"] is None

    async def test_leaves_the_key_free_for_the_corrected_input(self, api: Api) -> None:
        await api.add_card()
        wrong = creation(description="a\0b")
        assert await api.codes("createPayment", wrong) == ["INVALID_INPUT"]

        payment = await api.pay(**{**wrong, "description": "ab"})

        assert payment["status"] == "COMPLETED"

    async def test_of_an_unknown_object_names_the_field_and_advises_against_trying_again(
        self, api: Api
    ) -> None:
        given = {"idempotencyKey": fresh_key(), "paymentId": f"pay_{0:032x}"}

        payload = await api.mutate("confirmPayment", given, f"errors {{ __typename {COMMON} }}")

        [error] = payload["errors"]
        assert error.pop("message")
        assert error == {
            "__typename": "SimpleError",
            "code": "NOT_FOUND",
            "path": ["input", "paymentId"],
            "retry": "NEVER",
        }


class TestStateConflictError:
    SELECTION = f"payment {{ id }} errors {{ {COMMON} ... on StateConflictError {{ current allowed }} }}"

    async def test_tells_the_state_and_what_may_be_done_instead(self, api: Api, admins: Api) -> None:
        await api.add_card()
        authorized = await api.pay(captureMethod="MANUAL")
        given = {"idempotencyKey": fresh_key(), "paymentId": authorized["id"]}

        payload = await api.mutate("confirmPayment", given, self.SELECTION)

        [error] = payload["errors"]
        assert error.pop("message")
        assert error == {
            "code": "STATE_CONFLICT",
            "path": ["input", "paymentId"],
            "retry": "NEVER",
            "current": "AUTHORIZED",
            "allowed": ["CAPTURE", "CANCEL"],
        }

    async def test_of_a_removed_method(self, api: Api) -> None:
        card = await api.add_card()
        await api.mutate("deletePaymentMethod", {"id": card}, "deletedId")

        payload = await api.mutate(
            "updatePaymentMethod",
            {"id": card, "billingName": "Ada"},
            f"errors {{ {COMMON} ... on StateConflictError {{ current allowed }} }}",
        )

        [error] = payload["errors"]
        assert (error["code"], error["current"], error["allowed"]) == ("STATE_CONFLICT", "DETACHED", [])
        assert error["path"] == ["input", "id"]


class TestAmountError:
    SELECTION = """errors { code path retry ... on AmountError {
        minimum { minor currency decimal } maximum { minor } rule { code exponent stepMinor }
    } }"""

    @pytest.mark.parametrize("minor", [0, -1, 49, 100_000_000, 2**53 - 1])
    async def test_out_of_range_tells_the_range(self, api: Api, minor: int) -> None:
        given = creation(charge={"amount": {"minor": minor, "currency": "EUR"}})

        payload = await api.mutate("createPayment", given, self.SELECTION)

        assert payload["errors"] == [
            {
                "code": "AMOUNT_OUT_OF_RANGE",
                "path": ["input", "charge", "amount", "minor"],
                "retry": "SAME_KEY",
                "minimum": {"minor": 50, "currency": "EUR", "decimal": "0.50"},
                "maximum": {"minor": 99_999_999},
                "rule": {"code": "EUR", "exponent": 2, "stepMinor": 1},
            }
        ]

    async def test_against_the_currencys_rule_tells_the_step(self, api: Api) -> None:
        given = creation(charge={"amount": {"minor": 12_345, "currency": "KWD"}})

        [error] = (await api.mutate("createPayment", given, self.SELECTION))["errors"]

        assert (error["code"], error["path"]) == ("CURRENCY_RULE", ["input", "charge", "amount", "minor"])
        assert error["rule"] == {"code": "KWD", "exponent": 3, "stepMinor": 10}

    @pytest.mark.parametrize("currency", ["XXX", "UGX", "ABC"])
    async def test_of_a_currency_that_is_not_accepted_knows_no_rule(self, api: Api, currency: str) -> None:
        given = creation(charge={"amount": {"minor": 1250, "currency": currency}})

        payload = await api.mutate("createPayment", given, self.SELECTION)

        assert payload["errors"] == [
            {
                "code": "CURRENCY_RULE",
                "path": ["input", "charge", "amount", "currency"],
                "retry": "SAME_KEY",
                "minimum": None,
                "maximum": None,
                "rule": None,
            }
        ]

    async def test_of_a_capture_names_the_amount(self, api: Api, admins: Api) -> None:
        await api.add_card()
        payment = await api.pay(captureMethod="MANUAL")
        capture = {"idempotencyKey": fresh_key(), "paymentId": payment["id"]}

        for amount, path in (
            ({"minor": 1251, "currency": "EUR"}, "minor"),
            ({"minor": 1250, "currency": "USD"}, "currency"),
            ({"minor": 0, "currency": "EUR"}, "minor"),
        ):
            [error] = (await admins.mutate("capturePayment", {**capture, "amount": amount}, self.SELECTION))[
                "errors"
            ]
            assert error["path"] == ["input", "amount", path]
