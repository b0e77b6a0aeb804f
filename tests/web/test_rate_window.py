from hypothesis import assume, given
from hypothesis import strategies as st

from web.rates.window import SECONDS, Window

counts = st.integers(min_value=0, max_value=10_000)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """As a storage tells them that counts by the minutes of the clock."""
    rest = draw(st.floats(min_value=0.01, max_value=SECONDS))
    return Window(draw(counts), rest, draw(counts), rest + SECONDS)


def later(window: Window, seconds: float) -> Window:
    rest = window.former_seconds - seconds
    if rest > 0:
        return Window(window.former, rest, window.running, rest + SECONDS)
    return Window(window.running, rest + SECONDS, 0, rest + 2 * SECONDS)


class TestWindow:
    def test_counts_the_former_minute_for_as_much_of_it_as_was_within_the_last_one(self) -> None:
        assert Window(100, 30.0, 7, 90.0).taken == 57
        assert Window(100, 60.0, 0, 120.0).taken == 100
        assert Window(0, 0.0, 0, 0.0).taken == 0

    def test_ends_with_the_running_minute(self) -> None:
        assert Window(0, 0.0, 5, 72.5).ends_in == 13
        assert Window(0, 0.0, 0, 0.0).ends_in == 0

    @given(window=windows(), quota=st.integers(1, 10_000), share=st.floats(0, 1))
    def test_tells_to_the_second_when_there_is_enough_again(
        self, window: Window, quota: int, share: float
    ) -> None:
        amount = max(1, int(quota * share))
        wait = window.wait(quota, amount)
        assume(wait < 2 * SECONDS)

        assert later(window, wait).taken + amount <= quota
        assert wait == 0 or later(window, max(0, wait - 1.001)).taken + amount > quota

    @given(window=windows(), quota=st.integers(1, 10_000))
    def test_never_tells_to_wait_for_more_than_two_minutes(self, window: Window, quota: int) -> None:
        assert 0 <= window.wait(quota, 1) <= 2 * SECONDS
        assert 0 <= window.wait(quota, quota) <= 2 * SECONDS
