"""From sums to a report: values per bucket and in total, in groups."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from domain.errors import InvalidInput
from domain.money import Money
from domain.statistics.facts import STOCKS, Measure
from domain.statistics.metrics import Kind, Metric, Span, StatsDimension, StatsMetric
from domain.statistics.question import StatsQuestion, SumsFound

MOST_VALUES: Final = 20_000


class StatsValue(NamedTuple):
    """A tuple, since a report has thousands. `currency` is that of an amount, or of a ratio of amounts."""

    metric: StatsMetric
    group: Sequence[str]
    kind: Kind
    value: int | float | None
    currency: str | None

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

    shown: tuple[str, ...]
    currency: str | None


Parts: TypeAlias = list[dict[Measure, int]]
"""Sums per part: before the first bucket, then in each bucket."""
Groups: TypeAlias = Mapping[Group, Sequence[Span]]


def report_of(question: StatsQuestion, found: Sequence[SumsFound], *, at: datetime) -> StatsReport:
    """Every group has a value in every bucket. Raises InvalidInput where that would be too many values."""
    together = _groups(question, found, is_per_currency=False)
    per_currency = _groups(question, found, is_per_currency=True)
    series = [
        (metric, definition, group, spans)
        for metric, definition in question.asked
        for group, spans in (per_currency if definition.is_per_currency else together).items()
    ]
    number = len(question.bounds) - 1 if question.interval else 0
    _check_size(len(series) * (number + 1))
    columns = [
        [_value(metric, definition, group, span) for span in (*spans[:number], _total(spans))]
        for metric, definition, group, spans in series
    ]
    rows = [[column[at] for column in columns] for at in range(number + 1)]
    cuts = list(pairwise(question.bounds))[:number]
    return StatsReport(
        buckets=[
            StatsBucket(start=start, end=end, values=row)
            for (start, end), row in zip(cuts, rows[:number], strict=True)
        ],
        totals=rows[number],
        generated_at=at,
    )


def _groups(question: StatsQuestion, found: Sequence[SumsFound], *, is_per_currency: bool) -> Groups:
    """In the order of their names. What is not grouped is one group, also where nothing happened."""
    wanted = [metric for _, metric in question.asked if metric.is_per_currency is is_per_currency]
    if not wanted:
        return {}
    measures = question.sums(livemode=False).measures
    sums: dict[Group, Parts] = {}
    if not question.group_by and not is_per_currency:
        sums[Group((), None)] = _nothing(question, measures)
    for row in found:
        group = _group(question, row, is_per_currency=is_per_currency)
        if group not in sums:
            sums[group] = _nothing(question, measures)
        part = sums[group][row.part]
        for measure, amount in zip(measures, row.amounts, strict=True):
            part[measure] += amount
    used = {measure for metric in wanted for measure in metric.measures}
    return {
        group: _spans(parts)
        for group, parts in sorted(sums.items())
        if not question.group_by or _says_anything(parts, used)
    }


def _group(question: StatsQuestion, row: SumsFound, *, is_per_currency: bool) -> Group:
    shown = tuple(
        row.currency if dimension is StatsDimension.CURRENCY else row.member
        for dimension in question.group_by
    )
    return Group(shown, row.currency if is_per_currency else None)


def _nothing(question: StatsQuestion, measures: Sequence[Measure]) -> Parts:
    return [dict.fromkeys(measures, 0) for _ in question.bounds]


def _says_anything(parts: Parts, used: Set[Measure]) -> bool:
    """A group that has only what other metrics are made of is none of this one's."""
    return any(part[measure] for part in parts for measure in used if measure in part)


def _spans(parts: Parts) -> Sequence[Span]:
    before, *buckets = parts
    level = {measure: amount for measure, amount in before.items() if measure in STOCKS}
    spans = []
    for happened in buckets:
        reached = {measure: amount + happened[measure] for measure, amount in level.items()}
        spans.append(Span(happened, level, reached))
        level = reached
    return spans


def _total(spans: Sequence[Span]) -> Span:
    happened = {measure: sum(span.happened[measure] for span in spans) for measure in spans[0].happened}
    return Span(happened, spans[0].at_start, spans[-1].at_end)


def _value(metric: StatsMetric, definition: Metric, group: Group, span: Span) -> StatsValue:
    return StatsValue(metric, group.shown, definition.kind, definition.formula(span), group.currency)


def _check_size(values: int) -> None:
    if values > MOST_VALUES:
        raise InvalidInput(
            f"This would be more than {MOST_VALUES} values: ask for fewer metrics or groups, or a longer interval.",
            path=("group_by",),
            constraint=f"at most {MOST_VALUES} values",
        )
