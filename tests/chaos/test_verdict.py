"""The referee's own rules."""

import pytest

from tests.chaos.verdict import Facts, Verdict


def facts(*, executed: int, recorded: bool, is_open: bool = False, told: bool | None = True) -> Facts:
    return Facts(executed=executed, is_recorded=recorded, is_open=is_open, told=told, must_be_told=True)


WRONG = {
    "charged_twice": facts(executed=2, recorded=True),
    "lost": facts(executed=1, recorded=False),
    "phantom": facts(executed=0, recorded=False, told=True),
    "unresolved": facts(executed=0, recorded=False, is_open=True, told=False),
}


class TestVerdict:
    @pytest.mark.parametrize(("name", "wrong"), WRONG.items(), ids=WRONG.keys())
    def test_of_one_wrong_wish_counts_it_under_its_name(self, name: str, wrong: Facts) -> None:
        verdict = Verdict.of([wrong, facts(executed=1, recorded=True)])

        assert verdict == Verdict(**{"tried": 2, name: 1})
        assert not verdict.holds

    def test_of_a_client_that_was_told_nothing_is_unresolved(self) -> None:
        verdict = Verdict.of([facts(executed=1, recorded=True, told=None)])

        assert verdict == Verdict(tried=1, unresolved=1)

    def test_of_wishes_that_were_done_or_refused_holds(self) -> None:
        verdict = Verdict.of(
            [facts(executed=1, recorded=True), facts(executed=0, recorded=False, told=False)]
        )

        assert verdict.holds
