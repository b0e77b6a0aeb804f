"""Plans."""

from typing import Annotated, ClassVar

import strawberry

from domain.plan import BillingInterval, Plan
from gql.context import Info
from gql.money import MoneyView, money
from gql.needs import needs
from gql.node import Node, views

strawberry.enum(BillingInterval, description="How long the unit of a billing period is.")


@strawberry.type(name="Plan", description="What may be subscribed to, at its price. Sold in Stripe.")
class PlanView(Node):
    _domain: ClassVar[type] = Plan

    code: str = strawberry.field(description="A name for programs, as the merchant gave it in Stripe.")
    name: str = strawberry.field(description="A name for customers.")
    description: str | None = strawberry.field(description="A sentence for customers.")
    interval: BillingInterval = strawberry.field(description="The unit of a billing period.")
    interval_count: int = strawberry.field(description="How many of these units a period has.")
    trial_days: int = strawberry.field(description="How many days a trial lasts; 0 for none.")
    features: list[str] = strawberry.field(description="What its subscribers may use, by names for programs.")
    active: bool = strawberry.field(description="Whether it may be subscribed to now.")

    @strawberry.field(description="What each period costs.")
    @needs("amount", "currency")
    def price(plan: strawberry.Parent[Plan]) -> MoneyView:
        return money(plan.amount, plan.currency)


@strawberry.type
class PlanQueries:
    @strawberry.field(description="What may be subscribed to, the cheapest first. Open to everybody.")
    @needs()
    async def plans(
        self,
        info: Info,
        active_only: Annotated[
            bool, strawberry.argument(description="Without those that are no longer sold.")
        ] = True,
    ) -> list[PlanView]:
        return views(PlanView, await info.context.services.plans.listed(active_only=active_only))
