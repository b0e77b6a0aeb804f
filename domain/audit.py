"""Who did what to which object. Records are only ever added, in the transaction of the change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias
from uuid import UUID

from domain.access import Entitlement
from domain.actor import Actor, Role
from domain.dispute import Dispute
from domain.identity import new_id
from domain.invoice import Invoice
from domain.json_value import JsonObject, JsonValue
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
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
)
KINDS: Final[Mapping[type, ObjectKind]] = {
    Payment: ObjectKind.PAYMENT,
    PaymentMethod: ObjectKind.PAYMENT_METHOD,
    PaymentMethodSetup: ObjectKind.PAYMENT_METHOD_SETUP,
    Refund: ObjectKind.REFUND,
    Dispute: ObjectKind.DISPUTE,
    Plan: ObjectKind.PLAN,
    Subscription: ObjectKind.SUBSCRIPTION,
    Invoice: ObjectKind.INVOICE,
    Entitlement: ObjectKind.ENTITLEMENT,
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
        "history",
        "lines",
        "note",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """`changes` maps each changed attribute to its value before and after."""

    id: UUID
    at: datetime
    actor_role: Role
    actor_id: UUID | None
    request_id: str
    action: str
    object_kind: ObjectKind
    object_id: UUID
    changes: JsonObject


def audit_record(
    action: str,
    before: Audited | None,
    after: Audited,
    *,
    at: datetime,
    by: Actor,
    note: str | None = None,
) -> AuditRecord:
    """The record of one change; `before` is None for a new object, `note` what the actor said about it."""
    return AuditRecord(
        id=new_id(),
        at=at,
        actor_role=by.role,
        actor_id=by.user_id,
        request_id=by.request_id,
        action=action,
        object_kind=KINDS[type(after)],
        object_id=after.id,
        changes={
            **_changes({} if before is None else _state(before), _state(after)),
            **({} if note is None else {"note": note}),
        },
    )


def _state(value: Audited) -> Mapping[str, object]:
    return {name: part for name, part in asdict(value).items() if name not in NOT_RECORDED}


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> JsonObject:
    return {
        name: [_json(before.get(name)), _json(value)]
        for name, value in after.items()
        if before.get(name) != value
    }


def _json(value: object) -> JsonValue:
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case _:
            return str(value)
