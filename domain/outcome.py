"""The processor's word about a payment."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.decline import Decline
from domain.payment_method import MethodSnapshot
from domain.payment_status import PaymentStatus, SyncSource


class NextActionKind(StrEnum):
    USE_STRIPE_SDK = "USE_STRIPE_SDK"
    REDIRECT = "REDIRECT"
    VERIFY_MICRODEPOSITS = "VERIFY_MICRODEPOSITS"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the app must do now. Never stored: the client secret opens the payment to whoever holds it."""

    kind: NextActionKind
    client_secret: str | None = field(default=None, repr=False)
    redirect_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The processor's word about a payment.

    Amounts are minor units of the payment's currency, and facts: the most that was ever authorised or
    captured. `occurred_at` is the processor's clock, where it told us when.
    """

    status: PaymentStatus
    processor_payment_id: str | None = None
    processor_method_id: str | None = None
    charge_id: str | None = None
    authorized_amount: int = 0
    captured_amount: int = 0
    decline: Decline | None = None
    snapshot: MethodSnapshot | None = None
    receipt_url: str | None = None
    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None
    occurred_at: datetime | None = None

    @property
    def is_current(self) -> bool:
        """Whether it was read when it was asked for; an event may tell how things were."""
        is_found = self.source is SyncSource.RECONCILIATION and self.event_id is None
        return self.source is SyncSource.API_CALL or is_found


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPayment:
    """A payment as the processor has it; `payment_id` is what we wrote into its metadata, if it is ours."""

    payment_id: UUID | None
    outcome: Outcome
