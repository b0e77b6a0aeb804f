from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currency import CURRENCIES, DEFAULT_CURRENCIES, AmountRefusal, Currency, currency_of
from domain.money import Money

ZERO_DECIMAL = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

currencies = st.sampled_from(sorted(CURRENCIES.values(), key=lambda currency: currency.code))
minors = st.integers(min_value=-(2**53), max_value=2**53)


def money(minor: int, currency: str) -> Money:
    return Money(minor=minor, currency=currency)


class TestCurrencyOf:
    def test_knows_more_than_135_currencies(self) -> None:
        assert len(CURRENCIES) > 135

    @pytest.mark.parametrize("code", sorted(ZERO_DECIMAL))
    def test_zero_decimal_currency_has_no_minor_unit(self, code: str) -> None:
        currency = CURRENCIES[code]

        assert (currency.exponent, currency.step_minor) == (0, 1)

    @pytest.mark.parametrize("code", sorted(THREE_DECIMAL))
    def test_three_decimal_currency_steps_by_ten(self, code: str) -> None:
        currency = CURRENCIES[code]

        assert (currency.exponent, currency.step_minor) == (3, 10)

    @pytest.mark.parametrize("code", ["ISK", "UGX"])
    def test_currency_without_fractions_is_two_decimal_in_steps_of_one_hundred(self, code: str) -> None:
        currency = CURRENCIES[code]

        assert (currency.exponent, currency.step_minor, currency.has_fractions) == (2, 100, False)

    @pytest.mark.parametrize("code", ["HUF", "TWD", "USD", "IDR"])
    def test_currency_with_payout_rules_only_charges_two_decimals(self, code: str) -> None:
        currency = CURRENCIES[code]

        assert (currency.exponent, currency.step_minor) == (2, 1)

    def test_every_other_currency_is_two_decimal(self) -> None:
        special = ZERO_DECIMAL | THREE_DECIMAL | {"ISK", "UGX"}

        others = {currency.exponent for code, currency in CURRENCIES.items() if code not in special}

        assert others == {2}

    @pytest.mark.parametrize("code", ["usd", "Usd", "XXX", "", "USD "])
    def test_anything_but_an_upper_case_code_is_unknown(self, code: str) -> None:
        assert currency_of(code) is None

    def test_default_leaves_out_what_is_unclear_or_replaced(self) -> None:
        assert set(CURRENCIES) - DEFAULT_CURRENCIES == {"UGX", "ANG", "BGN"}

    @given(currencies)
    def test_limits_are_multiples_of_the_step(self, currency: Currency) -> None:
        assert currency.minimum % currency.step_minor == 0
        assert currency.maximum % currency.step_minor == 0
        assert 0 < currency.minimum < currency.maximum


class TestRefusal:
    @pytest.mark.parametrize(
        ("minimum", "currency"),
        [
            (50, "USD"), (30, "GBP"), (2_00, "AED"), (15_00, "CZK"), (2_50, "DKK"), (4_00, "HKD"),
            (175_00, "HUF"), (50, "JPY"), (10_00, "MXN"), (3_00, "SEK"), (10_00, "THB"),
            (1, "ARS"), (1, "KRW"), (10, "KWD"), (100, "ISK"),
        ],
    )  # fmt: skip
    def test_minimum_is_the_smallest_charge(self, minimum: int, currency: str) -> None:
        step = CURRENCIES[currency].step_minor

        assert money(minimum, currency).refusal() is None
        assert money(minimum - step, currency).refusal() is not None

    @pytest.mark.parametrize(
        ("maximum", "currency"),
        [
            (99_999_999, "USD"),
            (99_999_999, "KRW"),
            (99_999_990, "KWD"),
            (99_999_900, "ISK"),
            (999_999_999, "INR"),
            (9_999_999_999, "COP"),
            (9_999_999_999, "HUF"),
            (9_999_999_999, "JPY"),
            (99_999_999_999, "LBP"),
            (999_999_999_999, "IDR"),
        ],
    )
    def test_maximum_is_the_largest_charge(self, maximum: int, currency: str) -> None:
        step = CURRENCIES[currency].step_minor

        assert money(maximum, currency).refusal() is None
        assert money(maximum + step, currency).refusal() is AmountRefusal.ABOVE_MAXIMUM

    @pytest.mark.parametrize(
        ("minor", "currency", "refusal"),
        [
            (0, "USD", AmountRefusal.NOT_POSITIVE),
            (-100, "USD", AmountRefusal.NOT_POSITIVE),
            (49, "USD", AmountRefusal.BELOW_MINIMUM),
            (5_124, "KWD", AmountRefusal.NOT_A_MULTIPLE),
            (550, "ISK", AmountRefusal.NOT_A_MULTIPLE),
            (1_00, "usd", AmountRefusal.UNKNOWN_CURRENCY),
            (1_00, "UGX", AmountRefusal.CURRENCY_NOT_ACCEPTED),
        ],
    )
    def test_names_the_broken_rule(self, minor: int, currency: str, refusal: AmountRefusal) -> None:
        assert money(minor, currency).refusal() is refusal

    def test_accepted_currencies_may_be_more_or_fewer_than_the_default(self) -> None:
        assert money(500, "UGX").refusal(accepted={"UGX"}) is None
        assert money(500, "USD").refusal(accepted={"UGX"}) is AmountRefusal.CURRENCY_NOT_ACCEPTED

    @given(currencies, minors)
    def test_accepts_exactly_the_multiples_between_the_limits(self, currency: Currency, minor: int) -> None:
        chargeable = currency.minimum <= minor <= currency.maximum and minor % currency.step_minor == 0

        assert (currency.refusal_of(minor) is None) == chargeable


class TestDecimal:
    @pytest.mark.parametrize(
        ("minor", "currency", "text"),
        [
            (1234, "JPY", "1234"),
            (1234, "USD", "12.34"),
            (12340, "KWD", "12.340"),
            (500, "ISK", "5.00"),
            (0, "USD", "0.00"),
            (0, "JPY", "0"),
            (0, "KWD", "0.000"),
            (-5, "EUR", "-0.05"),
            (-1234, "JPY", "-1234"),
            (1234, "XXX", "12.34"),
            (10**40 + 1, "USD", "1" + "0" * 37 + "0.01"),
        ],
    )
    def test_has_all_decimals_of_the_currency(self, minor: int, currency: str, text: str) -> None:
        assert str(money(minor, currency).decimal) == text

    @given(minors, currencies)
    def test_its_text_leads_back_to_the_minor_units(self, minor: int, currency: Currency) -> None:
        amount = money(minor, currency.code)

        text = str(amount.decimal)

        assert int(Decimal(text).scaleb(amount.exponent)) == minor
        assert "E" not in text


class TestFormatted:
    @pytest.mark.parametrize(
        ("minor", "currency", "locale", "text"),
        [
            (123456789, "USD", "en", "$1,234,567.89"),
            (123456, "EUR", "en-GB", "€1,234.56"),
            (123456, "CHF", "en", "CHF 1,234.56"),
            (123456, "EUR", "de", "1.234,56 €"),
            (123456, "CHF", "de-CH", "CHF 1\u2019234.56"),
            (123456, "CHF", "de_CH", "CHF 1\u2019234.56"),
            (123456, "EUR", "de-LI", "1.234,56 €"),
            (123456, "EUR", "fr-FR", "1\u202f234,56 €"),
            (123456, "EUR", "es", "1234,56 €"),
            (1234567, "EUR", "es", "12.345,67 €"),
            (123456, "MXN", "es-MX", "$1,234.56"),
            (123456, "EUR", "it", "1.234,56 €"),
            (123456, "EUR", "nl", "€ 1.234,56"),
            (123456, "BRL", "pt", "R$ 1.234,56"),
            (123456, "EUR", "pt-PT", "1234,56 €"),
            (1234567, "PLN", "pl", "12 345,67 zł"),
            (123456, "SEK", "sv", "1 234,56 kr"),
            (123456, "NOK", "sv", "1 234,56 NOK"),
            (1234, "JPY", "ja", "¥1,234"),
            (12340, "KWD", "en", "KWD 12.340"),
            (-5, "USD", "en", "-$0.05"),
            (0, "JPY", "en", "¥0"),
            (500, "ISK", "en", "ISK 5"),
            (550, "ISK", "en", "ISK 5.50"),
            (1234, "XXX", "en", "XXX 12.34"),
        ],
    )
    def test_follows_the_locale(self, minor: int, currency: str, locale: str, text: str) -> None:
        with_plain_spaces = money(minor, currency).formatted(locale).replace("\u00a0", " ")

        assert with_plain_spaces == text

    @pytest.mark.parametrize("locale", ["", "-", "tlh", "xx-YY", "en-Zzzz-001", "🙂"])
    def test_unknown_locale_reads_like_english(self, locale: str) -> None:
        amount = money(123456, "USD")

        assert amount.formatted(locale) == amount.formatted() == "$1,234.56"

    @given(minors, currencies, st.sampled_from(["en", "de", "fr", "es", "pl", "ja"]))
    def test_its_digits_are_those_of_the_amount(self, minor: int, currency: Currency, locale: str) -> None:
        amount = money(minor - minor % currency.step_minor, currency.code)

        digits = "".join(char for char in amount.formatted(locale) if char.isdecimal())

        shown = digits if currency.has_fractions or currency.exponent == 0 else digits + "00"
        assert int(shown) == abs(amount.minor)
