import pytest

from web.client_address import UNKNOWN, network


class TestNetwork:
    def test_of_version_4_is_the_address(self) -> None:
        assert network("203.0.113.7") == "203.0.113.7"
        assert network("::ffff:203.0.113.7") == "203.0.113.7"

    @pytest.mark.parametrize(
        ("as_proxies_write_it", "address"),
        [
            ("203.0.113.7:61234", "203.0.113.7"),
            ("[2001:db8::1]:61234", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
            ("[fe80::1%eth0]:443", "fe80::1"),
        ],
    )
    def test_is_the_same_with_a_port_or_brackets(self, as_proxies_write_it: str, address: str) -> None:
        assert network(as_proxies_write_it) == network(address) != UNKNOWN

    def test_of_version_6_is_what_a_household_has(self) -> None:
        ours = {network("2001:db8:0:1::1"), network("2001:db8:0:ff::2"), network("2001:0DB8:0:a0:0:0:0:3")}

        assert ours == {"2001:db8::/56"}
        assert network("2001:db8:0:100::1") not in ours

    @pytest.mark.parametrize(
        "nonsense",
        [
            None,
            "",
            "a" * 10_000,
            "1.2.3",
            "1.2.3.4.5",
            "-1",
            "0x7f.0.0.1",
            "unix:",
            "1.2.3.4:",
            "1.2.3.4:x",
            "1.2.3.4:123456",
            "[1.2.3.4",
            "[]",
            "[]:1",
            "[1.2.3.4]",
            "1.2.3.4]:1",
            "[::1]1",
            "[::1]:",
        ],
    )
    def test_of_what_is_no_address_is_one_for_all(self, nonsense: str | None) -> None:
        assert network(nonsense) == UNKNOWN
