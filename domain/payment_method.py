"""Payment methods: what the processor vaults, and the little that we may know of it (PCI DSS: never a card number)."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from domain.decline import Decline

EXPIRY_WARNING: Final = timedelta(days=45)


class PaymentMethodType(StrEnum):
    CARD = "CARD"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    SEPA_DEBIT = "SEPA_DEBIT"
    LINK = "LINK"
    OTHER = "OTHER"


class PaymentMethodState(StrEnum):
    USABLE = "USABLE"
    EXPIRING_SOON = "EXPIRING_SOON"
    EXPIRED = "EXPIRED"
    DETACHED = "DETACHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSnapshot:
    """What a receipt may say of a method: never its number."""

    type: PaymentMethodType
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    wallet: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts(MethodSnapshot):
    """What the processor says about a method that it vaults."""

    processor_method_id: str
    fingerprint: str | None = None
    billing_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod(MethodFacts):
    """
    A saved way to pay. Detaching is final, and the row stays for the payments that name it.

    `default_chosen_at` is when its user made it the default one; None where it is that for want of another.
    """

    id: UUID
    user_id: UUID
    is_default: bool = False
    default_chosen_at: datetime | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime
    detached_at: datetime | None = None

    @property
    def is_attached(self) -> bool:
        return self.detached_at is None

    def state_at(self, moment: datetime) -> PaymentMethodState:
        if not self.is_attached:
            return PaymentMethodState.DETACHED
        end = self.expires_at(moment)
        if end is None or moment + EXPIRY_WARNING < end:
            return PaymentMethodState.USABLE
        return PaymentMethodState.EXPIRING_SOON if moment < end else PaymentMethodState.EXPIRED

    def expires_at(self, moment: datetime) -> datetime | None:
        """The first instant at which a card is no longer valid: the start of the month after its last one."""
        if self.exp_month is None or self.exp_year is None:
            return None
        year, month = divmod(self.exp_year * 12 + self.exp_month, 12)
        return datetime(year, month + 1, 1, tzinfo=moment.tzinfo)

    def take(self, facts: MethodFacts, *, at: datetime) -> Self:
        """The method with what the processor says now; itself where nothing changed."""
        fresh = replace(self, **facts_in(facts))
        return self if fresh == self else replace(fresh, version=self.version + 1, updated_at=at)

    def made_default(self, *, at: datetime) -> Self:
        return (
            self
            if self.is_default
            else replace(self, is_default=True, version=self.version + 1, updated_at=at)
        )

    def chosen_as_default(self, *, at: datetime) -> Self:
        """Made the default one by its user's wish, and not because there was no other."""
        return self if self.is_default else replace(self.made_default(at=at), default_chosen_at=at)

    def detached(self, *, at: datetime) -> Self:
        if not self.is_attached:
            return self
        return replace(
            self,
            is_default=False,
            default_chosen_at=None,
            detached_at=at,
            version=self.version + 1,
            updated_at=at,
        )


def facts_in(facts: MethodFacts) -> dict[str, Any]:
    return {part.name: getattr(facts, part.name) for part in fields(MethodFacts)}


class SetupStatus(StrEnum):
    REQUIRES_METHOD = "REQUIRES_METHOD"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    CANCELLED = "CANCELLED"


SETUP_ENDED: Final = frozenset({SetupStatus.SUCCEEDED, SetupStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupFacts:
    """What the processor says about a set-up."""

    processor_setup_id: str
    status: SetupStatus
    processor_method_id: str | None = None
    decline: Decline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodSetup:
    """A method on its way in, with the bank's consent (SCA). The app completes it with a client secret."""

    id: UUID
    user_id: UUID
    status: SetupStatus
    makes_default: bool
    processor_setup_id: str | None = None
    processor_customer_id: str
    payment_method_id: UUID | None = None
    decline_code: str | None = None
    decline_advice: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def decline(self) -> Decline | None:
        if self.decline_code is None:
            return None
        return Decline(code=self.decline_code, network_advice=self.decline_advice)

    @property
    def has_ended(self) -> bool:
        return self.status in SETUP_ENDED

    def take(self, facts: SetupFacts, *, at: datetime) -> Self:
        """The set-up with what the processor says now; an ended one stays as it is."""
        if self.has_ended:
            return self
        fresh = replace(
            self,
            status=facts.status,
            processor_setup_id=facts.processor_setup_id,
            decline_code=facts.decline.code if facts.decline else None,
            decline_advice=facts.decline.network_advice if facts.decline else None,
        )
        return self if fresh == self else replace(fresh, version=self.version + 1, updated_at=at)

    def gave(self, method: PaymentMethod, *, at: datetime) -> Self:
        if self.payment_method_id == method.id:
            return self
        return replace(self, payment_method_id=method.id, version=self.version + 1, updated_at=at)
