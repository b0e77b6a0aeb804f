"""
The tables: each is the field-for-field twin of a domain dataclass, and carries its invariants as constraints.

One test pins the twins. Repositories read and write columns; no ORM object leaves this room.
"""

from persistence.tables.accounts import BillingAccountRow, PaymentMethodRow, PaymentMethodSetupRow
from persistence.tables.base import Row, metadata, table_of
from persistence.tables.journal import AuditRecordRow, InboxEventRow
from persistence.tables.operations import OperationRow
from persistence.tables.payments import PaymentRow

__all__ = [
    "AuditRecordRow",
    "BillingAccountRow",
    "InboxEventRow",
    "OperationRow",
    "PaymentMethodRow",
    "PaymentMethodSetupRow",
    "PaymentRow",
    "Row",
    "metadata",
    "table_of",
]
