"""Statistics for admins."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from domain.plan import Plan
from domain.statistics.calendar import StatsInterval
from domain.statistics.metrics import StatsDimension, StatsMetric
from domain.statistics.question import StatsQuestion
from domain.statistics.report import Member, StatsValue
from gql.context import Info
from gql.ids import global_id
from gql.money import MoneyView
from gql.node import optional_view, view
from gql.scalars import CurrencyCode

METRICS: Final = {
    StatsMetric.PAYMENTS_COUNT: "Payments that were asked for, whatever became of them, when they were made.",
    StatsMetric.GROSS_VOLUME: "What was collected, when it was.",
    StatsMetric.NET_VOLUME: (
        "What was collected, less what was refunded and what disputes withhold, each at its own time. "
        "Stripe's fees are not deducted."
    ),
    StatsMetric.REFUNDED_VOLUME: "What was given back, when the refund succeeded; a refund that failed later is none.",
    StatsMetric.REFUND_RATE: "Refunded volume by gross volume, per currency.",
    StatsMetric.SUCCESS_RATE: (
        "Payments that were collected, by those that were collected or failed. One whose last attempt failed has "
        "failed until another succeeds; those still under way or cancelled do not count."
    ),
    StatsMetric.DECLINES: "Attempts that failed, each one, also those of payments that were collected later.",
    StatsMetric.DISPUTE_RATE: (
        "Disputes that took money, when they were opened, by payments collected in the same span. "
        "Inquiries do not count."
    ),
    StatsMetric.ACTIVE_SUBSCRIPTIONS: (
        "Subscriptions that have begun and not ended, at the end of the span; trials, overdue and paused ones too."
    ),
    StatsMetric.NEW_SUBSCRIPTIONS: "Subscriptions that began: with a trial, or once they were first paid for.",
    StatsMetric.CHURN_RATE: "Subscriptions that ended in the span, by those that were active at its start.",
    StatsMetric.MRR: (
        "Monthly recurring revenue at the end of the span: the prices of subscriptions that are active or overdue, "
        "per month. A yearly price counts by a twelfth, a weekly one 52 times by a twelfth. Trials count nothing."
    ),
    StatsMetric.ARPU: "MRR by active subscriptions in that currency, at the end of the span.",
    StatsMetric.DUNNING_RECOVERY_RATE: (
        "Of the overdue renewals that began to be retried in the span, the share that was paid after all, so far."
    ),
}
DIMENSIONS: Final = {
    StatsDimension.CURRENCY: "The currency.",
    StatsDimension.PLAN: "The plan that was paid for, by its id.",
    StatsDimension.BRAND: "The card's brand, as Stripe names it.",
    StatsDimension.COUNTRY: "The card's country, ISO 3166-1.",
    StatsDimension.DECLINE_CATEGORY: "The kind of trouble; for DECLINES only.",
    StatsDimension.TRIGGER: "What made us collect.",
}
INTERVALS: Final = {
    StatsInterval.HOUR: "Full hours.",
    StatsInterval.DAY: "From midnight; 23 or 25 hours where clocks are moved.",
    StatsInterval.WEEK: "From Monday.",
    StatsInterval.MONTH: "From the first.",
}


def describe(enum: type[StrEnum], descriptions: Mapping[Any, str], description: str) -> None:
    """Each member has a description of its own, for which Strawberry asks where the domain states the members."""
    definition = strawberry.enum(enum, description=description).__strawberry_definition__  # type: ignore[attr-defined]  # Strawberry adds it.
    for member in definition.values:
        member.description = descriptions[enum(member.value)]


describe(StatsMetric, METRICS, "What is counted, or divided by what.")
describe(StatsDimension, DIMENSIONS, "What values can be told apart by.")
describe(
    StatsInterval, INTERVALS, "How a span of time is cut, by the clocks of the time zone that is asked for."
)


@strawberry.input(name="StatsInput", description="What is to be counted.")
class StatsInput:
    metrics: list[StatsMetric] = strawberry.field(description="At least one, each of them once.")
    since: datetime = strawberry.field(
        name="from", description="From here on, moved back to a full quarter of an hour."
    )
    until: datetime = strawberry.field(
        name="to",
        description="Before this, moved on to a full quarter of an hour; at most ten years after from.",
    )
    interval: StatsInterval | None = strawberry.field(
        default=None, description="How the span is cut into buckets, 1,000 at most; null for totals alone."
    )
    timezone: str = strawberry.field(
        default="UTC",
        description="Where buckets begin: a time zone of the IANA database, such as Europe/Berlin.",
    )
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="Only what is in this currency."
    )
    group_by: list[StatsDimension] = strawberry.field(
        default_factory=list,
        description="One value per currency, per member of one other dimension, or per both.",
    )

    def question(self) -> StatsQuestion:
        """Raises InvalidInput."""
        return StatsQuestion(
            metrics=self.metrics,
            since=self.since,
            until=self.until,
            interval=self.interval,
            timezone=self.timezone,
            currency=self.currency,
            group_by=self.group_by,
        )


@strawberry.type(
    name="StatsValue", description="One metric's value for one group. What it is not by its nature is null."
)
class StatsValueView:
    metric: StatsMetric = strawberry.field(description="The metric.")
    currency: CurrencyCode | None = strawberry.field(
        description="The currency of an amount, and of a ratio of amounts: they are told per currency."
    )

    @strawberry.field(
        description=(
            "The group, in the order of groupBy, plans by their ids; empty texts stand for what has no such thing."
        )
    )
    def group(value: strawberry.Parent[StatsValue]) -> list[str]:
        return [named(member) for member in value.group]

    @strawberry.field(description="A number of things.")
    def count(value: strawberry.Parent[StatsValue]) -> int | None:
        return value.number

    @strawberry.field(description="An amount, which may be negative.")
    def money(value: strawberry.Parent[StatsValue]) -> MoneyView | None:
        return optional_view(MoneyView, value.money)

    @strawberry.field(description="A share: 0.25 is a quarter. Null where there is nothing to divide by.")
    def ratio(value: strawberry.Parent[StatsValue]) -> float | None:
        return value.ratio


def named(member: Member) -> str:
    is_plan = member.dimension is StatsDimension.PLAN and member.name
    return global_id(Plan, UUID(member.name)) if is_plan else member.name


@strawberry.type(name="StatsBucket", description="A part of the span, from its start on and before its end.")
class StatsBucketView:
    start: datetime = strawberry.field(description="Its first moment.")
    end: datetime = strawberry.field(description="The first moment after it.")
    values: list[StatsValueView] = strawberry.field(
        description="Every metric for every group that occurs anywhere in the report."
    )


@strawberry.type(name="StatsReport", description="What was counted.")
class StatsReportView:
    buckets: list[StatsBucketView] = strawberry.field(
        description="In their order, without gaps; none where no interval was given."
    )
    totals: list[StatsValueView] = strawberry.field(description="The same for the whole span.")
    generated_at: datetime = strawberry.field(description="Everything that had happened by then is counted.")


@strawberry.type
class StatisticsQueries:
    @strawberry.field(
        description="Admins: what happened in a span of time, exact at the moment of the answer."
    )
    async def stats(
        self, info: Info, input: Annotated[StatsInput, strawberry.argument(description="What to count.")]
    ) -> StatsReportView:
        statistics = info.context.services.statistics
        return view(StatsReportView, await statistics.report(info.context.actor, input.question()))
