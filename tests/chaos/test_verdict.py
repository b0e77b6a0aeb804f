"""The referee's own rules."""

import pytest

from tests.chaos.verdict import Facts, Verdict, Word
from tests.chaos.wishes import Kind, Told


def facts(*, executed: int, recorded: bool, is_open: bool = False, told: Word | None = Word.DONE) -> Facts:
    return Facts(executed=executed, is_recorded=recorded, is_open=is_open, told=told, must_be_told=True)


WRONG = {
    "charged_twice": facts(executed=2, recorded=True),
    "lost": facts(executed=1, recorded=False),
    "phantom": facts(executed=0, recorded=False, told=Word.DONE),
    "denied": facts(executed=1, recorded=True, told=Word.NO),
    "unresolved": facts(executed=0, recorded=False, is_open=True, told=Word.NO),
}
SAID = {
    "done": (Told(object_id="1", status="COMPLETED"), Word.DONE),
    "failed": (Told(object_id="1", status="FAILED", codes=("DECLINED",)), Word.NO),
    "failed, and no error beside it": (Told(object_id="1", status="FAILED"), Word.NO),
    "cancelled": (Told(object_id="1", status="CANCELLED"), Word.NO),
    "a final error": (Told(object_id=None, status=None, codes=("PROVIDER_REFUSED",)), Word.NO),
    "a final error beside an open object": (
        Told(object_id="1", status="PENDING", codes=("PROVIDER_REFUSED",)),
        Word.NO,
    ),
    "a final error beside an object that is done": (
        Told(object_id="1", status="COMPLETED", codes=("PROVIDER_REFUSED",)),
        Word.NO,
    ),
    "pending": (Told(object_id="1", status="PENDING"), Word.UNDER_WAY),
    "to be authenticated": (Told(object_id="1", status="REQUIRES_ACTION"), Word.UNDER_WAY),
    "nothing at all": (Told(object_id=None, status=None), None),
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

    def test_of_a_client_that_was_told_to_wait_denies_nothing(self) -> None:
        verdict = Verdict.of([facts(executed=1, recorded=True, told=Word.UNDER_WAY)])

        assert verdict.holds

    def test_of_wishes_that_were_done_or_refused_holds(self) -> None:
        verdict = Verdict.of(
            [facts(executed=1, recorded=True), facts(executed=0, recorded=False, told=Word.NO)]
        )

        assert verdict.holds

    def test_names_all_that_it_counts(self) -> None:
        verdict = Verdict(tried=9, charged_twice=1, lost=2, phantom=3, denied=4, unresolved=5)

        assert str(verdict) == (
            "1 charged twice, 2 charged and lost, 3 said but not charged, 4 charged and denied, 5 unresolved"
        )

    def test_of_two_looks_at_the_same_wishes_forgets_no_wrong(self) -> None:
        first, last = Verdict(tried=3, unresolved=1), Verdict(tried=3, charged_twice=2)

        assert first.or_worse(last) == Verdict(tried=3, charged_twice=2, unresolved=1)
        assert first + last == Verdict(tried=6, charged_twice=2, unresolved=1)


class TestWord:
    @pytest.mark.parametrize(("told", "word"), SAID.values(), ids=SAID.keys())
    def test_of_an_answer_is_what_a_client_may_rely_on(self, told: Told, word: Word | None) -> None:
        assert told.word(Kind.PAYMENT) is word

    def test_of_a_subscription_that_expired_is_no(self) -> None:
        assert Told(object_id="1", status="EXPIRED").word(Kind.SUBSCRIPTION) is Word.NO
