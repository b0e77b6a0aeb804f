"""Input that is refused before anybody hears of it."""

from typing import Any

import pytest

from domain.actor import ANONYMOUS
from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment, ConfirmPayment
from domain.currency import DEFAULT_CURRENCIES
from domain.errors import (
    AmountOutOfRange,
    CurrencyRuleBroken,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
)
from domain.identity import new_id
from domain.money import Money
from domain.ports import Database
from domain.rules import Rules
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Shopper

OUT_OF_RANGE = [(0, "EUR"), (-450, "EUR"), (49, "EUR"), (49, "JPY"), (100_000_000, "USD"), (2**53, "EUR")]
AGAINST_THE_CURRENCY = [
    (450, "XXX"),
    (450, "eur"),
    (450, ""),
    (450, "EURO"),
    (500, "UGX"),
    (1_001, "KWD"),
    (550, "ISK"),
]
NESTED_TOO_DEEPLY: dict[str, Any] = {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}

BAD_TEXTS = {
    "nothing": "",
    "white space": " \n\t",
    "a NUL byte": "cof\0fee",
    "an escape sequence": "\x1b[31mcoffee",
    "a lone surrogate": "coffee \ud83d",
    "a card number": "paid with 4242 4242 4242 4242",
    "1001 characters": "x" * 1_001,
}
BAD_METADATA = {
    "a NUL byte": {"note": "cof\0fee"},
    "a NUL byte in a key": {"no\0te": "coffee"},
    "a card number": {"customer": {"notes": ["card", "4242424242424242"]}},
    "a card number as a number": {"card": 4242424242424242},
    "more than 8192 bytes": {"note": "é" * 4_096},
    "too deep": NESTED_TOO_DEEPLY,
    "an integer that JSON readers round": {"n": 10**30},
    "an integer too long to be written": {"n": 10**5_000},
    "no number": {"n": float("nan")},
    "no finite number": {"n": [float("-inf")]},
}
BAD_ADDRESSES = ["coffee", "/thanks", "javascript://x/%0aalert(1)", "data://x", "http://[::1", "https://x\0"]


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class TestRefusedAmount:
    @pytest.mark.parametrize(("minor", "currency"), OUT_OF_RANGE)
    def test_out_of_range_names_the_currencys_rule(self, minor: int, currency: str) -> None:
        with pytest.raises(AmountOutOfRange) as refused:
            CreatePayment(amount=Money(minor=minor, currency=currency)).check(Rules())

        assert refused.value.path == ("charge", "amount", "minor")
        assert refused.value.currency.code == currency

    @pytest.mark.parametrize(("minor", "currency"), AGAINST_THE_CURRENCY)
    def test_against_the_currency_is_never_rounded(self, minor: int, currency: str) -> None:
        with pytest.raises(CurrencyRuleBroken) as refused:
            CreatePayment(amount=Money(minor=minor, currency=currency)).check(Rules())

        is_known = refused.value.currency is not None
        assert refused.value.path == ("charge", "amount", "minor" if is_known else "currency")

    def test_currency_that_the_operator_accepts_passes(self) -> None:
        rules = Rules(accepted_currencies={*DEFAULT_CURRENCIES, "UGX"})

        CreatePayment(amount=Money(minor=500, currency="UGX")).check(rules)

        assert "UGX" in {currency.code for currency in rules.currencies}

    def test_named_by_the_caller_is_refused_where_only_quotes_are_charged(self) -> None:
        with pytest.raises(Forbidden):
            CreatePayment(amount=COFFEE).check(Rules(allows_client_amounts=False))


class TestRefusedText:
    @pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
    def test_in_a_description(self, text: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            CreatePayment(amount=COFFEE, description=text).check(Rules())

        assert refused.value.path == ("description",)
        assert "4242" not in refused.value.message

    @pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
    def test_in_the_reason_of_a_cancellation(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            CancelPayment(payment_id=new_id(), reason=text).check(Rules())

    @pytest.mark.parametrize("details", BAD_METADATA.values(), ids=BAD_METADATA.keys())
    def test_in_metadata(self, details: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput) as refused:
            CreatePayment(amount=COFFEE, details=details).check(Rules())

        assert refused.value.path == ("metadata",)

    @pytest.mark.parametrize("url", BAD_ADDRESSES)
    def test_in_a_return_address(self, url: str) -> None:
        for command in (
            CreatePayment(amount=COFFEE, return_url=url),
            ConfirmPayment(payment_id=new_id(), return_url=url),
        ):
            with pytest.raises(InvalidInput) as refused:
                command.check(Rules())
            assert refused.value.path == ("return_url",)

    def test_no_more_is_refused_than_that(self) -> None:
        CreatePayment(
            amount=COFFEE,
            description="Zwei Kaffee ☕\nund ein Kuchen" + "x" * 900,
            details={"a": {"b": {"c": [1, -2.5, True, None, "d", ""]}}, "order": 2**53 - 1},
            return_url="coffee-app://thanks",
        ).check(Rules())


class TestRefusedRequest:
    async def test_burns_no_key_and_writes_nothing(
        self, customer: Shopper, database: Database, sandbox: Sandbox
    ) -> None:
        for minor in (0, -1, 49):
            with pytest.raises(AmountOutOfRange):
                await customer.pays(Money(minor=minor, currency="EUR"), key="coffee-17")

        payment = await customer.pays(key="coffee-17")

        assert payment.captured_amount == COFFEE.minor
        assert len(sandbox.ledger()["payment_intents"]) == 1

    @pytest.mark.parametrize(
        "key", ["", "short", "x" * 256, "cafe\u0301-17-17", "coffee\n17", "coffee\x0017"]
    )
    async def test_with_a_malformed_key(self, customer: Shopper, key: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            await customer.pays(key=key)

        assert refused.value.path == ("idempotency_key",)

    async def test_by_nobody(self, customer: Shopper) -> None:
        with pytest.raises(Unauthenticated):
            await customer.gateway.services.commands.execute(ANONYMOUS, CreatePayment(amount=COFFEE))

    async def test_about_a_payment_of_another_user_looks_like_one_about_none(
        self, customer: Shopper, stranger: Shopper
    ) -> None:
        payment = await customer.pays(is_confirmed=False)

        for command in (ConfirmPayment, CancelPayment):
            with pytest.raises(NotFound) as foreign:
                await stranger.does(command(payment_id=payment.id))
            with pytest.raises(NotFound) as unknown:
                await stranger.does(command(payment_id=new_id()))
            assert str(foreign.value) == str(unknown.value)
