"""What is removed from an event before it is stored: client secrets, wherever they stand."""

from urllib.parse import quote

import pytest

from processor.stripe_secrets import WITHHELD, clean_text, without_secrets

SECRET = "pi_3Abc_secret_xYz09"
PAGE = f"https://hooks.stripe.com/r?client_secret={SECRET}"


def within(address: str, levels: int, *, is_thorough: bool = False) -> str:
    """The address inside that of a bank's page, and that inside another's; thoroughly encoded with its underscores."""
    for _ in range(levels):
        inside = quote(address, safe="")
        inside = inside.replace("_", "%5F") if is_thorough else inside
        address = f"https://bank.example/3ds?return={inside}"
    return address


class TestCleanText:
    @pytest.mark.parametrize("levels", [0, 1, 2, 3, 4])
    def test_has_no_client_secret_however_often_its_address_is_encoded(self, levels: int) -> None:
        clean = clean_text(within(PAGE, levels))

        assert SECRET not in clean
        assert clean.endswith(WITHHELD)

    @pytest.mark.parametrize("levels", [1, 2, 3])
    def test_has_no_client_secret_whose_underscores_are_encoded(self, levels: int) -> None:
        clean = clean_text(f"See {within(PAGE, levels, is_thorough=True)} now")

        assert clean == f"See {WITHHELD} now"

    @pytest.mark.parametrize("levels", [0, 1, 2])
    def test_is_the_same_where_an_address_has_none(self, levels: int) -> None:
        text = f"Paid at {within('https://shop.example/paid?order_id=7&a=100%', levels)} today"

        assert clean_text(text) is text

    def test_of_an_event_is_found_in_names_and_lists(self) -> None:
        event = {"object": {within(PAGE, 1): [within(PAGE, 2)]}}

        assert SECRET not in repr(without_secrets(event))
