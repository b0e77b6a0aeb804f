"""One billing account per user, and one customer per account, whoever asks at once."""

from dataclasses import dataclass
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import Actor
from domain.audit import audit_record
from domain.ports import Clock, Database, PaymentProcessor


@dataclass(frozen=True, slots=True)
class Customers:
    database: Database
    processor: PaymentProcessor
    clock: Clock

    async def account(self, user_id: UUID, *, by: Actor) -> BillingAccount:
        """The user's account, made at first sight."""
        async with self.database.reads() as reads:
            account = await reads.accounts.get(user_id)
        return account or await self._opened(user_id, by)

    async def with_customer(self, user_id: UUID, *, by: Actor) -> BillingAccount:
        """
        The user's account with its customer at the processor.

        The processor's key is derived from the user, so that requests at once, on any number of servers,
        get the same customer. Raises ProcessorUnavailable.
        """
        account = await self.account(user_id, by=by)
        if account.processor_customer_id is not None:
            return account
        customer_id = await self.processor.create_customer(user_id, key=f"cus_{user_id.hex}")
        return await self._linked(account, customer_id, by)

    async def _opened(self, user_id: UUID, by: Actor) -> BillingAccount:
        now = self.clock()
        fresh = BillingAccount(user_id=user_id, created_at=now, updated_at=now)
        async with self.database.work() as work:
            account = await work.accounts.ensure(fresh)
            if account is fresh:
                await work.audit.add(audit_record("billing_account.opened", None, account, at=now, by=by))
        return account

    async def _linked(self, account: BillingAccount, customer_id: str, by: Actor) -> BillingAccount:
        """The first customer that is set stays."""
        now = self.clock()
        async with self.database.work() as work:
            before = await work.accounts.lock(account.user_id)
            after = await work.accounts.set_customer(account.user_id, customer_id, at=now)
            if before is not None and before != after:
                linked = audit_record("billing_account.customer_linked", before, after, at=now, by=by)
                await work.audit.add(linked)
        return after
