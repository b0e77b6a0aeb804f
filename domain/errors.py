"""
What can go wrong, in the caller's terms.

    DomainError
    ├── InvalidInput            a field breaks a rule
    │   ├── AmountOutOfRange    an amount is below or above what may be charged
    │   └── CurrencyRuleBroken  an unknown currency, or an amount that it cannot express
    ├── Unauthenticated         nobody we know is asking
    ├── IdentityUnavailable     nobody can tell now who is asking
    ├── Forbidden               this role may not do that
    ├── NotFound                no such object, or not the caller's: both look alike
    ├── StateConflict           the object's state does not allow it
    │   ├── Busy                another operation on the object is still running
    │   ├── Disputed            the payer's bank holds the money
    │   ├── AlreadySubscribed   the user has a live subscription to this plan, or one that turns to it
    │   ├── LikelyDuplicate     the user has just paid for the same
    │   ├── TrialUsed           this person, or this card, has had a trial
    │   └── MethodInUse         a live subscription needs this payment method
    ├── KeyReused               the idempotency key belongs to another input
    ├── KeyInProgress           the first use of the key has not ended yet
    ├── DatabaseUnavailable     our own records cannot be reached in time
    ├── EventNotApplied         a stored event could not be applied: its cause is kept beside it
    ├── MetadataUnreadable      metadata was encrypted under a key that is not there, or was tampered with
    └── Verdict                 what the processor's answer means
        ├── Declined                the bank or the card network said no
        ├── ProcessorRefused        the processor definitely did not do it
        ├── PreviewStale            what was previewed is not what would be charged now
        └── ProcessorUnavailable    nobody knows yet whether the processor did it
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, Self

from domain.decline import Decline
from domain.json_value import JsonObject

if TYPE_CHECKING:
    from uuid import UUID

    from domain.currency import Currency
    from domain.operation import Operation
    from domain.outcome import Outcome


class ErrorCode(StrEnum):
    """Stable: a released code is never renamed, and never means something else."""

    INVALID_INPUT = "INVALID_INPUT"
    AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
    CURRENCY_RULE = "CURRENCY_RULE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    STATE_CONFLICT = "STATE_CONFLICT"
    DISPUTED = "DISPUTED"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED"
    DUPLICATE_SUSPECTED = "DUPLICATE_SUSPECTED"
    TRIAL_USED = "TRIAL_USED"
    METHOD_IN_USE = "METHOD_IN_USE"
    PREVIEW_STALE = "PREVIEW_STALE"
    KEY_REUSED = "KEY_REUSED"
    KEY_IN_PROGRESS = "KEY_IN_PROGRESS"
    UNAVAILABLE = "UNAVAILABLE"
    DECLINED = "DECLINED"
    PROVIDER_REFUSED = "PROVIDER_REFUSED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    EVENT_NOT_APPLIED = "EVENT_NOT_APPLIED"
    METADATA_UNREADABLE = "METADATA_UNREADABLE"


class Retry(StrEnum):
    """What the caller may do to succeed after all."""

    NEVER = "NEVER"
    SAME_KEY = "SAME_KEY"
    NEW_KEY = "NEW_KEY"
    AFTER_CUSTOMER_ACTION = "AFTER_CUSTOMER_ACTION"
    LATER_SAME_KEY = "LATER_SAME_KEY"


class DomainError(Exception):
    """A rule was broken; the message is a sentence for a human and holds no secret."""

    code: ClassVar[ErrorCode]
    retry: Retry = Retry.NEVER

    def __init__(self, message: str, *, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class InvalidInput(DomainError):
    code = ErrorCode.INVALID_INPUT
    retry = Retry.SAME_KEY

    def __init__(self, message: str, *, path: Sequence[str] = (), constraint: str | None = None) -> None:
        super().__init__(message, path=path)
        self.constraint = constraint


class AmountOutOfRange(InvalidInput):
    """`minimum` and `maximum` are in minor units: the currency's own, unless less is left."""

    code = ErrorCode.AMOUNT_OUT_OF_RANGE

    def __init__(
        self, message: str, *, path: Sequence[str], currency: "Currency", left: int | None = None
    ) -> None:
        super().__init__(message, path=path)
        self.currency = currency
        self.minimum = currency.minimum if left is None else currency.step_minor
        self.maximum = currency.maximum if left is None else left


class CurrencyRuleBroken(InvalidInput):
    """`currency` is None where the code itself is not one that we take."""

    code = ErrorCode.CURRENCY_RULE

    def __init__(self, message: str, *, path: Sequence[str], currency: "Currency | None") -> None:
        super().__init__(message, path=path)
        self.currency = currency

    @classmethod
    def by_step(cls, currency: "Currency", *, path: Sequence[str]) -> Self:
        """By an amount that the currency cannot express."""
        step = currency.step_minor
        message = f"Amounts in {currency.code} are multiples of {step} minor units."
        return cls(message, path=path, currency=currency)


class Unauthenticated(DomainError):
    code = ErrorCode.UNAUTHENTICATED


class IdentityUnavailable(DomainError):
    """The keys that would prove or disprove the caller's word cannot be had; nothing was done."""

    code = ErrorCode.UNAVAILABLE
    retry = Retry.LATER_SAME_KEY

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__("We cannot verify any token of this kind now. Ask again later, with the same one.")
        self.retry_after_seconds = retry_after_seconds


class Forbidden(DomainError):
    code = ErrorCode.FORBIDDEN


class NotFound(DomainError):
    code = ErrorCode.NOT_FOUND


class StateConflict(DomainError):
    """`current` is the state that stands in the way, `allowed` what may be done instead."""

    code = ErrorCode.STATE_CONFLICT

    def __init__(
        self, message: str, *, current: str, allowed: Sequence[str] = (), path: Sequence[str] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.current = current
        self.allowed = tuple(allowed)


class Busy(StateConflict):
    """Another operation on the same object has not ended yet."""

    retry = Retry.LATER_SAME_KEY


class Disputed(StateConflict):
    """The money is with the payer's bank, which would give it back twice."""

    code = ErrorCode.DISPUTED

    def __init__(self, *, path: Sequence[str] = ()) -> None:
        super().__init__(
            "This payment is disputed: its money is with the payer's bank.", current="DISPUTED", path=path
        )


class AlreadySubscribed(StateConflict):
    """`existing_id` is the user's live subscription that is to this plan, or is about to be."""

    code = ErrorCode.ALREADY_SUBSCRIBED

    def __init__(self, existing_id: "UUID", *, current: str, path: Sequence[str] = ()) -> None:
        super().__init__(
            "A live subscription is to this plan, or is about to be.", current=current, path=path
        )
        self.existing_id = existing_id


PAID_UNDER_ANOTHER_KEY: Final = (
    "The same was paid for a moment ago, under another key: ask the customer whether this is meant."
)


class LikelyDuplicate(StateConflict):
    """`existing_id` is the payment, or the refund, that asked for the same a moment ago; a key is still free."""

    code = ErrorCode.DUPLICATE_SUSPECTED
    retry = Retry.AFTER_CUSTOMER_ACTION

    def __init__(
        self,
        existing_id: "UUID",
        *,
        current: str,
        path: Sequence[str] = (),
        message: str = PAID_UNDER_ANOTHER_KEY,
    ) -> None:
        super().__init__(message, current=current, path=path)
        self.existing_id = existing_id


class TrialUsed(StateConflict):
    code = ErrorCode.TRIAL_USED
    retry = Retry.NEW_KEY

    def __init__(self, *, path: Sequence[str] = ()) -> None:
        super().__init__(
            "This person, or this card, has had a trial before: subscribe without one.",
            current="TRIAL_USED",
            path=path,
        )


class MethodInUse(StateConflict):
    """`subscription_ids` are the live subscriptions that would be left without a method."""

    code = ErrorCode.METHOD_IN_USE
    retry = Retry.NEW_KEY

    def __init__(self, subscription_ids: "Sequence[UUID]", *, path: Sequence[str] = ()) -> None:
        super().__init__(
            "A live subscription needs this payment method: name another to replace it.",
            current="IN_USE",
            path=path,
        )
        self.subscription_ids = tuple(subscription_ids)


class KeyReused(DomainError):
    code = ErrorCode.KEY_REUSED
    retry = Retry.NEW_KEY

    def __init__(self, first: "Operation", differing_fields: Sequence[str]) -> None:
        super().__init__("This idempotency key was used for another input.", path=("idempotency_key",))
        self.first = first
        self.differing_fields = tuple(differing_fields)


class KeyInProgress(DomainError):
    code = ErrorCode.KEY_IN_PROGRESS
    retry = Retry.LATER_SAME_KEY

    def __init__(self, first: "Operation") -> None:
        super().__init__(
            "The first request with this idempotency key is still running.", path=("idempotency_key",)
        )
        self.first = first


class DatabaseUnavailable(DomainError):
    """
    What was to be written down may be there or not; the same key finds out, and does nothing twice.

    `reason` is for the log: what happened, in a word.
    """

    code = ErrorCode.UNAVAILABLE
    retry = Retry.LATER_SAME_KEY

    def __init__(self, reason: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__("We cannot look this up or write it down now. Ask again later, with the same key.")
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class EventNotApplied(DomainError):
    """`cause` is what the event's row keeps of the failure."""

    code = ErrorCode.EVENT_NOT_APPLIED
    retry = Retry.LATER_SAME_KEY

    def __init__(self, cause: str) -> None:
        super().__init__(f"The event could not be applied: {cause}")


class MetadataUnreadable(DomainError):
    """An operator has to look; everything else about the object can be read and goes on."""

    code = ErrorCode.METADATA_UNREADABLE


class Verdict(DomainError):
    """What the processor's answer means for the caller. Operations remember it, so that a replay says the same."""

    def record(self) -> JsonObject:
        """The form in which an operation remembers it; `remembered` is the way back."""
        return {"code": self.code.value, "message": self.message}


class Declined(Verdict):
    code = ErrorCode.DECLINED

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.customer_message)
        self.decline = decline
        self.retry = Retry.AFTER_CUSTOMER_ACTION if decline.retryable else Retry.NEVER

    def record(self) -> JsonObject:
        return {
            **super().record(),
            "decline_code": self.decline.code,
            "network_advice": self.decline.network_advice,
        }


class ProcessorRefused(Verdict):
    """
    A definite no that is not a decline: nothing was charged.

    `reason` is the processor's own code, `outcome` the payment's state where the processor told it.
    """

    code = ErrorCode.PROVIDER_REFUSED
    retry = Retry.NEW_KEY

    def __init__(self, message: str, *, reason: str, outcome: "Outcome | None" = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.outcome = outcome

    def record(self) -> JsonObject:
        return {**super().record(), "reason": self.reason}


class PreviewStale(Verdict):
    """Nothing was changed and nothing charged; `preview_id` is the preview that went stale."""

    code = ErrorCode.PREVIEW_STALE
    retry = Retry.NEW_KEY

    def __init__(
        self,
        message: str = "The amount has changed since this preview: ask for a fresh one.",
        *,
        preview_id: str,
    ) -> None:
        super().__init__(message, path=("preview_id",))
        self.preview_id = preview_id

    def record(self) -> JsonObject:
        return {**super().record(), "preview_id": self.preview_id}


BRIEF_PAUSE: Final = 5
"""Seconds."""


class ProcessorUnavailable(Verdict):
    """
    The outcome is unknown, so the same key must be used again and nothing may be charged anew.

    `was_asked` is False where the processor is known to be unwell, and was spared this call.
    """

    code = ErrorCode.PROVIDER_UNAVAILABLE
    retry = Retry.LATER_SAME_KEY

    def __init__(
        self,
        message: str = "It is not known yet what became of this.",
        *,
        retry_after_seconds: int | None = None,
        was_asked: bool = True,
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = BRIEF_PAUSE if retry_after_seconds is None else retry_after_seconds
        self.was_asked = was_asked

    def postponed(self, seconds: int) -> Self:
        """The same, with the next attempt in so many seconds."""
        return type(self)(self.message, retry_after_seconds=seconds, was_asked=self.was_asked)

    def record(self) -> JsonObject:
        return {**super().record(), "retry_after_seconds": self.retry_after_seconds}


def remembered(record: JsonObject) -> Verdict:
    """The verdict that was recorded."""
    message = str(record["message"])
    match record["code"]:
        case ErrorCode.DECLINED:
            advice = record["network_advice"]
            code = str(record["decline_code"])
            return Declined(Decline(code=code, network_advice=None if advice is None else str(advice)))
        case ErrorCode.PROVIDER_REFUSED:
            return ProcessorRefused(message, reason=str(record["reason"]))
        case ErrorCode.PREVIEW_STALE:
            return PreviewStale(message, preview_id=str(record["preview_id"]))
        case ErrorCode.PROVIDER_UNAVAILABLE:
            return ProcessorUnavailable(message, retry_after_seconds=int(str(record["retry_after_seconds"])))
        case unknown:
            raise ValueError(f"An operation recorded an error that is none of ours: {unknown!r}")
