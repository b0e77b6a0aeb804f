"""Amounts and the rules of currencies."""

from decimal import Decimal
from typing import Annotated

import strawberry

from domain.currency import Currency
from domain.money import Money
from gql.needs import needs
from gql.node import view
from gql.scalars import CurrencyCode, MinorUnits


@strawberry.type(name="Money", description="An exact amount. Never a floating-point number.")
class MoneyView:
    minor: MinorUnits = strawberry.field(description="The amount in the currency's smallest unit.")
    currency: CurrencyCode = strawberry.field(description="The currency.")
    exponent: int = strawberry.field(
        description="How many decimals the currency has in Stripe's count: 2 for EUR, 0 for JPY."
    )
    decimal: Decimal = strawberry.field(description="The amount in major units, with all its decimals.")

    @strawberry.field(description="The amount for human eyes. Unknown locales are shown in English.")
    @needs()
    def formatted(
        money: strawberry.Parent[Money],
        locale: Annotated[
            str, strawberry.argument(description="A language tag, such as de or pt-BR.")
        ] = "en",
    ) -> str:
        return money.formatted(locale)


@strawberry.input(name="MoneyInput", description="An amount to charge.")
class MoneyInput:
    minor: MinorUnits = strawberry.field(description="In the currency's smallest unit: 1250 is 12.50 EUR.")
    currency: CurrencyCode = strawberry.field(description="The currency.")

    def money(self) -> Money:
        return Money(minor=self.minor, currency=self.currency)


@strawberry.type(
    name="CurrencyRule",
    description="What amounts can be charged in a currency: Stripe's rule, which is not always ISO 4217's.",
)
class CurrencyRuleView:
    code: CurrencyCode = strawberry.field(description="The currency.")
    exponent: int = strawberry.field(description="How many decimals amounts have.")
    step_minor: MinorUnits = strawberry.field(description="Amounts are whole multiples of this.")

    @strawberry.field(description="The smallest amount that can be charged.")
    def minimum(rule: strawberry.Parent[Currency]) -> MoneyView:
        return money(rule.minimum, rule.code)

    @strawberry.field(description="The largest amount that can be charged.")
    def maximum(rule: strawberry.Parent[Currency]) -> MoneyView:
        return money(rule.maximum, rule.code)


def money(minor: int, currency: str) -> MoneyView:
    return view(MoneyView, Money(minor=minor, currency=currency))
