"""Stripe's processor under watch: nobody may wait for it while holding a database connection."""

from typing import Any

from persistence.borrowing import holds_connection
from processor.stripe_processor import StripeProcessor


class WatchedProcessor(StripeProcessor):
    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if not name.startswith("_") and callable(attribute) and holds_connection():
            raise AssertionError(f"{name} was called while a database connection was held")
        return attribute
