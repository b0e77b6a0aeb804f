from collections.abc import Callable

import pytest

from domain.errors import MetadataUnreadable
from persistence.keyring import NO_KEYS, Keyring, key_id_of, new_key
from tests.persistence.keys import CURRENT, FORMER

PLACE = "payments|details|1"
PLAIN = b'{"order": 17}'

MANGLINGS: list[Callable[[bytes], bytes]] = [
    lambda envelope: envelope[:-1],
    lambda envelope: envelope[:-1] + bytes([envelope[-1] ^ 1]),
    lambda envelope: envelope[:10] + bytes([envelope[10] ^ 1]) + envelope[11:],
    lambda envelope: envelope[:9],
    lambda envelope: b"\x02" + envelope[1:],
    lambda envelope: envelope[:1],
    lambda envelope: b"",
]


class TestSealing:
    def test_opens_where_it_was_sealed(self) -> None:
        keyring = Keyring.read(CURRENT)

        sealed = keyring.seal(PLAIN, place=PLACE)

        assert keyring.open(sealed, place=PLACE) == PLAIN
        assert PLAIN not in sealed
        assert sealed != keyring.seal(PLAIN, place=PLACE)

    def test_does_not_open_in_another_place(self) -> None:
        keyring = Keyring.read(CURRENT)
        sealed = keyring.seal(PLAIN, place=PLACE)

        with pytest.raises(MetadataUnreadable, match=r"'current'.*changed or moved"):
            keyring.open(sealed, place="payments|details|2")

    @pytest.mark.parametrize("mangled", MANGLINGS)
    def test_does_not_open_once_it_was_changed(self, mangled: Callable[[bytes], bytes]) -> None:
        keyring = Keyring.read(CURRENT)
        sealed = keyring.seal(PLAIN, place=PLACE)

        with pytest.raises(MetadataUnreadable):
            keyring.open(mangled(sealed), place=PLACE)

    def test_opens_under_a_former_key_and_seals_under_the_current_one(self) -> None:
        former = Keyring.read(FORMER).seal(PLAIN, place=PLACE)
        keyring = Keyring.read(f"{CURRENT}, {FORMER}")

        assert keyring.open(former, place=PLACE) == PLAIN
        assert key_id_of(keyring.seal(PLAIN, place=PLACE)) == "current"

    def test_names_the_key_that_is_not_there(self) -> None:
        sealed = Keyring.read(FORMER).seal(PLAIN, place=PLACE)

        with pytest.raises(MetadataUnreadable, match="the key 'former', which METADATA_KEYS does not have"):
            Keyring.read(CURRENT).open(sealed, place=PLACE)

    def test_without_keys_is_refused(self) -> None:
        with pytest.raises(MetadataUnreadable, match="METADATA_KEYS is not set"):
            NO_KEYS.seal(PLAIN, place=PLACE)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("secret", "key 1 is not id:base64"),
            (f"{CURRENT},secret", "key 2 is not id:base64"),
            ("a:§", "key 1 is not base64"),
            ("a:AAAA", "key 1 has 3 bytes instead of 32"),
            (f"A{CURRENT}", "a key's id is"),
            (f"{'a' * 27}{CURRENT}", "a key's id is"),
            (f"{CURRENT},{CURRENT}", "two keys have the same id"),
        ],
    )
    def test_says_what_is_unfit_and_does_not_repeat_it(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason) as unfit:
            Keyring.read(text)

        assert "secret" not in str(unfit.value)
        assert "BBBB" not in str(unfit.value)

    def test_of_nothing_is_no_keys(self) -> None:
        assert Keyring.read(" , ") == NO_KEYS

    def test_takes_a_new_key_which_is_another_each_time(self) -> None:
        first, second = new_key("2026-11"), new_key("2026-11")

        assert Keyring.read(first).current == "2026-11"
        assert first != second

    def test_shows_no_key(self) -> None:
        assert "BBBB" not in repr(Keyring.read(CURRENT))
