"""What clients want: each wish has one key, however often it is uttered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from domain.actor import Actor
from tests.chaos.verdict import Word

WILL_NOT_BE: Final = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
"""How an object of any kind stands that came to nothing."""


class Kind(Enum):
    """The mutation, what it makes, where it arrives at Stripe, and how that stands when all went well."""

    PAYMENT = ("createPayment", "payment", "/v1/payment_intents$", "COMPLETED")
    REFUND = ("refundPayment", "refund", "/v1/refunds$", "SUCCEEDED")
    SUBSCRIPTION = ("createSubscription", "subscription", "/v1/subscriptions$", "ACTIVE")

    def __init__(self, mutation: str, made: str, stripe_path: str, done: str) -> None:
        self.mutation = mutation
        self.made = made
        self.stripe_path = stripe_path
        self.done = done

    @property
    def document(self) -> str:
        kind = f"{self.mutation[0].upper()}{self.mutation[1:]}Input!"
        selection = f"{self.made} {{ id status }} errors {{ code retry }}"
        return f"mutation M($input: {kind}) {{ {self.mutation}(input: $input) {{ {selection} }} }}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Wish:
    """
    `buyer` is whom it costs or who is paid back, and `caller` who asks.

    No other wish of a world has the amount of this payment or refund, and no other the buyer of this subscription:
    so Stripe's ledger says what became of it, whatever our database thinks.
    """

    kind: Kind
    buyer: Actor
    caller: Actor
    key: str
    amount: int
    given: Mapping[str, Any] = field(repr=False)

    @property
    def input(self) -> dict[str, Any]:
        return {"idempotencyKey": self.key, **self.given}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The last word that a client had: the object, as it stood, and what was wrong."""

    object_id: str | None
    status: str | None
    codes: tuple[str, ...] = ()

    def word(self, kind: Kind) -> Word | None:
        """
        None for an answer with neither an object nor an error.

        Every error here is final (see `Clients.ask`), and goes before the object beside it, as it does with clients.
        """
        if self.codes or self.status in WILL_NOT_BE:
            return Word.NO
        if self.status == kind.done:
            return Word.DONE
        return None if self.status is None else Word.UNDER_WAY
