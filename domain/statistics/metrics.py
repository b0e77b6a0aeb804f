"""The metrics: what is divided by what. docs/statistics.md says the same in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from domain.statistics.facts import Measure

M = Measure


class StatsMetric(StrEnum):
    PAYMENTS_COUNT = "PAYMENTS_COUNT"
    GROSS_VOLUME = "GROSS_VOLUME"
    NET_VOLUME = "NET_VOLUME"
    REFUNDED_VOLUME = "REFUNDED_VOLUME"
    REFUND_RATE = "REFUND_RATE"
    SUCCESS_RATE = "SUCCESS_RATE"
    DECLINES = "DECLINES"
    DISPUTE_RATE = "DISPUTE_RATE"
    ACTIVE_SUBSCRIPTIONS = "ACTIVE_SUBSCRIPTIONS"
    NEW_SUBSCRIPTIONS = "NEW_SUBSCRIPTIONS"
    CHURN_RATE = "CHURN_RATE"
    MRR = "MRR"
    ARPU = "ARPU"
    DUNNING_RECOVERY_RATE = "DUNNING_RECOVERY_RATE"


class StatsDimension(StrEnum):
    CURRENCY = "CURRENCY"
    PLAN = "PLAN"
    BRAND = "BRAND"
    COUNTRY = "COUNTRY"
    DECLINE_CATEGORY = "DECLINE_CATEGORY"
    TRIGGER = "TRIGGER"


class Kind(StrEnum):
    """What a value is; a ratio of amounts is told per currency, as amounts are."""

    COUNT = "COUNT"
    MONEY = "MONEY"
    RATIO = "RATIO"
    RATIO_OF_MONEY = "RATIO_OF_MONEY"


Sums: TypeAlias = Mapping[Measure, int]


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in a span of time, and the levels at its start and its end."""

    happened: Sums
    at_start: Sums
    at_end: Sums


Formula: TypeAlias = Callable[[Span], int | float | None]
"""None where nothing can be said, because there is nothing to divide by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    kind: Kind
    measures: frozenset[Measure]
    dimensions: frozenset[StatsDimension]
    formula: Formula

    @property
    def is_per_currency(self) -> bool:
        return self.kind in {Kind.MONEY, Kind.RATIO_OF_MONEY}

    @property
    def is_ratio(self) -> bool:
        return self.kind in {Kind.RATIO, Kind.RATIO_OF_MONEY}


D = StatsDimension
OF_PAYMENTS: Final = frozenset({D.CURRENCY, D.PLAN, D.BRAND, D.COUNTRY, D.TRIGGER})
OF_DECLINES: Final = OF_PAYMENTS | {D.DECLINE_CATEGORY}
OF_SUBSCRIPTIONS: Final = frozenset({D.CURRENCY, D.PLAN})


def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _net(span: Span) -> int:
    happened = span.happened
    return happened[M.GROSS] - happened[M.REFUNDED] - happened[M.WITHHELD]


def _success(span: Span) -> float | None:
    completed = span.happened[M.COMPLETED]
    return ratio(completed, completed + span.happened[M.FAILED])


def _revenue_per_subscription(span: Span) -> int | None:
    """To the nearest minor unit."""
    amount, number = span.at_end[M.RECURRING], span.at_end[M.ACTIVE]
    return (2 * amount + number) // (2 * number) if number else None


def _metric(
    formula: Formula, *measures: Measure, by: frozenset[StatsDimension], kind: Kind = Kind.COUNT
) -> Metric:
    return Metric(kind=kind, measures=frozenset(measures), dimensions=by, formula=formula)


METRICS: Final[Mapping[StatsMetric, Metric]] = {
    StatsMetric.PAYMENTS_COUNT: _metric(lambda span: span.happened[M.MADE], M.MADE, by=OF_PAYMENTS),
    StatsMetric.GROSS_VOLUME: _metric(
        lambda span: span.happened[M.GROSS], M.GROSS, by=OF_PAYMENTS, kind=Kind.MONEY
    ),
    StatsMetric.NET_VOLUME: _metric(_net, M.GROSS, M.REFUNDED, M.WITHHELD, by=OF_PAYMENTS, kind=Kind.MONEY),
    StatsMetric.REFUNDED_VOLUME: _metric(
        lambda span: span.happened[M.REFUNDED], M.REFUNDED, by=OF_PAYMENTS, kind=Kind.MONEY
    ),
    StatsMetric.REFUND_RATE: _metric(
        lambda span: ratio(span.happened[M.REFUNDED], span.happened[M.GROSS]),
        M.REFUNDED,
        M.GROSS,
        by=OF_PAYMENTS,
        kind=Kind.RATIO_OF_MONEY,
    ),
    StatsMetric.SUCCESS_RATE: _metric(_success, M.COMPLETED, M.FAILED, by=OF_PAYMENTS, kind=Kind.RATIO),
    StatsMetric.DECLINES: _metric(lambda span: span.happened[M.DECLINED], M.DECLINED, by=OF_DECLINES),
    StatsMetric.DISPUTE_RATE: _metric(
        lambda span: ratio(span.happened[M.DISPUTED], span.happened[M.COMPLETED]),
        M.DISPUTED,
        M.COMPLETED,
        by=OF_PAYMENTS,
        kind=Kind.RATIO,
    ),
    StatsMetric.ACTIVE_SUBSCRIPTIONS: _metric(
        lambda span: span.at_end[M.ACTIVE], M.ACTIVE, by=OF_SUBSCRIPTIONS
    ),
    StatsMetric.NEW_SUBSCRIPTIONS: _metric(
        lambda span: span.happened[M.STARTED], M.STARTED, by=OF_SUBSCRIPTIONS
    ),
    StatsMetric.CHURN_RATE: _metric(
        lambda span: ratio(span.happened[M.ENDED], span.at_start[M.ACTIVE]),
        M.ENDED,
        M.ACTIVE,
        by=OF_SUBSCRIPTIONS,
        kind=Kind.RATIO,
    ),
    StatsMetric.MRR: _metric(
        lambda span: span.at_end[M.RECURRING], M.RECURRING, by=OF_SUBSCRIPTIONS, kind=Kind.MONEY
    ),
    StatsMetric.ARPU: _metric(
        _revenue_per_subscription, M.RECURRING, M.ACTIVE, by=OF_SUBSCRIPTIONS, kind=Kind.MONEY
    ),
    StatsMetric.DUNNING_RECOVERY_RATE: _metric(
        lambda span: ratio(span.happened[M.DUNNING_RECOVERED], span.happened[M.DUNNING_STARTED]),
        M.DUNNING_RECOVERED,
        M.DUNNING_STARTED,
        by=OF_SUBSCRIPTIONS,
        kind=Kind.RATIO,
    ),
}
