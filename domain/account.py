"""A billing account: our user, and the processor's customer that pays for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.errors import Busy


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingAccount:
    """
    Made at first sight of a token's subject, whose id it carries. The customer is made at the first need.

    `forgotten_at` is when the person was last forgotten: what came before is in the books, and tells of nobody.
    `forgetting_since` is there while the person is being forgotten, and nothing new may begin.
    """

    user_id: UUID
    processor_customer_id: str | None = None
    created_at: datetime
    updated_at: datetime
    forgotten_at: datetime | None = None
    forgetting_since: datetime | None = None

    @property
    def has_come_back(self) -> bool:
        """Whether the person has a customer again after they were forgotten."""
        return self.forgotten_at is not None and self.processor_customer_id is not None

    def must_not_be_forgotten_now(self) -> None:
        """Raises Busy, since whoever is forgotten may begin anew afterwards."""
        if self.forgetting_since is not None:
            raise Busy("This person is being forgotten.", current="BEING_FORGOTTEN")

    @property
    def customer_id(self) -> str:
        """The customer of an account that is known to have one."""
        if self.processor_customer_id is None:
            raise ValueError(f"Billing account {self.user_id} has no customer yet")
        return self.processor_customer_id

    @property
    def customer_key(self) -> str:
        """
        The key under which the processor makes the customer once, whoever asks.

        Another one after the person was forgotten: under the former one it might repeat the customer that was deleted.
        """
        first = first_customer_key(self.user_id)
        return first if self.forgotten_at is None else f"{first}_{self.forgotten_at.timestamp():.0f}"


def first_customer_key(user_id: UUID) -> str:
    """The key of a user whose account there is none of yet."""
    return f"cus_{user_id.hex}"
