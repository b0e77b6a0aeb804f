"""The attempts at a payment that failed, as the payment remembers them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from domain.decline import Decline
from domain.json_value import JsonObject, JsonValue
from domain.outcome import Outcome
from domain.payment_status import PaymentStatus, PaymentTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailure:
    """
    One attempt that was refused: when we heard of it, why, and with what it was made.

    The processor's charge tells attempts apart; one that led to no charge goes by its reason.
    """

    at: datetime
    trigger: PaymentTrigger
    code: str
    advice: str | None
    charge_id: str | None
    brand: str | None
    country: str | None

    @property
    def decline(self) -> Decline:
        return Decline(code=self.code, network_advice=self.advice)

    @property
    def attempt(self) -> str:
        return self.charge_id or self.code

    def record(self) -> JsonValue:
        """The form in which a payment keeps it; `read` is the way back."""
        return {
            "at": self.at.isoformat(),
            "trigger": self.trigger.value,
            "code": self.code,
            "advice": self.advice,
            "charge_id": self.charge_id,
            "brand": self.brand,
            "country": self.country,
        }

    @classmethod
    def read(cls, record: JsonObject) -> Self:
        return cls(
            at=datetime.fromisoformat(str(record["at"])),
            trigger=PaymentTrigger(str(record["trigger"])),
            code=str(record["code"]),
            advice=_text(record["advice"]),
            charge_id=_text(record["charge_id"]),
            brand=_text(record["brand"]),
            country=_text(record["country"]),
        )


def failure_in(outcome: Outcome, *, trigger: PaymentTrigger, at: datetime) -> PaymentFailure | None:
    """The failed attempt that the processor tells of, if it does."""
    if outcome.status is not PaymentStatus.FAILED or outcome.decline is None:
        return None
    return PaymentFailure(
        at=at,
        trigger=trigger,
        code=outcome.decline.code,
        advice=outcome.decline.network_advice,
        charge_id=outcome.charge_id,
        brand=outcome.snapshot.brand if outcome.snapshot else None,
        country=outcome.snapshot.country if outcome.snapshot else None,
    )


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
