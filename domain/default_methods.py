"""A user's default method is their customer's default at the processor too: renewals are charged there."""

from dataclasses import dataclass
from uuid import UUID

from domain.ports import Database, PaymentProcessor


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultMethods:
    """
    Commands make a default at both places. This is the job that follows every change of it, by whomever: of two
    changes at once the later one may have reached the processor first, and some are heard of by news alone.
    """

    database: Database
    processor: PaymentProcessor

    async def keep_in_step(self, user_id: UUID) -> None:
        """Tell the processor what is the default now. Raises ProcessorUnavailable or ProcessorRefused."""
        async with self.database.reads() as reads:
            account = await reads.accounts.get(user_id)
            default = await reads.payment_methods.default_of(user_id)
        if account is not None and default is not None:
            await self.processor.make_default_method(account.customer_id, default.processor_method_id)
