"""What the domain needs from the outside, as Protocols."""

from domain.ports.access_statements import AccessStatements
from domain.ports.clock import Clock
from domain.ports.database import Database, Jobs, Reads, RecountableDatabase, Work
from domain.ports.dispute_processor import DisputeProcessor
from domain.ports.processor import PaymentProcessor, ProcessorNews
from domain.ports.refund_processor import RefundProcessor
from domain.ports.repositories import Accounts, Audit, Inbox, Operations, PaymentMethods, Payments, Setups
from domain.ports.shown import ALL, Glance, Glances, Related, Shown
from domain.ports.subscription_processor import SubscriptionReader

__all__ = [
    "ALL",
    "AccessStatements",
    "Accounts",
    "Audit",
    "Clock",
    "Database",
    "DisputeProcessor",
    "Glance",
    "Glances",
    "Inbox",
    "Jobs",
    "Operations",
    "PaymentMethods",
    "PaymentProcessor",
    "Payments",
    "ProcessorNews",
    "Reads",
    "RecountableDatabase",
    "RefundProcessor",
    "Related",
    "Setups",
    "Shown",
    "SubscriptionReader",
    "Work",
]
