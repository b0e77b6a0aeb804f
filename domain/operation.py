"""One use of an idempotency key: what was asked, whether it has ended, and what it made."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.canonical_json import canonical_json
from domain.card_number import contains_card_number
from domain.errors import InvalidInput, ProcessorUnavailable, Verdict, remembered
from domain.json_value import JsonObject, JsonValue

KEPT_FOR: Final = timedelta(days=30)
SHORTEST_KEY: Final = 8
LONGEST_KEY: Final = 255
LONGEST_BACK_OFF: Final = 15 * 60
"""Seconds."""
DOUBLINGS: Final = 10
HANDED_OVER_AFTER: Final = 2
"""Seconds."""


class OperationState(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class ObjectKind(StrEnum):
    """What an operation or an audit record is about."""

    PAYMENT = "PAYMENT"
    PAYMENT_METHOD = "PAYMENT_METHOD"
    PAYMENT_METHOD_SETUP = "PAYMENT_METHOD_SETUP"
    BILLING_ACCOUNT = "BILLING_ACCOUNT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    PLAN = "PLAN"
    SUBSCRIPTION = "SUBSCRIPTION"
    INVOICE = "INVOICE"
    ENTITLEMENT = "ENTITLEMENT"
    WEBHOOK_EVENT = "WEBHOOK_EVENT"
    RECONCILIATION_RUN = "RECONCILIATION_RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    Unique per caller, mutation and key. `fingerprint` holds a hash per input field, so that a reused key can
    name the fields that differ without our keeping their values; `arguments` is what a resumption needs.
    `processor_payment_id` is the processor's id of what an operation about something else has collected by.
    """

    id: UUID
    caller_id: UUID
    mutation: str
    key: str
    state: OperationState = OperationState.RUNNING
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    arguments: JsonObject = field(default_factory=dict)
    object_kind: ObjectKind
    object_id: UUID | None = None
    processor_payment_id: str | None = None
    error: JsonObject | None = None
    request_id: str = ""
    attempts: int = 1
    leased_until: datetime | None
    started_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime

    @property
    def processor_key(self) -> str:
        """The idempotency key that the processor hears: ours, and the same on every attempt."""
        return f"opr_{self.id.hex}"

    @property
    def attempt_key(self) -> str:
        """The key of this attempt alone, for what may be done twice without harm."""
        return f"{self.processor_key}_{self.attempts}"

    @property
    def has_ended(self) -> bool:
        return self.state in {OperationState.SUCCEEDED, OperationState.FAILED}

    @property
    def subject(self) -> UUID:
        """The object it is about, for operations that know it from the start."""
        if self.object_id is None:
            raise ValueError(f"Operation {self.id} is about no object yet")
        return self.object_id

    @property
    def verdict(self) -> Verdict | None:
        return None if self.error is None else remembered(self.error)

    def is_worked_on_at(self, moment: datetime) -> bool:
        """Whether somebody is still working on it."""
        is_leased = self.leased_until is not None and moment < self.leased_until
        return is_leased and self.state is OperationState.RUNNING

    def is_same_attempt(self, other: Self) -> bool:
        """Whether it runs, and nobody has taken it over since the other was read."""
        return self.state is OperationState.RUNNING and self.attempts == other.attempts

    def lease_left(self, moment: datetime) -> timedelta:
        return timedelta() if self.leased_until is None else self.leased_until - moment

    def differing_fields(self, fingerprint: Mapping[str, str]) -> list[str]:
        fields = self.fingerprint.keys() | fingerprint.keys()
        return sorted(name for name in fields if self.fingerprint.get(name) != fingerprint.get(name))

    def leased(self, until: datetime) -> Self:
        return replace(self, state=OperationState.RUNNING, leased_until=until, attempts=self.attempts + 1)

    def ended(
        self,
        *,
        object_id: UUID | None,
        verdict: Verdict | None,
        processor_payment_id: str | None = None,
        at: datetime,
    ) -> Self:
        return replace(
            self,
            state=OperationState.FAILED if verdict else OperationState.SUCCEEDED,
            object_id=object_id or self.object_id,
            processor_payment_id=processor_payment_id,
            error=verdict.record() if verdict else None,
            leased_until=None,
            finished_at=at,
        )

    def handed_over(self, *, at: datetime) -> Self:
        """
        The attempt was cut off, and others go on soon, however many came before: it tells nothing about the processor.

        It counts, since the processor may still be at work under its key.
        """
        cut_off = ProcessorUnavailable(retry_after_seconds=HANDED_OVER_AFTER)
        return self._open(cut_off, at=at)

    def left_open(self, why: ProcessorUnavailable, *, at: datetime) -> Self:
        """
        Nobody knows the outcome. The next attempt is made after a pause that grows with the attempts, and callers are
        told of it; who comes earlier, with the same key, need not wait.

        An attempt that the processor was spared is not counted: its absence makes nobody wait longer once it is back.
        """
        attempts = self.attempts if why.was_asked else max(self.attempts - 1, 1)
        pause = max(why.retry_after_seconds, back_off(attempts) if why.was_asked else 0)
        return replace(self, attempts=attempts)._open(why.postponed(pause), at=at)

    def _open(self, why: ProcessorUnavailable, *, at: datetime) -> Self:
        return replace(
            self,
            state=OperationState.OUTCOME_UNKNOWN,
            error=why.record(),
            leased_until=at + timedelta(seconds=why.retry_after_seconds),
        )


def back_off(attempts: int) -> int:
    """Seconds after so many attempts."""
    return min(1 << min(attempts, DOUBLINGS), LONGEST_BACK_OFF)


def checked_key(key: str) -> str:
    """The key itself; raises InvalidInput unless it is 8 to 255 printable ASCII characters and no card number."""
    if contains_card_number(key):
        raise InvalidInput(
            "This looks like a card number. Never send one to this API.",
            path=("idempotency_key",),
            constraint="noCardNumber",
        )
    if SHORTEST_KEY <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    raise InvalidInput(
        f"An idempotency key is {SHORTEST_KEY} to {LONGEST_KEY} printable ASCII characters.",
        path=("idempotency_key",),
        constraint="idempotencyKey",
    )


def fingerprint_of(values: Mapping[str, JsonValue]) -> dict[str, str]:
    """A short hash per field; the order of keys inside JSON objects does not matter."""
    return {name: _hash(value) for name, value in values.items() if value is not None}


def _hash(value: JsonValue) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:24]
