"""
The tables: each is the field-for-field twin of a domain dataclass, and carries its invariants as constraints.

One test pins the twins; sums have none. Repositories read and write columns; no ORM object leaves this room.
"""

from persistence.tables.accounts import BillingAccountRow, PaymentMethodRow, PaymentMethodSetupRow
from persistence.tables.base import Row, metadata, table_of
from persistence.tables.entitlements import EntitlementRow
from persistence.tables.journal import AuditRecordRow, AuditSealRow, InboxEventRow, InvariantCheckRow
from persistence.tables.operations import OperationRow
from persistence.tables.payments import PaymentRow
from persistence.tables.reconciliation import DriftRow, ReconciliationRunRow
from persistence.tables.refunds import DisputeRow, RefundRow
from persistence.tables.statistics import BLOCKS, DELTAS, QUARTERS
from persistence.tables.subscriptions import (
    ChargePreviewRow,
    InvoiceRow,
    PlanRow,
    SubscriptionRow,
    TrialRedemptionRow,
)

__all__ = [
    "BLOCKS",
    "DELTAS",
    "QUARTERS",
    "AuditRecordRow",
    "AuditSealRow",
    "BillingAccountRow",
    "ChargePreviewRow",
    "DisputeRow",
    "DriftRow",
    "EntitlementRow",
    "InboxEventRow",
    "InvariantCheckRow",
    "InvoiceRow",
    "OperationRow",
    "PaymentMethodRow",
    "PaymentMethodSetupRow",
    "PaymentRow",
    "PlanRow",
    "ReconciliationRunRow",
    "RefundRow",
    "Row",
    "SubscriptionRow",
    "TrialRedemptionRow",
    "metadata",
    "table_of",
]
