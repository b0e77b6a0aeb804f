"""One billing account per user, and one customer per account, whoever asks at once."""

from dataclasses import dataclass
from uuid import UUID

from domain.account import BillingAccount, first_customer_key
from domain.actor import Actor
from domain.audit import audit_record
from domain.ports import Clock, Database, PaymentProcessor, Work


async def open_account(work: Work, fresh: BillingAccount, *, by: Actor) -> BillingAccount:
    """The user's account: the one that is known, or else this one."""
    account = await work.accounts.ensure(fresh)
    if account is fresh:
        await work.audit.add(
            audit_record("billing_account.opened", None, account, at=account.created_at, by=by)
        )
    return account


@dataclass(frozen=True, slots=True)
class Customers:
    database: Database
    processor: PaymentProcessor
    clock: Clock

    async def account(self, user_id: UUID, *, by: Actor) -> BillingAccount:
        """The user's account, made at first sight."""
        return await self._known(user_id) or await self._opened(user_id, None, by)

    async def with_customer(self, user_id: UUID, *, by: Actor) -> BillingAccount:
        """
        The user's account with its customer at the processor.

        The processor's key is derived from the user, so that requests at once, on any number of servers,
        get the same customer. Raises ProcessorUnavailable, and Busy while the person is being forgotten.
        """
        account = await self._known(user_id)
        if account is not None:
            account.must_not_be_forgotten_now()
            if account.processor_customer_id is not None:
                return account
        key = first_customer_key(user_id) if account is None else account.customer_key
        customer_id = await self.processor.create_customer(user_id, key=key)
        account = account or await self._opened(user_id, customer_id, by)
        return await self._linked(account, customer_id, by)

    async def _known(self, user_id: UUID) -> BillingAccount | None:
        async with self.database.reads() as reads:
            return await reads.accounts.get(user_id)

    async def _opened(self, user_id: UUID, customer_id: str | None, by: Actor) -> BillingAccount:
        now = self.clock()
        fresh = BillingAccount(
            user_id=user_id, processor_customer_id=customer_id, created_at=now, updated_at=now
        )
        async with self.database.work() as work:
            return await open_account(work, fresh, by=by)

    async def _linked(self, account: BillingAccount, customer_id: str, by: Actor) -> BillingAccount:
        """The first customer that is set stays."""
        if account.processor_customer_id is not None:
            return account
        now = self.clock()
        async with self.database.work() as work:
            linked = await work.accounts.set_customer(account.user_id, customer_id, at=now)
            if linked is not None:
                await work.audit.add(
                    audit_record("billing_account.customer_linked", account, linked, at=now, by=by)
                )
        return linked or await self.account(account.user_id, by=by)
