"""One billing account per user, and one customer per account, whoever asks at once."""

from dataclasses import dataclass
from uuid import UUID

from domain.account import BillingAccount
from domain.ports import Clock, Database, PaymentProcessor


@dataclass(frozen=True, slots=True)
class Customers:
    database: Database
    processor: PaymentProcessor
    clock: Clock

    async def account(self, user_id: UUID) -> BillingAccount:
        """The user's account, made at first sight."""
        async with self.database.reads() as reads:
            account = await reads.accounts.get(user_id)
        return account or await self._opened(user_id)

    async def with_customer(self, user_id: UUID) -> BillingAccount:
        """
        The user's account with its customer at the processor.

        The processor's key is derived from the user, so that requests at once, on any number of servers,
        get the same customer. Raises ProcessorUnavailable.
        """
        account = await self.account(user_id)
        if account.processor_customer_id is not None:
            return account
        customer_id = await self.processor.create_customer(user_id, key=f"cus_{user_id.hex}")
        async with self.database.work() as work:
            return await work.accounts.set_customer(user_id, customer_id, at=self.clock())

    async def _opened(self, user_id: UUID) -> BillingAccount:
        now = self.clock()
        async with self.database.work() as work:
            return await work.accounts.ensure(BillingAccount(user_id=user_id, created_at=now, updated_at=now))
