import time
import uuid
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.card_number import REDACTED, Path, contains_card_number, find_in, redacted

VISA = "4242424242424242"
NUMBERS_OF_EVERY_NETWORK = {
    "Visa": VISA,
    "Visa, 13 digits": "4222222222222",
    "Mastercard": "5555555555554444",
    "Mastercard, 2 series": "2223003122003222",
    "American Express": "378282246310005",
    "Discover": "6011111111111117",
    "Diners Club": "3056930009020004",
    "Diners Club, 14 digits": "36227206271667",
    "JCB": "3566002020360505",
    "UnionPay": "6200000000000005",
    "UnionPay, 19 digits": "6205500000000000004",
}
SEPARATORS = (
    " ",
    "-",
    ".",
    "\u00a0",
    "\u202f",
    "\u2009",
    "\u2010",
    "\u2011",
    "\u2013",
    "\u2212",
    "\uff0d",
    "\u200b",
)
ISSUED = [("4", 13), ("4", 16), ("4", 19), ("34", 15), ("37", 15), ("36", 14), ("51", 16), ("2221", 16)] + [
    ("62", length) for length in (16, 17, 18, 19)
]


def check_digit(payload: str) -> str:
    """ISO/IEC 7812-1, annex B, written the slow way."""
    total = 0
    for place, digit in enumerate(reversed(payload)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    opening, length = draw(st.sampled_from(ISSUED))
    rest = length - len(opening) - 1
    payload = opening + draw(st.text("0123456789", min_size=rest, max_size=rest))
    return payload + check_digit(payload)


@st.composite
def separated(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    number = draw(numbers)
    gaps = [draw(st.sampled_from(("", "", *SEPARATORS))) for _ in number[1:]]
    return number[0] + "".join(gap + digit for gap, digit in zip(gaps, number[1:], strict=True))


words = st.text(
    st.characters(exclude_categories=["Nd", "Cs"], exclude_characters="+abcdefABCDEF"), max_size=20
)
json_scalars = st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=5)
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=20
)


class TestContainsCardNumber:
    @pytest.mark.parametrize("number", NUMBERS_OF_EVERY_NETWORK.values(), ids=NUMBERS_OF_EVERY_NETWORK.keys())
    def test_finds_a_number_of_every_network(self, number: str) -> None:
        assert contains_card_number(number)

    @pytest.mark.parametrize(
        "text",
        [
            "card 4242 4242 4242 4242 exp 12/34",
            "4242 4242 4242 4242 12/34",
            "12 4242 4242 4242 4242",
            f"{VISA} 4000056655665557",
            f"{VISA}123 5555-5555-5555-4444",
            "3782 822463 10005",
            "4242.4242.4242.4242",
            "4242\u20114242\u20134242\u22124242",
            "4242\u00a04242\u202f4242\u20094242",
            "\uff14\uff12" * 8,
            "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
            f'{{"number":"{VISA}","cvc":"123"}}',
            f"number={VISA}&cvc=123",
            f"card{VISA}",
            f"{VISA}exp1228",
            f"customer_{VISA}",
            f"+{VISA}",
            f"{uuid.UUID(int=1)} {VISA}",
        ],
    )
    def test_finds_a_number_inside_other_text(self, text: str) -> None:
        assert contains_card_number(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "4242",
            "4242 4242 4242",
            "4242424242424241",
            "4242  4242  4242  4242",
            f"{VISA}0000",
            f"1234{VISA}",
            f"{VISA * 4}",
            "1712345678901",
            "1712345678908",
            "1712345678901234567",
            "2026-01-15T10:20:30.123456+00:00",
            "2026-01-15 10:20:30.123456",
            "$1,234,567.89 and 99999999.99",
            "pi_3MtwBwLkdIwHu7ix28a3tqPa",
            "evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "9780306406157",
            "+4222222222222",
            "call +42 2222 2222222",
            "0000000000000000",
            "12345674-1234-1234-8234-424242424242",
            f"00000000-0000-4000-{VISA[:4]}-{VISA[4:]}",
            f"9f86d081884c7d65{VISA}a3bf4f1b2b0b822cd1",
        ],
    )
    def test_finds_none_in_what_only_looks_like_one(self, text: str) -> None:
        assert not contains_card_number(text)

    def test_finds_none_in_thousands_of_ids_and_hashes(self) -> None:
        texts = [str(uuid.UUID(int=seed * 2**97 + 3**80, version=4)) for seed in range(1, 5000)]
        texts += [sha256(text.encode()).hexdigest() for text in texts]

        assert [text for text in texts if contains_card_number(text)] == []

    @given(words, separated(card_numbers()), words)
    def test_finds_every_number_however_separated(self, before: str, number: str, after: str) -> None:
        assert contains_card_number(f"{before}|{number}|{after}")

    @given(card_numbers(), st.data())
    def test_finds_no_number_with_one_wrong_digit(self, number: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(number) - 1))
        wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))

        mutation = number[:place] + wrong + number[place + 1 :]

        assert not contains_card_number(mutation)

    @given(st.from_regex("4[0-9]{15}", fullmatch=True))
    def test_agrees_with_the_check_digit(self, number: str) -> None:
        assert contains_card_number(number) == (check_digit(number[:-1]) == number[-1])


class TestRedacted:
    def test_replaces_every_number_and_nothing_else(self) -> None:
        text = f"first 4242 4242 4242 4242, then {VISA}-5555555555554444; id {uuid.UUID(int=2**127)}."

        shown = redacted(text)

        assert shown == f"first {REDACTED}, then {REDACTED}-{REDACTED}; id {uuid.UUID(int=2**127)}."

    def test_replaces_all_digits_that_either_of_two_readings_takes(self) -> None:
        overlapping = "4242 4242 4242 4242 4242"

        assert redacted(overlapping) == REDACTED

    @given(st.text(max_size=60))
    def test_leaves_text_without_a_number_alone(self, text: str) -> None:
        assert contains_card_number(text) or redacted(text) == text

    @given(st.lists(words | separated(card_numbers()) | st.text("0123456789 -.a+", max_size=40), max_size=5))
    def test_leaves_no_number_behind(self, parts: list[str]) -> None:
        text = " ".join(parts)

        assert not contains_card_number(redacted(text))


class TestFindIn:
    @pytest.mark.parametrize(
        ("value", "path"),
        [
            (VISA, ()),
            (int(VISA), ()),
            (float(VISA), ()),
            ({"note": "hello", "cards": [{"id": 1}, {"number": f"no. {VISA}"}]}, ("cards", 1, "number")),
            ({"card": int(VISA)}, ("card",)),
            ({"a": ("x", VISA)}, ("a", 1)),
            ({"a": {VISA: True}}, ("a", REDACTED)),
            ({"first": VISA, "second": VISA}, ("first",)),
        ],
    )
    def test_gives_the_path_of_the_first_number(self, value: object, path: Path) -> None:
        assert find_in(value) == path

    @pytest.mark.parametrize(
        "value",
        [None, True, 0, -1, [10**5000], {}, [], {"at": 1712345678901}, ["4242", "4242", "4242", "4242"]],
    )
    def test_gives_none_where_there_is_no_number(self, value: object) -> None:
        assert find_in(value) is None

    def test_reaches_any_depth(self) -> None:
        value: object = VISA
        for _ in range(20_000):
            value = [value]

        assert find_in(value) == (0,) * 20_000

    @given(json_values, st.lists(st.integers(0, 3) | st.text("xyz", max_size=3), max_size=4))
    def test_path_leads_to_the_number(self, filler: object, steps: list[int | str]) -> None:
        value: object = VISA
        for step in reversed(steps):
            value = {step: value, "filler": filler} if isinstance(step, str) else [filler] * step + [value]

        assert find_in(value) == tuple(steps)


def seconds(scan: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    scan(text)
    return time.process_time() - start


class TestSpeed:
    @pytest.mark.parametrize("scan", [contains_card_number, redacted])
    @pytest.mark.parametrize(
        "unit",
        [
            "6",
            "6 ",
            "6-",
            "4 6.",
            "666666666666  ",
            "6666666666666666a",
            "66666666-6666-",
            "\uff16\u00a0",
            "a6",
        ],
    )
    def test_grows_no_faster_than_the_text(self, scan: Callable[[str], object], unit: str) -> None:
        text = (unit * 50_000)[:50_000]

        short = min(seconds(scan, text) for _ in range(3))
        four_times = min(seconds(scan, text * 4) for _ in range(2))

        assert four_times < 10 * short + 0.05
