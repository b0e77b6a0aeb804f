"""Opaque ids that still tell a human what they name: a prefix per type over our UUID."""

from typing import Final, TypeVar
from uuid import UUID

import strawberry

from domain.access import Entitlement
from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.charge_preview import ChargePreview
from domain.dispute import Dispute
from domain.errors import NotFound
from domain.events import InboxEvent
from domain.invoice import Invoice
from domain.operation import Operation
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
from domain.reconciliation.run import ReconciliationRun
from domain.refund import Refund
from domain.subscription import Subscription

T = TypeVar("T")

PREFIX: Final[dict[type, str]] = {
    Payment: "pay",
    PaymentMethod: "mth",
    PaymentMethodSetup: "set",
    BillingAccount: "acc",
    Refund: "rfd",
    Dispute: "dsp",
    Operation: "opr",
    Plan: "pln",
    Subscription: "sbn",
    Invoice: "inv",
    Entitlement: "ent",
    AuditRecord: "evt",
    ChargePreview: "prv",
    InboxEvent: "whk",
    ReconciliationRun: "rec",
}
KIND: Final = {prefix: kind for kind, prefix in PREFIX.items()}
HEX_DIGITS: Final = frozenset("0123456789abcdef")
LENGTH: Final = 32


def global_id(kind: type, identity: UUID) -> strawberry.ID:
    return strawberry.ID(f"{PREFIX[kind]}_{identity.hex}")


def parsed_id(text: str) -> tuple[type, UUID]:
    """Raises NotFound for anything that is no id of ours: it names nothing."""
    prefix, _, digits = text.partition("_")
    if prefix not in KIND or len(digits) != LENGTH or not HEX_DIGITS.issuperset(digits):
        raise NotFound("There is no object with this id.")
    return KIND[prefix], UUID(hex=digits)


def id_of(kind: type, text: str, *path: str) -> UUID:
    """The UUID behind an id of that kind. Raises NotFound for a malformed one and for another kind's."""
    try:
        found, identity = parsed_id(text)
    except NotFound as unknown:
        raise NotFound(unknown.message, path=path) from unknown
    if found is not kind:
        raise NotFound("This id names an object of another type.", path=path)
    return identity


def user_id_of(text: str, *path: str) -> UUID:
    """The User Service's id of a user, which is a plain UUID. Raises NotFound."""
    try:
        return UUID(text)
    except ValueError as malformed:
        raise NotFound("There is no such user.", path=path) from malformed
