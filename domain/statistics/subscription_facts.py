"""What subscriptions contribute, step by step through their lives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.plan import Plan
from domain.statistics.facts import Delta, Facts, Measure, Traits, difference
from domain.subscription import Step, Subscription
from domain.subscription_status import LIVE, SubscriptionStatus

BEGUN: Final = LIVE - {SubscriptionStatus.INCOMPLETE}
"""It has been paid for or is on trial, and has not ended."""
RECURS: Final = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
"""Its price is due period after period: not on trial, not paused, not given up."""
RETRIED: Final = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})


def subscription_facts(
    before: Subscription | None, after: Subscription, plans: Mapping[UUID, Plan]
) -> Sequence[Delta]:
    """What a subscription's change changes. `plans` are all that it ever was to, by id."""
    return difference(
        facts_of_subscription(before, plans) if before else Facts(), facts_of_subscription(after, plans)
    )


def facts_of_subscription(subscription: Subscription, plans: Mapping[UUID, Plan]) -> Facts:
    life = Life(livemode=subscription.livemode)
    for step in subscription.steps:
        life.take(step, plans[step.plan_id])
    return life.facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a subscription adds to the levels from a step on."""

    traits: Traits
    active: int
    recurring: int


@dataclass(slots=True, kw_only=True)
class Life:
    livemode: bool
    facts: Facts = field(default_factory=Facts)
    has_begun: bool = False
    level: Level | None = None
    dunned_since: tuple[datetime, Traits] | None = None

    def take(self, step: Step, plan: Plan) -> None:
        """Begin once, end once, move between levels, and be dunned any number of times."""
        traits = Traits(livemode=self.livemode, currency=plan.currency, plan_id=plan.id)
        if step.status in BEGUN and not self.has_begun:
            self.has_begun = True
            self.facts.add(step.at, traits, Measure.STARTED)
        if step.status not in LIVE and self._is_active:
            self.facts.add(step.at, traits, Measure.ENDED)
        self._move(step, _level(step, plan, traits))
        self._follow_dunning(step, traits)

    @property
    def _is_active(self) -> bool:
        return self.level is not None and bool(self.level.active)

    def _move(self, step: Step, to: Level) -> None:
        for level, sign in ((self.level, -1), (to, 1)):
            if level is not None:
                self.facts.add(step.at, level.traits, Measure.ACTIVE, sign * level.active)
                self.facts.add(step.at, level.traits, Measure.RECURRING, sign * level.recurring)
        self.level = to

    def _follow_dunning(self, step: Step, traits: Traits) -> None:
        """A recovery counts where its dunning began, so that the two can be divided."""
        if step.status is SubscriptionStatus.PAST_DUE and self.dunned_since is None:
            self.dunned_since = step.at, traits
            self.facts.add(step.at, traits, Measure.DUNNING_STARTED)
        elif step.status not in RETRIED and self.dunned_since is not None:
            since, their_traits = self.dunned_since
            if step.status is SubscriptionStatus.ACTIVE:
                self.facts.add(since, their_traits, Measure.DUNNING_RECOVERED)
            self.dunned_since = None


def _level(step: Step, plan: Plan, traits: Traits) -> Level:
    return Level(
        traits=traits,
        active=int(step.status in BEGUN),
        recurring=plan.monthly_amount if step.status in RECURS else 0,
    )
