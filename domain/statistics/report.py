"""From sums to a report: values per bucket and in total, in groups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, repeat
from typing import Final, NamedTuple

from domain.errors import InvalidInput
from domain.money import Money
from domain.statistics.facts import Measure
from domain.statistics.metrics import Kind, Metric, Series, StatsDimension, StatsMetric, Value
from domain.statistics.question import StatsQuestion, SumsFound

MOST_VALUES: Final = 20_000


class Member(NamedTuple):
    """What a group stands for in one dimension; its name is empty for all that has no such thing."""

    dimension: StatsDimension
    name: str


class StatsValue(NamedTuple):
    """A tuple, since a report has thousands. `currency` is that of an amount, or of a ratio of amounts."""

    metric: StatsMetric
    group: Sequence[Member]
    kind: Kind
    currency: str | None
    value: Value

    @property
    def number(self) -> int | None:
        return int(self.value) if self.kind is Kind.COUNT and self.value is not None else None

    @property
    def money(self) -> Money | None:
        if self.kind is not Kind.MONEY or self.value is None or self.currency is None:
            return None
        return Money(minor=int(self.value), currency=self.currency)

    @property
    def ratio(self) -> float | None:
        is_ratio = self.kind in {Kind.RATIO, Kind.RATIO_OF_MONEY}
        return self.value if is_ratio else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsBucket:
    """From `start` on, and before `end`."""

    start: datetime
    end: datetime
    values: Sequence[StatsValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsReport:
    buckets: Sequence[StatsBucket]
    totals: Sequence[StatsValue]
    generated_at: datetime


class Group(NamedTuple):
    """What values are told for: `shown` to the caller; the currency where values are told per currency."""

    shown: tuple[Member, ...]
    currency: str | None


Groups = Mapping[Group, Mapping[Measure, Sequence[int]]]
"""Sums of each group, per part."""


def report_of(question: StatsQuestion, found: Sequence[SumsFound], *, at: datetime) -> StatsReport:
    """Every group has a value in every bucket. Raises InvalidInput where that would be too many values."""
    together = _grouped(question, found, is_per_currency=False)
    per_currency = _grouped(question, found, is_per_currency=True)
    series = [
        (name, metric, group, Series(sums))
        for name, metric in question.asked
        for group, sums in (per_currency if metric.is_per_currency else together).items()
        if not question.group_by or metric.says_anything_of(sums)
    ]
    _check_size(len(series) * len(question.bounds))
    cuts = list(pairwise(question.bounds)) if question.interval else []
    columns = [
        _values(name, metric, group, metric.formula(sums) if cuts else ())
        for name, metric, group, sums in series
    ]
    rows = zip(*columns, strict=True) if columns else repeat(())
    totals = [
        _values(name, metric, group, metric.formula(sums.total)) for name, metric, group, sums in series
    ]
    return StatsReport(
        buckets=[
            StatsBucket(start=start, end=end, values=row)
            for (start, end), row in zip(cuts, rows, strict=False)
        ],
        totals=[value for values in totals for value in values],
        generated_at=at,
    )


def _grouped(question: StatsQuestion, found: Sequence[SumsFound], *, is_per_currency: bool) -> Groups:
    """In the order of their names. What is not grouped is one group, also where nothing happened."""
    groups: dict[Group, dict[Measure, Sequence[int]]] = {}
    if not question.group_by and not is_per_currency:
        measures = question.sums(livemode=False).measures
        groups[Group((), None)] = {measure: [0] * len(question.bounds) for measure in measures}
    for sums in found:
        group = Group(_shown(question, sums), sums.currency if is_per_currency else None)
        known = groups.get(group)
        groups[group] = dict(sums.amounts) if known is None else _together(known, sums.amounts)
    return dict(sorted(groups.items()))


def _shown(question: StatsQuestion, sums: SumsFound) -> tuple[Member, ...]:
    return tuple(
        Member(dimension, sums.currency if dimension is StatsDimension.CURRENCY else sums.member)
        for dimension in question.group_by
    )


def _together(
    some: Mapping[Measure, Sequence[int]], others: Mapping[Measure, Sequence[int]]
) -> dict[Measure, Sequence[int]]:
    return {measure: [a + b for a, b in zip(some[measure], others[measure], strict=True)] for measure in some}


def _values(name: StatsMetric, metric: Metric, group: Group, values: Iterable[Value]) -> list[StatsValue]:
    return list(
        map(
            StatsValue, repeat(name), repeat(group.shown), repeat(metric.kind), repeat(group.currency), values
        )
    )


def _check_size(values: int) -> None:
    if values > MOST_VALUES:
        raise InvalidInput(
            f"This would be more than {MOST_VALUES} values: ask for fewer metrics or groups, or a longer interval.",
            path=("group_by",),
            constraint=f"at most {MOST_VALUES} values",
        )
