"""The metrics: what is divided by what. docs/statistics.md says the same in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
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


Value: TypeAlias = int | float | None
"""None where nothing can be said, because there is nothing to divide by."""
Column: TypeAlias = Sequence[int]


class Series:
    """
    The sums of one group, per measure: first what was before the first bucket, then per bucket.

    What happened is told per bucket, and a level at a bucket's start and at its end.
    """

    def __init__(self, sums: Mapping[Measure, Column]) -> None:
        self._sums = sums

    def happened(self, measure: Measure) -> Column:
        return self._sums[measure][1:]

    def at_start(self, measure: Measure) -> Column:
        return list(accumulate(self._sums[measure]))[:-1]

    def at_end(self, measure: Measure) -> Column:
        return list(accumulate(self._sums[measure]))[1:]

    @property
    def total(self) -> "Series":
        """The same with all buckets as one."""
        return Series({measure: [column[0], sum(column[1:])] for measure, column in self._sums.items()})


Formula: TypeAlias = Callable[[Series], Sequence[Value]]
"""A value per bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    kind: Kind
    measures: frozenset[Measure]
    dimensions: frozenset[StatsDimension]
    formula: Formula

    @property
    def is_per_currency(self) -> bool:
        return self.kind in {Kind.MONEY, Kind.RATIO_OF_MONEY}

    def says_anything_of(self, sums: Mapping[Measure, Column]) -> bool:
        """Whether the group has anything of what this is made of, and not only of what other metrics are."""
        return any(any(sums[measure]) for measure in self.measures)


D = StatsDimension
OF_PAYMENTS: Final = frozenset({D.CURRENCY, D.PLAN, D.BRAND, D.COUNTRY, D.TRIGGER})
OF_DECLINES: Final = OF_PAYMENTS | {D.DECLINE_CATEGORY}
OF_SUBSCRIPTIONS: Final = frozenset({D.CURRENCY, D.PLAN})


def _number(measure: Measure) -> Formula:
    return lambda series: series.happened(measure)


def _level(measure: Measure) -> Formula:
    return lambda series: series.at_end(measure)


def _ratio(part: Measure, whole: Measure) -> Formula:
    return lambda series: _divided(series.happened(part), series.happened(whole))


def _net(series: Series) -> Sequence[Value]:
    columns = (series.happened(measure) for measure in (M.GROSS, M.REFUNDED, M.WITHHELD))
    return [gross - refunded - withheld for gross, refunded, withheld in zip(*columns, strict=True)]


def _success(series: Series) -> Sequence[Value]:
    completed, failed = series.happened(M.COMPLETED), series.happened(M.FAILED)
    return _divided(completed, [yes + no for yes, no in zip(completed, failed, strict=True)])


def _churn(series: Series) -> Sequence[Value]:
    return _divided(series.happened(M.ENDED), series.at_start(M.ACTIVE))


def _revenue_per_subscription(series: Series) -> Sequence[Value]:
    """To the nearest minor unit."""
    columns = zip(series.at_end(M.RECURRING), series.at_end(M.ACTIVE), strict=True)
    return [(2 * amount + number) // (2 * number) if number else None for amount, number in columns]


def _divided(parts: Column, wholes: Column) -> Sequence[Value]:
    return [part / whole if whole else None for part, whole in zip(parts, wholes, strict=True)]


def _metric(
    kind: Kind, dimensions: frozenset[StatsDimension], formula: Formula, *measures: Measure
) -> Metric:
    return Metric(kind=kind, measures=frozenset(measures), dimensions=dimensions, formula=formula)


def _sum(kind: Kind, dimensions: frozenset[StatsDimension], measure: Measure) -> Metric:
    return _metric(kind, dimensions, _number(measure), measure)


def _share(kind: Kind, dimensions: frozenset[StatsDimension], part: Measure, whole: Measure) -> Metric:
    return _metric(kind, dimensions, _ratio(part, whole), part, whole)


S, K = StatsMetric, Kind
METRICS: Final[Mapping[StatsMetric, Metric]] = {
    S.PAYMENTS_COUNT: _sum(K.COUNT, OF_PAYMENTS, M.MADE),
    S.GROSS_VOLUME: _sum(K.MONEY, OF_PAYMENTS, M.GROSS),
    S.NET_VOLUME: _metric(K.MONEY, OF_PAYMENTS, _net, M.GROSS, M.REFUNDED, M.WITHHELD),
    S.REFUNDED_VOLUME: _sum(K.MONEY, OF_PAYMENTS, M.REFUNDED),
    S.REFUND_RATE: _share(K.RATIO_OF_MONEY, OF_PAYMENTS, M.REFUNDED, M.GROSS),
    S.SUCCESS_RATE: _metric(K.RATIO, OF_PAYMENTS, _success, M.COMPLETED, M.FAILED),
    S.DECLINES: _sum(K.COUNT, OF_DECLINES, M.DECLINED),
    S.DISPUTE_RATE: _share(K.RATIO, OF_PAYMENTS, M.DISPUTED, M.COMPLETED),
    S.ACTIVE_SUBSCRIPTIONS: _metric(K.COUNT, OF_SUBSCRIPTIONS, _level(M.ACTIVE), M.ACTIVE),
    S.NEW_SUBSCRIPTIONS: _sum(K.COUNT, OF_SUBSCRIPTIONS, M.STARTED),
    S.CHURN_RATE: _metric(K.RATIO, OF_SUBSCRIPTIONS, _churn, M.ENDED, M.ACTIVE),
    S.MRR: _metric(K.MONEY, OF_SUBSCRIPTIONS, _level(M.RECURRING), M.RECURRING),
    S.ARPU: _metric(K.MONEY, OF_SUBSCRIPTIONS, _revenue_per_subscription, M.RECURRING, M.ACTIVE),
    S.DUNNING_RECOVERY_RATE: _share(K.RATIO, OF_SUBSCRIPTIONS, M.DUNNING_RECOVERED, M.DUNNING_STARTED),
}
