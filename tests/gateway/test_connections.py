from gateway.connections import ConnectionLimits, Guests, Reason

PROXY = "192.0.2.1"


def guests(*, most: int = 100, most_of_one: int = 2) -> Guests:
    limits = ConnectionLimits(most=most, most_of_one=most_of_one)
    return Guests(limits, is_proxy=lambda address: address == PROXY)


class TestGuests:
    def test_of_one_address_are_bounded_and_others_welcome(self) -> None:
        here = guests()

        assert [here.enter("203.0.113.7") for _ in range(3)] == [None, None, Reason.TOO_MANY_OF_ONE]
        assert here.enter("203.0.113.8") is None

    def test_of_one_household_are_bounded_together(self) -> None:
        here = guests()

        entered = [here.enter(f"2001:db8::{number}") for number in range(3)]

        assert entered == [None, None, Reason.TOO_MANY_OF_ONE]

    def test_that_are_proxies_speak_for_many(self) -> None:
        here = guests()

        assert [here.enter(PROXY) for _ in range(3)] == [None] * 3
        assert [here.enter(None) for _ in range(3)] == [None] * 3

    def test_of_all_addresses_are_bounded_and_proxies_too(self) -> None:
        here = guests(most=2)

        assert [here.enter(address) for address in ("203.0.113.7", PROXY, PROXY)] == [
            None,
            None,
            Reason.TOO_MANY,
        ]

    def test_that_are_turned_away_take_nobodys_place(self) -> None:
        here = guests(most=3)
        for _ in range(100):
            here.enter("203.0.113.7")

        assert here.enter("203.0.113.8") is None

    def test_that_leave_make_room(self) -> None:
        here = guests(most=1)
        here.enter("203.0.113.7")
        here.leave("203.0.113.7")

        assert here.enter("203.0.113.7") is None

    def test_are_unbounded_where_the_bounds_are_0(self) -> None:
        here = guests(most=0, most_of_one=0)

        assert [here.enter("203.0.113.7") for _ in range(500)] == [None] * 500
