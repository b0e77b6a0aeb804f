"""Which of several reasons decides, and what the customer hears."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.access import AccessQuestion, AccessReason, AccessRemedy, AccessTarget, Entitlement
from domain.access_decision import ALLOWING, EXPLANATIONS, REFUSING, AccessDecision, decide
from tests.domain.access_values import FILM, HD, RULES, an_entitlement
from tests.domain.values import NOON, OWNER

R, M = AccessReason, AccessRemedy
DAY = timedelta(days=1)


def saying(reason: AccessReason, *, ends_at: datetime | None = None) -> Entitlement:
    """An entitlement that gives this reason at noon."""
    if reason in ALLOWING:
        begun = NOON if reason is R.GRACE_PERIOD else None
        return an_entitlement(reason, ends_at=ends_at or begun)
    return an_entitlement(R.OWNED, revoked_reason=reason, revoked_at=NOON)


def decided(*found: Entitlement, target: AccessTarget = FILM, is_awaited: bool = False) -> AccessDecision:
    question = AccessQuestion(user_id=OWNER, target=target)
    return decide(question, found, is_awaited=is_awaited, rules=RULES, at=NOON)


class TestReasons:
    def test_are_all_ranked_and_explained(self) -> None:
        assert sorted(ALLOWING + REFUSING) == sorted(AccessReason)
        assert EXPLANATIONS.keys() == set(AccessReason)

    @pytest.mark.parametrize("reason", AccessReason)
    def test_are_told_as_they_are_with_one_sentence(self, reason: AccessReason) -> None:
        decision = decided(saying(reason))

        assert decision.reason is reason
        assert decision.allowed is (reason in ALLOWING)
        assert decision.explanation.endswith(".")
        assert decision.explanation.count(".") == 1
        assert decision.evaluated_at == NOON

    def test_without_any_it_was_not_bought(self) -> None:
        decision = decided()

        assert (decision.allowed, decision.reason, decision.source) == (False, R.NOT_PURCHASED, None)

    @pytest.mark.parametrize("rank", range(len(AccessReason) - 1))
    def test_the_better_one_decides_in_any_order(self, rank: int) -> None:
        better, worse = map(saying, (ALLOWING + REFUSING)[rank : rank + 2])

        assert decided(better, worse).source is better
        assert decided(worse, better).source is better

    def test_of_equals_the_one_that_lasts_longest_decides(self) -> None:
        short, long = saying(R.GRANTED, ends_at=NOON + DAY), saying(R.GRANTED, ends_at=NOON + 2 * DAY)

        assert decided(short, long).source is long
        assert decided(short, long, saying(R.GRANTED)).until is None

    @pytest.mark.parametrize(
        ("known", "reason"),
        [
            ({"reason": R.GRANTED, "ends_at": NOON + DAY}, R.GRANTED),
            ({"reason": R.GRANTED, "ends_at": NOON}, R.NOT_PURCHASED),
            ({"reason": R.SUBSCRIBED, "ends_at": NOON}, R.SUBSCRIPTION_ENDED),
            ({"reason": R.TRIAL, "ends_at": NOON}, R.SUBSCRIPTION_ENDED),
            ({"reason": R.SUBSCRIBED, "ends_at": NOON, "renews": True}, R.SUBSCRIBED),
            ({"reason": R.TRIAL, "ends_at": NOON - RULES.renewal_leeway, "renews": True}, R.PAYMENT_OVERDUE),
            ({"reason": R.GRACE_PERIOD, "ends_at": NOON - RULES.grace}, R.PAYMENT_OVERDUE),
        ],
    )
    def test_change_with_time_alone(self, known: dict[str, Any], reason: AccessReason) -> None:
        assert an_entitlement(**known).reason_at(NOON, RULES) is reason


class TestUntil:
    def test_is_the_end_of_the_last_reason_that_holds(self) -> None:
        subscribed = saying(R.SUBSCRIBED, ends_at=NOON + DAY)
        granted = saying(R.GRANTED, ends_at=NOON + 9 * DAY)

        decision = decided(subscribed, granted)

        assert (decision.reason, decision.until) == (R.SUBSCRIBED, NOON + 9 * DAY)

    def test_of_a_refusal_is_none(self) -> None:
        assert decided(saying(R.REFUNDED), an_entitlement(ends_at=NOON)).until is None

    def test_of_a_grace_period_is_the_end_of_grace(self) -> None:
        assert decided(saying(R.GRACE_PERIOD)).until == NOON + RULES.grace


class TestRemedies:
    @pytest.mark.parametrize(
        ("reason", "remedies", "while_awaited"),
        [
            (R.OWNED, (), ()),
            (R.SUBSCRIBED, (), ()),
            (R.TRIAL, (), ()),
            (R.GRANTED, (), ()),
            (R.GRACE_PERIOD, (M.UPDATE_CARD,), (M.AUTHENTICATE, M.UPDATE_CARD)),
            (R.PAYMENT_OVERDUE, (M.UPDATE_CARD,), (M.AUTHENTICATE, M.UPDATE_CARD)),
            (R.DISPUTED, (M.CONTACT_SUPPORT,), (M.AUTHENTICATE, M.CONTACT_SUPPORT)),
            (R.SUBSCRIPTION_ENDED, (M.SUBSCRIBE,), (M.AUTHENTICATE, M.SUBSCRIBE)),
            (R.REFUNDED, (M.BUY, M.CONTACT_SUPPORT), (M.AUTHENTICATE, M.BUY, M.CONTACT_SUPPORT)),
            (R.NOT_PURCHASED, (M.BUY,), (M.AUTHENTICATE,)),
        ],
    )
    def test_of_a_reason(
        self,
        reason: AccessReason,
        remedies: tuple[AccessRemedy, ...],
        while_awaited: tuple[AccessRemedy, ...],
    ) -> None:
        assert tuple(decided(saying(reason)).remedies) == remedies
        assert tuple(decided(saying(reason), is_awaited=True).remedies) == while_awaited

    def test_of_a_feature_that_nobody_has_is_to_subscribe(self) -> None:
        assert tuple(decided(target=HD).remedies) == (M.SUBSCRIBE,)

    def test_of_what_awaits_the_bank_is_explained(self) -> None:
        assert "bank" in decided(is_awaited=True).explanation

    def test_of_a_grant_that_is_over_is_explained(self) -> None:
        assert "granted" in decided(an_entitlement(ends_at=NOON)).explanation
