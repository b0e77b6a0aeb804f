"""What the operator of this gateway allows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.currency import CURRENCIES, DEFAULT_CURRENCIES, AmountRefusal, Currency
from domain.errors import AmountOutOfRange, CurrencyRuleBroken, Forbidden
from domain.money import Money

REPEATED_WITHIN: Final = timedelta(seconds=60)
"""How soon a client that lost an answer has sent its request again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    `allows_client_amounts` is whether a caller may name an amount instead of showing a quote of ours.

    `grace` is how long access outlasts a failed renewal, `dunning_attempts` how often the processor tries to
    collect one in all (as it is told in its own settings), `customer_retries` how often a customer may.

    `duplicate_window` is how long a payment stands in the way of another one for the same; no time at all by default,
    but for `REPEATED_WITHIN` where there is no key: then nothing else tells a repetition from another intention.

    `renewal_leeway` is how long access outlasts a period while nobody knows yet whether its renewal was paid: the
    processor charges about an hour after the period's end (https://docs.stripe.com/billing/invoices/subscription),
    and its news may be late.
    """

    accepted_currencies: Collection[str] = DEFAULT_CURRENCIES
    allows_client_amounts: bool = True
    grace: timedelta = timedelta(days=7)
    renewal_leeway: timedelta = timedelta(hours=6)
    dunning_attempts: int = 4
    customer_retries: int = 5
    duplicate_window: timedelta = timedelta(0)

    def in_the_way_for(self, *, is_keyed: bool) -> timedelta:
        """How long a payment stands in the way of another one for the same."""
        return self.duplicate_window if is_keyed else max(self.duplicate_window, REPEATED_WITHIN)

    @property
    def currencies(self) -> Sequence[Currency]:
        return [CURRENCIES[code] for code in sorted(self.accepted_currencies)]

    def must_allow_client_amounts(self) -> None:
        if not self.allows_client_amounts:
            raise Forbidden("This gateway does not charge amounts that its callers name.")

    def must_accept(self, amount: Money, *, path: Sequence[str]) -> None:
        """Raises CurrencyRuleBroken or AmountOutOfRange; an amount is never rounded."""
        currency = CURRENCIES.get(amount.currency)
        match amount.refusal(self.accepted_currencies):
            case None:
                return
            case AmountRefusal.UNKNOWN_CURRENCY | AmountRefusal.CURRENCY_NOT_ACCEPTED:
                raise CurrencyRuleBroken(
                    "This currency is not accepted.", path=[*path, "currency"], currency=None
                )
            case AmountRefusal.NOT_A_MULTIPLE if currency:
                raise CurrencyRuleBroken.by_step(currency, path=[*path, "minor"])
            case _ if currency:
                raise AmountOutOfRange(
                    f"Amounts in {currency.code} are {currency.minimum} to {currency.maximum} minor units.",
                    path=[*path, "minor"],
                    currency=currency,
                )
