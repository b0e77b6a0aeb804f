"""Statistics for admins: totals, and the same in buckets where an interval is asked for."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field

from domain.errors import ErrorCode
from domain.statistics.calendar import StatsInterval
from domain.statistics.metrics import METRICS, Kind, StatsMetric
from domain.statistics.question import StatsQuestion
from domain.statistics.report import StatsBucket, StatsReport, StatsValue
from web.rest.call import Answer, Call
from web.rest.fields import Currency, Model, Query, Since, Until
from web.rest.route import Envelope, NoMeta, Reply, RestRoute, Who

USUAL_SPAN: Final = timedelta(days=30)


class Interval(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class StatsQuery(Query):
    date_from: Annotated[
        Since | None,
        Field(
            description="From here on; a date begins with its day in UTC. 30 days before date_to where none is given."
        ),
    ] = None
    date_to: Annotated[
        Until | None,
        Field(
            description="Before this instant; a date is the whole of its day in UTC. Now where none is given."
        ),
    ] = None
    currency: Annotated[Currency | None, Field(description="Only what is in this currency.")] = None
    interval: Annotated[
        Interval | None, Field(description="How the span is cut into buckets, by the clocks of UTC.")
    ] = None

    def question(self, now: datetime) -> StatsQuestion:
        """Everything that is measured. Raises InvalidInput."""
        until = self.date_to or now
        return StatsQuestion(
            metrics=list(StatsMetric),
            since=self.date_from or until - USUAL_SPAN,
            until=until,
            interval=None if self.interval is None else StatsInterval[self.interval.name],
            currency=self.currency,
        )


class AmountBody(Model):
    """An amount in one currency, in its minor units; it may be negative."""

    currency: str
    amount: int


class RateBody(Model):
    """A share in one currency: 0.25 is a quarter. Null where there is nothing to divide by."""

    currency: str
    rate: float | None


class FiguresBody(Model):
    """What docs/statistics.md defines. Amounts are told per currency, and rates are null where nothing divides."""

    payments_count: int
    gross_volume: list[AmountBody]
    net_volume: list[AmountBody]
    refunded_volume: list[AmountBody]
    refund_rate: list[RateBody]
    success_rate: float | None
    declines: int
    dispute_rate: float | None
    active_subscriptions: int
    new_subscriptions: int
    churn_rate: float | None
    mrr: list[AmountBody]
    arpu: list[AmountBody]
    dunning_recovery_rate: float | None

    @classmethod
    def of(cls, values: Iterable[StatsValue]) -> Self:
        found: defaultdict[StatsMetric, list[StatsValue]] = defaultdict(list)
        for value in values:
            found[value.metric].append(value)
        return cls(**{metric.lower(): _figure(metric, found[metric]) for metric in StatsMetric})


class BucketBody(FiguresBody):
    """A part of the span, from its start on and before its end."""

    start: datetime
    end: datetime

    @classmethod
    def at(cls, bucket: StatsBucket) -> Self:
        figures = FiguresBody.of(bucket.values)
        return cls(start=bucket.start, end=bucket.end, **dict(figures))


class StatsBody(Model):
    """What was counted, exact at the moment of the answer."""

    date_from: Annotated[datetime, Field(description="Moved back to a full quarter of an hour.")]
    date_to: Annotated[datetime, Field(description="Moved on to a full quarter of an hour.")]
    totals: FiguresBody
    buckets: Annotated[list[BucketBody], Field(description="In their order; none without an interval.")]
    generated_at: datetime

    @classmethod
    def of(cls, question: StatsQuestion, report: StatsReport) -> Self:
        return cls(
            date_from=question.bounds[0],
            date_to=question.bounds[-1],
            totals=FiguresBody.of(report.totals),
            buckets=[BucketBody.at(bucket) for bucket in report.buckets],
            generated_at=report.generated_at,
        )


def _figure(metric: StatsMetric, values: list[StatsValue]) -> Any:
    """One value per currency where the metric is told so, and one alone otherwise."""
    match METRICS[metric].kind:
        case Kind.MONEY:
            return [AmountBody(currency=each.currency or "", amount=int(each.value or 0)) for each in values]
        case Kind.RATIO_OF_MONEY:
            return [RateBody(currency=each.currency or "", rate=each.value) for each in values]
        case Kind.COUNT:
            return int(values[0].value or 0)
        case Kind.RATIO:
            return values[0].value


async def stats(call: Call[StatsQuery, None]) -> Answer:
    question = call.query.question(call.services.clock())
    report = await call.services.statistics.report(call.actor, question)
    return Answer(data=StatsBody.of(question, report))


STATS: Final = Envelope[StatsBody, NoMeta]

STATS_ROUTES: Final = (
    RestRoute(
        name="payment-statistics",
        method="GET",
        path="/stats",
        summary="What happened in a span of time",
        description="Admins. Exact at the moment of the answer.",
        who=Who.ADMINS,
        graphql=("stats",),
        query=StatsQuery,
        replies={200: Reply(description="The figures.", model=STATS)},
        errors=(ErrorCode.INVALID_INPUT, ErrorCode.FORBIDDEN),
        names={"from": "date_from", "to": "date_to", "group_by": "interval"},
        handle=stats,
    ),
)
