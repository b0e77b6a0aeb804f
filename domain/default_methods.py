"""A user's default method is their customer's default at the processor too: renewals are charged there."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.errors import Busy
from domain.ports import Database, PaymentProcessor

MOST_CHANGES: Final = 10
"""In a row. Whoever is outrun so often gives up, and is tried again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultMethods:
    """
    Commands make a default at both places. This is the job that follows every change of it, by whomever: of two
    changes at once the later one may have reached the processor first, and some are heard of by news alone.
    """

    database: Database
    processor: PaymentProcessor

    async def keep_in_step(self, user_id: UUID) -> None:
        """
        Tell the processor what is the default now, until it is still that once it was told: of two jobs at once, the
        one that looked first may be heard last.

        Raises ProcessorUnavailable, ProcessorRefused, or Busy where it kept changing.
        """
        async with self.database.reads() as reads:
            account = await reads.accounts.get(user_id)
        if account is None:
            return
        told = None
        for _ in range(MOST_CHANGES):
            default = await self._default_of(user_id)
            if default in {None, told}:
                return
            await self.processor.make_default_method(account.customer_id, default)
            told = default
        raise Busy("The default payment method kept changing.", current="BUSY")

    async def _default_of(self, user_id: UUID) -> str | None:
        """As the processor knows it."""
        async with self.database.reads() as reads:
            default = await reads.payment_methods.default_of(user_id)
        return None if default is None else default.processor_method_id
