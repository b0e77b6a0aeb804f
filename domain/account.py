"""A billing account: our user, and the processor's customer that pays for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingAccount:
    """Made at first sight of a token's subject, whose id it carries. The customer is made at the first need."""

    user_id: UUID
    processor_customer_id: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def customer_id(self) -> str:
        """The customer of an account that is known to have one."""
        if self.processor_customer_id is None:
            raise ValueError(f"Billing account {self.user_id} has no customer yet")
        return self.processor_customer_id
