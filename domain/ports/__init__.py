"""What the domain needs from the outside, as Protocols."""

from domain.ports.clock import Clock
from domain.ports.database import Database, Jobs, Reads, RecountableDatabase, Work
from domain.ports.processor import PaymentProcessor, ProcessorNews
from domain.ports.repositories import Accounts, Audit, Inbox, Operations, PaymentMethods, Payments, Setups

__all__ = [
    "Accounts",
    "Audit",
    "Clock",
    "Database",
    "Inbox",
    "Jobs",
    "Operations",
    "PaymentMethods",
    "PaymentProcessor",
    "Payments",
    "ProcessorNews",
    "Reads",
    "RecountableDatabase",
    "Setups",
    "Work",
]
