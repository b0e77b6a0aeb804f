from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from domain.access import Entitlement
from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.audit_seal import AuditSeal
from domain.charge_preview import ChargePreview
from domain.dispute import Dispute
from domain.events import InboxEvent
from domain.invariants import InvariantCheck
from domain.invoice import Invoice
from domain.json_value import JsonValue
from domain.operation import Operation
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
from domain.reconciliation.run import Drift, ReconciliationRun
from domain.refund import Refund
from domain.subscription import Subscription
from domain.trial import TrialRedemption
from persistence.tables import (
    BLOCKS,
    DELTAS,
    QUARTERS,
    AuditRecordRow,
    AuditSealRow,
    BillingAccountRow,
    ChargePreviewRow,
    DisputeRow,
    DriftRow,
    EntitlementRow,
    InboxEventRow,
    InvariantCheckRow,
    InvoiceRow,
    OperationRow,
    PaymentMethodRow,
    PaymentMethodSetupRow,
    PaymentRow,
    PlanRow,
    ReconciliationRunRow,
    RefundRow,
    Row,
    SubscriptionRow,
    TrialRedemptionRow,
    metadata,
    table_of,
)

TWINS: list[tuple[type[Any], type[Row]]] = [
    (BillingAccount, BillingAccountRow),
    (PaymentMethod, PaymentMethodRow),
    (PaymentMethodSetup, PaymentMethodSetupRow),
    (Payment, PaymentRow),
    (Operation, OperationRow),
    (AuditRecord, AuditRecordRow),
    (AuditSeal, AuditSealRow),
    (InboxEvent, InboxEventRow),
    (Refund, RefundRow),
    (Dispute, DisputeRow),
    (Plan, PlanRow),
    (Subscription, SubscriptionRow),
    (Invoice, InvoiceRow),
    (ChargePreview, ChargePreviewRow),
    (TrialRedemption, TrialRedemptionRow),
    (Entitlement, EntitlementRow),
    (InvariantCheck, InvariantCheckRow),
    (ReconciliationRun, ReconciliationRunRow),
    (Drift, DriftRow),
]
SUMS = {BLOCKS.name, DELTAS.name, QUARTERS.name}
"""No objects: what an amount is summed by is spread over columns."""
SEALED = "sealed_details"
"""Where the row keeps encrypted what the entity holds as its metadata."""
JSON = dict
"""What both sides keep in a JSONB column, whatever their annotations call it."""


def hints(cls: type[Any]) -> dict[str, Any]:
    """With the one name that `domain.json_value` mentions before it defines it."""
    return get_type_hints(cls, localns={"JsonValue": JsonValue})


def plain(annotation: Any) -> Any:
    """The annotation, with every kind of mapping as one, and every kind of list."""
    parts = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return {JSON if is_mapping(part) else get_origin(part) or part for part in parts}


def is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and hasattr(origin, "keys")


class TestTwins:
    @pytest.mark.parametrize(("entity", "row"), TWINS, ids=lambda twin: twin.__name__)
    def test_have_the_same_fields_of_the_same_types(self, entity: type[Any], row: type[Row]) -> None:
        said, stored = hints(entity), hints(row)

        names = [field.name for field in fields(entity)]
        assert sorted(names) == sorted(row.model_fields.keys() - {SEALED})
        assert {name: plain(said[name]) for name in names} == {name: plain(stored[name]) for name in names}

    @pytest.mark.parametrize(("entity", "row"), TWINS, ids=lambda twin: twin.__name__)
    def test_agree_on_what_may_be_missing(self, entity: type[Any], row: type[Row]) -> None:
        table = table_of(row)

        for field in fields(entity):
            may_be_none = type(None) in plain(hints(entity)[field.name])
            assert table.c[field.name].nullable is may_be_none, field.name
            assert not may_be_none or field.default in {None, MISSING}

    def test_are_all_there(self) -> None:
        assert {table_of(row).name for _, row in TWINS} | SUMS == set(metadata.tables)
