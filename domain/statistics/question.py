"""A question to the statistics, and the sums that answer it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final

from domain.errors import InvalidInput
from domain.statistics.calendar import StatsInterval, bounds_between, zone_called
from domain.statistics.facts import QUARTER, STOCKS, Measure, quarter_of
from domain.statistics.metrics import METRICS, Metric, StatsDimension, StatsMetric

MOST_BUCKETS: Final = 1_000
MOST_METRICS: Final = len(StatsMetric)
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST: Final = timedelta(days=3_653)
"""Ten years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsWanted:
    """
    Sums per part between neighbouring bounds, per currency and member of a dimension.

    Bounds are full quarters of an hour; without a dimension everything is one member.
    """

    measures: Sequence[Measure]
    bounds: Sequence[datetime]
    is_hourly: bool
    dimension: StatsDimension | None
    currency: str | None
    livemode: bool

    @property
    def has_levels(self) -> bool:
        """Whether it matters what was before the first bound."""
        return not STOCKS.isdisjoint(self.measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsFound:
    """
    The sums of one member in one currency: per measure a list, first what was before the first bound, then per part.

    What was before is right for levels only.
    """

    member: str
    currency: str
    amounts: Mapping[Measure, Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class StatsQuestion:
    """
    `since` and `until` are moved outwards to full quarters of an hour.

    Raises InvalidInput for a span, a time zone or a combination that makes no sense.
    """

    metrics: Sequence[StatsMetric]
    since: datetime
    until: datetime
    interval: StatsInterval | None = None
    timezone: str = "UTC"
    currency: str | None = None
    group_by: Sequence[StatsDimension] = ()

    def __post_init__(self) -> None:
        _check_metrics(self.metrics)
        _check_groups(self.group_by, self.metrics)
        _check_span(self.since, self.until)
        _check_buckets(self.bounds)

    @cached_property
    def zone(self) -> tzinfo:
        return zone_called(self.timezone)

    @cached_property
    def bounds(self) -> Sequence[datetime]:
        start = quarter_of(self.since.astimezone(UTC))
        end = quarter_of(self.until.astimezone(UTC) + QUARTER - timedelta(microseconds=1))
        return bounds_between(start, end, self.interval, self.zone, at_most=MOST_BUCKETS)

    @property
    def dimension(self) -> StatsDimension | None:
        """The one beside the currency."""
        others = [each for each in self.group_by if each is not StatsDimension.CURRENCY]
        return others[0] if others else None

    @cached_property
    def asked(self) -> Sequence[tuple[StatsMetric, Metric]]:
        return [(each, METRICS[each]) for each in self.metrics]

    def sums(self, *, livemode: bool) -> SumsWanted:
        """The sums that it takes."""
        needed = {measure for _, metric in self.asked for measure in metric.measures}
        return SumsWanted(
            measures=[measure for measure in Measure if measure in needed],
            bounds=self.bounds,
            is_hourly=self.interval is StatsInterval.HOUR,
            dimension=self.dimension,
            currency=self.currency,
            livemode=livemode,
        )


def _check_metrics(metrics: Sequence[StatsMetric]) -> None:
    if not 1 <= len(set(metrics)) == len(metrics) <= MOST_METRICS:
        raise InvalidInput(
            f"Ask for 1 to {MOST_METRICS} metrics, each of them once.",
            path=("metrics",),
            constraint=f"1..{MOST_METRICS}",
        )


def _check_groups(group_by: Sequence[StatsDimension], metrics: Sequence[StatsMetric]) -> None:
    others = [each for each in group_by if each is not StatsDimension.CURRENCY]
    if len(others) > 1 or len(set(group_by)) != len(group_by):
        raise InvalidInput(
            "Group by the currency and at most one other dimension, each of them once.",
            path=("group_by",),
            constraint="maxItems",
        )
    for metric in metrics:
        for dimension in group_by:
            if dimension not in METRICS[metric].dimensions:
                raise InvalidInput(
                    f"{metric} cannot be grouped by {dimension}.", path=("group_by",), constraint="dimension"
                )


def _check_span(since: datetime, until: datetime) -> None:
    if since >= until:
        raise InvalidInput("The end must come after the start.", path=("to",), constraint="from < to")
    if since < EARLIEST:
        raise InvalidInput("Statistics begin with the year 2000.", path=("from",), constraint="from >= 2000")
    if until > LATEST:
        raise InvalidInput("Statistics end with the year 2099.", path=("to",), constraint="to <= 2100")
    if until - since > LONGEST:
        raise InvalidInput("Ask for ten years at most.", path=("to",), constraint="to - from <= 10 years")


def _check_buckets(bounds: Sequence[datetime]) -> None:
    if len(bounds) > MOST_BUCKETS + 1:
        raise InvalidInput(
            f"This interval would give more than {MOST_BUCKETS} buckets: take a longer one, or a shorter span.",
            path=("interval",),
            constraint=f"at most {MOST_BUCKETS} buckets",
        )
