"""The attempts at a payment that failed, as the payment remembers them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from domain.decline import Decline
from domain.json_value import JsonObject, JsonValue
from domain.payment_status import PaymentTrigger


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


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
