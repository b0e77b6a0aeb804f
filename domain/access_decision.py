"""The answer to "may this user use that?", from every reason that speaks for it or against it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain.access import AccessQuestion, AccessReason, AccessRemedy, AccessTarget, Entitlement
from domain.rules import Rules

R, M = AccessReason, AccessRemedy

ALLOWING: Final = (R.OWNED, R.SUBSCRIBED, R.TRIAL, R.GRANTED, R.GRACE_PERIOD)
"""The best first: the one that the user can rely on most."""
REFUSING: Final = (R.PAYMENT_OVERDUE, R.DISPUTED, R.SUBSCRIPTION_ENDED, R.REFUNDED, R.NOT_PURCHASED)
"""The most useful to hear of first: the one that is closest to access, or explains most."""
RANK: Final[Mapping[AccessReason, int]] = {reason: rank for rank, reason in enumerate(ALLOWING + REFUSING)}

EXPLANATIONS: Final[Mapping[AccessReason, str]] = {
    R.OWNED: "This was bought and stays available for good.",
    R.SUBSCRIBED: "A subscription includes this.",
    R.TRIAL: "A trial of a subscription includes this.",
    R.GRANTED: "Access to this was granted.",
    R.GRACE_PERIOD: "The last renewal was not paid, and access goes on for a few days while it is tried again.",
    R.PAYMENT_OVERDUE: "The subscription that includes this is not paid for.",
    R.DISPUTED: "The payer's bank has taken the money for this back and decides whose it is.",
    R.SUBSCRIPTION_ENDED: "The subscription that included this has ended.",
    R.REFUNDED: "The money for this was given back.",
    R.NOT_PURCHASED: "This was not bought, and nothing else gives access to it.",
}
GRANT_IS_OVER: Final = "The access that was granted is over."
AWAITS_THE_BANK: Final = "The payment for this waits for its payer to confirm it at their bank."

REMEDIES: Final[Mapping[AccessReason, tuple[AccessRemedy, ...]]] = {
    R.GRACE_PERIOD: (M.UPDATE_CARD,),
    R.PAYMENT_OVERDUE: (M.UPDATE_CARD,),
    R.DISPUTED: (M.CONTACT_SUPPORT,),
    R.SUBSCRIPTION_ENDED: (M.SUBSCRIBE,),
    R.REFUNDED: (M.BUY, M.CONTACT_SUPPORT),
}
"""What helps; what was never bought can be, as its kind of target goes."""

FOR_GOOD: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDecision:
    """
    `until` is when access ends if nothing else happens; None where it is for good, or refused.

    `source` is the entitlement that decided; None where nothing ever spoke for access. `remedies` are what the
    customer can do to get access, or to keep it, the most promising first.
    """

    question: AccessQuestion
    allowed: bool
    reason: AccessReason
    explanation: str
    until: datetime | None = None
    source: Entitlement | None = None
    remedies: Sequence[AccessRemedy] = ()
    evaluated_at: datetime


def decide(
    question: AccessQuestion,
    found: Collection[Entitlement],
    *,
    is_awaited: bool = False,
    rules: Rules,
    at: datetime,
) -> AccessDecision:
    """
    The best reason for access decides, and where there is none the most useful refusal.

    `found` are the entitlements of this question alone; `is_awaited` is whether a payment that would give access
    waits for the customer at their bank.
    """
    source = min(found, key=lambda each: _merit(each, rules, at), default=None)
    reason = R.NOT_PURCHASED if source is None else source.reason_at(at, rules)
    return AccessDecision(
        question=question,
        allowed=reason in ALLOWING,
        reason=reason,
        explanation=_explanation(reason, source, is_awaited=is_awaited),
        until=_end_of_all(found, rules, at) if reason in ALLOWING else None,
        source=source,
        remedies=_remedies(reason, question.target, is_awaited=is_awaited),
        evaluated_at=at,
    )


def _merit(entitlement: Entitlement, rules: Rules, at: datetime) -> tuple[int, float]:
    """Among equal reasons the one that lasts longest."""
    end = entitlement.lasts_until(rules) or FOR_GOOD
    return RANK[entitlement.reason_at(at, rules)], -end.timestamp()


def _end_of_all(found: Collection[Entitlement], rules: Rules, at: datetime) -> datetime | None:
    """Access goes on with the next best reason when the best one is over."""
    holding = [each for each in found if each.reason_at(at, rules) in ALLOWING]
    end = max(each.lasts_until(rules) or FOR_GOOD for each in holding)
    return None if end == FOR_GOOD else end


def _explanation(reason: AccessReason, source: Entitlement | None, *, is_awaited: bool) -> str:
    if reason is R.NOT_PURCHASED and is_awaited:
        return AWAITS_THE_BANK
    if reason is R.NOT_PURCHASED and source is not None:
        return GRANT_IS_OVER
    return EXPLANATIONS[reason]


def _remedies(reason: AccessReason, target: AccessTarget, *, is_awaited: bool) -> tuple[AccessRemedy, ...]:
    usual = REMEDIES.get(reason, ())
    if reason is R.NOT_PURCHASED:
        offer = M.SUBSCRIBE if target.media_item_id is None else M.BUY
        return (M.AUTHENTICATE,) if is_awaited else (offer,)
    is_wanted = is_awaited and (reason in REFUSING or reason is R.GRACE_PERIOD)
    return (M.AUTHENTICATE, *usual) if is_wanted else usual
