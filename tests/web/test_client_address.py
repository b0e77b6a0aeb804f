import pytest

from web.client_address import UNKNOWN, network


class TestNetwork:
    def test_of_version_4_is_the_address(self) -> None:
        assert network("203.0.113.7") == "203.0.113.7"
        assert network("::ffff:203.0.113.7") == "203.0.113.7"

    def test_of_version_6_is_what_a_household_has(self) -> None:
        ours = {network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"), network("2001:0DB8::1:0:0:0:3")}

        assert ours == {"2001:db8:0:1::/64"}
        assert network("2001:db8:0:2::1") not in ours

    @pytest.mark.parametrize(
        "nonsense", [None, "", "a" * 10_000, "1.2.3", "1.2.3.4.5", "-1", "0x7f.0.0.1", "unix:"]
    )
    def test_of_what_is_no_address_is_one_for_all(self, nonsense: str | None) -> None:
        assert network(nonsense) == UNKNOWN
