"""What the books keep of a person, and what is taken out of them when the person is forgotten."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actor import Role
from domain.operation import ObjectKind
from domain.personal_values import NOTE, PERSONAL
from persistence.sealing import SEALED
from persistence.tables import (
    AuditRecordRow,
    BillingAccountRow,
    ChargePreviewRow,
    DisputeRow,
    DriftRow,
    EntitlementRow,
    InvoiceRow,
    OperationRow,
    PaymentMethodRow,
    PaymentMethodSetupRow,
    PaymentRow,
    RefundRow,
    SubscriptionRow,
    table_of,
)

ACCOUNTS: Final = table_of(BillingAccountRow)
AUDIT: Final = table_of(AuditRecordRow)
DRIFTS: Final = table_of(DriftRow)
OPERATIONS: Final = table_of(OperationRow)
PREVIEWS: Final = table_of(ChargePreviewRow)

OWNED: Final[Mapping[ObjectKind, Table]] = {
    ObjectKind.PAYMENT: table_of(PaymentRow),
    ObjectKind.PAYMENT_METHOD: table_of(PaymentMethodRow),
    ObjectKind.PAYMENT_METHOD_SETUP: table_of(PaymentMethodSetupRow),
    ObjectKind.REFUND: table_of(RefundRow),
    ObjectKind.DISPUTE: table_of(DisputeRow),
    ObjectKind.SUBSCRIPTION: table_of(SubscriptionRow),
    ObjectKind.INVOICE: table_of(InvoiceRow),
    ObjectKind.ENTITLEMENT: table_of(EntitlementRow),
}
"""The objects that belong to users."""
TAKEN_OUT: Final[Mapping[ObjectKind, Mapping[str, Any]]] = {
    ObjectKind.SUBSCRIPTION: {"details": {}, SEALED: None},
    ObjectKind.INVOICE: {"hosted_url": None, "pdf_url": None},
    ObjectKind.PAYMENT: {"description": None, "details": {}, SEALED: None, "receipt_url": None},
    ObjectKind.REFUND: {"note": None},
    ObjectKind.DISPUTE: {"evidence_draft": {}},
    ObjectKind.PAYMENT_METHOD: {"billing_name": None, "fingerprint": None},
    ObjectKind.ENTITLEMENT: {"note": None},
}
"""What is personal in them, and what stands there afterwards; in the order in which all locks are taken."""
KNOWN_BY: Final[Mapping[ObjectKind, Sequence[str]]] = {
    ObjectKind.PAYMENT: ("processor_payment_id", "processor_charge_id"),
    ObjectKind.PAYMENT_METHOD: ("processor_method_id",),
    ObjectKind.PAYMENT_METHOD_SETUP: ("processor_setup_id",),
    ObjectKind.REFUND: ("processor_refund_id",),
    ObjectKind.DISPUTE: ("processor_dispute_id",),
    ObjectKind.SUBSCRIPTION: ("processor_subscription_id", "processor_schedule_id"),
    ObjectKind.INVOICE: ("processor_invoice_id",),
}
"""The processor's ids of them."""
PERSONAL_DRIFT: Final = sorted(PERSONAL | {"name", "description"})

USER: Final[BindParameter[UUID]] = bindparam("person")


class PeopleRepository:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def processor_ids(self, user_id: UUID) -> Sequence[str]:
        """Of everything of theirs that the processor has, too."""
        ids = union_all(
            *(
                select(OWNED[kind].c[name]).where(OWNED[kind].c.user_id == USER)
                for kind, names in KNOWN_BY.items()
                for name in names
            )
        )
        found = await self._connection.execute(ids, {"person": user_id})
        return [each for each in found.scalars() if each is not None]

    async def in_state(
        self, kind: ObjectKind, user_id: UUID, statuses: Collection[StrEnum]
    ) -> Sequence[tuple[UUID, str]]:
        """The ids and states of those objects of theirs that are in one of these."""
        columns = OWNED[kind].c
        found = await self._connection.execute(
            select(columns.id, columns.status)
            .where(columns.user_id == user_id, columns.status.in_(statuses))
            .order_by(columns.created_at, columns.id)
        )
        return [(row[0], str(row[1].value)) for row in found]

    async def has_open_operation(self, user_id: UUID) -> bool:
        """Whether a command of theirs, or about something of theirs, has not ended."""
        found = select(OPERATIONS.c.id).where(OPERATIONS.c.finished_at.is_(None), _is_about_them()).limit(1)
        return await self._connection.scalar(found, {"person": user_id}) is not None

    async def forget(self, user_id: UUID) -> Mapping[str, int]:
        """Take out what is personal. How many rows there were of each table that had anything."""
        counts = {OWNED[kind].name: await self._take_out(kind, user_id) for kind in TAKEN_OUT}
        for table, statement in OTHERS.items():
            counts[table.name] = (await self._connection.execute(statement, {"person": user_id})).rowcount
        return {str(name): count for name, count in counts.items() if count}

    async def told_by_older_records(self, user_id: UUID) -> int:
        """How many audit records of a version before hold personal values that cannot be taken out."""
        told = or_(
            and_(AUDIT.c.actor_id == USER, AUDIT.c.ip.is_not(None)),
            AUDIT.c.changes.has_any(literal([*sorted(PERSONAL), NOTE], ARRAY(String))),
        )
        older = select(func.count()).where(AUDIT.c.personal_digest.is_(None), told, _tells_of_them())
        return await self._connection.scalar(older, {"person": user_id}) or 0

    async def _take_out(self, kind: ObjectKind, user_id: UUID) -> int:
        table, fresh = OWNED[kind], dict(TAKEN_OUT[kind])
        differs = or_(*(_differs(table, name, value) for name, value in fresh.items()))
        if "version" in table.c:
            fresh["version"] = table.c.version + 1
        changed = await self._connection.execute(
            update(table).where(table.c.user_id == USER, differs).values(fresh), {"person": user_id}
        )
        return changed.rowcount


def _differs(table: Table, name: str, value: object) -> ColumnElement[bool]:
    column = table.c[name]
    return column.is_not(None) if value is None else column != literal(value, JSONB)


def _theirs() -> CompoundSelect[Any]:
    """The kinds and ids of all objects of theirs, the account included."""
    return union_all(
        select(literal(ObjectKind.BILLING_ACCOUNT.value), ACCOUNTS.c.user_id).where(
            ACCOUNTS.c.user_id == USER
        ),
        *(
            select(literal(kind.value), table.c.id).where(table.c.user_id == USER)
            for kind, table in OWNED.items()
        ),
    )


def _tells_of_them() -> ColumnElement[bool]:
    """
    Each half by an index of its own. What staff did to others tells of these, whoever of the staff is forgotten.
    """
    columns, theirs = AUDIT.c, _theirs().subquery()
    by_them = select(columns.id).where(columns.actor_id == USER, columns.actor_role == Role.USER)
    of_theirs = select(columns.id).where(columns.object_kind == theirs.c[0], columns.object_id == theirs.c[1])
    return columns.id.in_(by_them.union(of_theirs))


def _is_about_them() -> ColumnElement[bool]:
    theirs = _theirs().subquery()
    return or_(OPERATIONS.c.caller_id == USER, OPERATIONS.c.object_id.in_(select(theirs.c[1])))


OTHERS: Final = {
    AUDIT: update(AUDIT).where(AUDIT.c.personal.is_not(None), _tells_of_them()).values(personal=None),
    OPERATIONS: update(OPERATIONS)
    .where(
        OPERATIONS.c.finished_at.is_not(None),
        _is_about_them(),
        or_(OPERATIONS.c.arguments != literal({}, JSONB), OPERATIONS.c[SEALED].is_not(None)),
    )
    .values({"arguments": {}, SEALED: None}),
    PREVIEWS: delete(PREVIEWS).where(PREVIEWS.c.user_id == USER),
    DRIFTS: update(DRIFTS)
    .where(
        DRIFTS.c.field.in_(PERSONAL_DRIFT),
        or_(DRIFTS.c.local.is_not(None), DRIFTS.c.remote.is_not(None)),
        tuple_(DRIFTS.c.object_kind, DRIFTS.c.object_id).in_(_theirs()),
    )
    .values(local=None, remote=None),
}
"""What else tells of them. An operation that has ended needs its arguments no more; its key stays used."""
