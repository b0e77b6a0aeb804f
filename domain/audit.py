"""
Who did what to which object. Records are only ever added, in the transaction of the change.

The records of an object are a chain: each carries a hash of its own facts and of its predecessor's hash, so that
none can be changed, moved or taken out from between others unnoticed. `domain.audit_seal` guards the ends.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias
from uuid import UUID

from domain.access import Entitlement
from domain.account import BillingAccount
from domain.actor import Actor, Role
from domain.canonical_json import canonical_json
from domain.dispute import Dispute
from domain.events import InboxEvent
from domain.identity import new_id
from domain.invoice import Invoice
from domain.json_value import AS_THEY_ARE, JsonObject, JsonValue
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.personal_values import (
    IP,
    NOTE,
    personal_digest,
    personal_values,
    with_personal_values,
    without_personal_values,
)
from domain.plan import Plan
from domain.reconciliation.run import ReconciliationRun
from domain.refund import Refund
from domain.subscription import Subscription

Audited: TypeAlias = (
    Payment
    | PaymentMethod
    | PaymentMethodSetup
    | Refund
    | Dispute
    | Plan
    | Subscription
    | Invoice
    | Entitlement
    | BillingAccount
    | InboxEvent
    | ReconciliationRun
)
KINDS: Final[Mapping[type[Audited], ObjectKind]] = {
    Payment: ObjectKind.PAYMENT,
    PaymentMethod: ObjectKind.PAYMENT_METHOD,
    PaymentMethodSetup: ObjectKind.PAYMENT_METHOD_SETUP,
    Refund: ObjectKind.REFUND,
    Dispute: ObjectKind.DISPUTE,
    Plan: ObjectKind.PLAN,
    Subscription: ObjectKind.SUBSCRIPTION,
    Invoice: ObjectKind.INVOICE,
    Entitlement: ObjectKind.ENTITLEMENT,
    BillingAccount: ObjectKind.BILLING_ACCOUNT,
    InboxEvent: ObjectKind.WEBHOOK_EVENT,
    ReconciliationRun: ObjectKind.RECONCILIATION_RUN,
}
NOT_RECORDED: Final = frozenset(
    {
        "version",
        "readings",
        "created_at",
        "updated_at",
        "details",
        "description",
        "evidence_draft",
        "forgetting_since",
        "history",
        "hosted_url",
        "lines",
        "note",
        "payload",
        "pdf_url",
    }
)
RECORDED: Final[Mapping[type[Audited], Sequence[str]]] = {
    kind: tuple(part.name for part in fields(kind) if part.name not in NOT_RECORDED) for kind in KINDS
}
GENESIS: Final = "0" * 64
"""What the first of a chain names as its predecessor's hash."""
FORGOTTEN: Final = "billing_account.forgotten"
"""The action that lets the personal values of all earlier records about the account's owner be gone."""
GIVEN_LATER: Final = frozenset({"sequence", "previous_hash", "hash"})
SET_APART: Final = frozenset({"personal"})
"""What the hash does not cover, since it may be taken away one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """
    `changes` maps each changed attribute to its value before and after; what of them is personal, and what the actor
    said, is in `personal`, of which the hash covers a digest only (`domain.personal_values`). `ip` is the address that
    staff acted from; that of a customer is personal.

    A record of a version before that has everything in `changes`, and the actor's words under `note`.

    `occurred_at` is the processor's clock, where it told us; `at` is ours. The database gives `sequence`, the
    place among all records, and with it `previous_hash` and `hash`, when the record is added.
    """

    id: UUID
    sequence: int = 0
    at: datetime
    occurred_at: datetime | None = None
    actor_role: Role
    actor_id: UUID | None
    ip: str | None = None
    request_id: str
    action: str
    object_kind: ObjectKind
    object_id: UUID
    changes: JsonObject
    personal: JsonObject | None = None
    personal_digest: str | None = None
    previous_hash: str = ""
    hash: str = ""

    @property
    def note(self) -> str | None:
        return _text((self.personal or self.changes).get(NOTE))

    @property
    def address(self) -> str | None:
        """That the request came from, as far as it is known, and not forgotten."""
        return self.ip or _text((self.personal or {}).get(IP))

    @property
    def told(self) -> JsonObject:
        """The changes with the personal values among them, as far as these were not taken away."""
        return with_personal_values(self.changes, self.personal)

    @property
    def has_forgotten(self) -> bool:
        """Whether its personal values were taken away."""
        return self.personal is None and self.personal_digest is not None

    @property
    def is_true_to_its_digest(self) -> bool:
        """Whether the personal values are those that it was written with, or gone."""
        return self.personal is None or self.personal_digest == personal_digest(self.personal)

    @property
    def owner(self) -> UUID | None:
        """Whose object it is, where the record tells; the first one of an object that somebody owns does."""
        if self.object_kind is ObjectKind.BILLING_ACCOUNT:
            return self.object_id
        owner = _text(self.after.get("user_id"))
        return None if owner is None else UUID(owner)

    @property
    def before(self) -> JsonObject | None:
        """The former values of what changed; None for the first that is known of the object."""
        return None if self.previous_hash == GENESIS else self._side(0)

    @property
    def after(self) -> JsonObject:
        return self._side(1)

    @property
    def facts(self) -> str:
        """
        The canonical text of all that the record says, for hashing: the same before and after PostgreSQL.

        What is None is left out, so that a fact which records get one day leaves the hashes of older ones alone.
        """
        told = {name: canonical(getattr(self, name)) for name in FACTS if getattr(self, name) is not None}
        return canonical_json(told)

    def _side(self, index: int) -> JsonObject:
        pairs = ((name, pair) for name, pair in self.told.items() if isinstance(pair, list))
        return {name: pair[index] for name, pair in pairs}


FACTS: Final = tuple(part.name for part in fields(AuditRecord) if part.name not in GIVEN_LATER | SET_APART)


def digest(previous_hash: str, record: AuditRecord) -> str:
    """The hash of a record that follows the one with that hash: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(f"{previous_hash}{record.facts}".encode()).hexdigest()


def canonical(value: object) -> JsonValue:
    """
    One spelling for each value: instants in UTC with microseconds, and a number by what it is worth.

    JSONB keeps numbers as exact decimals, so that 1e16 goes in as a float and comes back as a whole number.
    """
    if value.__class__ in AS_THEY_ARE:
        return value  # type: ignore[return-value]  # Of one of these classes, as mypy cannot see.
    match value:
        case float():
            exact = Decimal(repr(value))
            return int(exact) if exact == exact.to_integral_value() else value
        case None | bool() | int():
            return value
        case Enum():
            return str(value.value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return {str(name): canonical(part) for name, part in value.items()}
        case list():
            return [canonical(part) for part in value]
        case _:
            return str(value)


def audit_record(
    action: str,
    before: Audited | None,
    after: Audited,
    *,
    at: datetime,
    by: Actor,
    note: str | None = None,
    occurred_at: datetime | None = None,
) -> AuditRecord:
    """The record of one change; `before` is None for a new object, `note` what the actor said about it."""
    changes = _changes({} if before is None else _state(before), _state(after))
    personal = personal_values(changes, note=note, ip=by.ip if by.role is Role.USER else None)
    return AuditRecord(
        id=new_id(),
        at=at,
        occurred_at=occurred_at,
        actor_role=by.role,
        actor_id=None if by.role is Role.SYSTEM else by.user_id,
        ip=None if by.role is Role.USER else by.ip,
        request_id=by.request_id,
        action=action,
        object_kind=KINDS[type(after)],
        object_id=audited_id(after),
        changes=without_personal_values(changes),
        personal=personal,
        personal_digest=None if personal is None else personal_digest(personal),
    )


def audited_id(thing: Audited) -> UUID:
    """A billing account goes by its user's id."""
    return thing.user_id if isinstance(thing, BillingAccount) else thing.id


def _state(value: Audited) -> Mapping[str, object]:
    return {name: getattr(value, name) for name in RECORDED[type(value)]}


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> JsonObject:
    return {
        name: [_json(before.get(name)), _json(value)]
        for name, value in after.items()
        if before.get(name) != value
    }


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _json(value: object) -> JsonValue:
    if value.__class__ in AS_THEY_ARE:
        return value  # type: ignore[return-value]  # Of one of these classes, as mypy cannot see.
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): _json(part) for name, part in value.items()}
        case list() | tuple():
            return [_json(part) for part in value]
        case _:
            return str(value)
