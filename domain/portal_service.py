"""Links to the processor's own pages for customers."""

from dataclasses import dataclass

from domain.actor import Actor
from domain.customers import Customers
from domain.patience import in_time
from domain.portal_link import PortalLink
from domain.ports import PaymentProcessor
from domain.text import checked_url


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalService:
    processor: PaymentProcessor
    customers: Customers

    async def link(self, actor: Actor, *, return_url: str) -> PortalLink:
        """A fresh link for the caller, who becomes a customer by it. Raises InvalidInput, ProcessorUnavailable."""
        checked_url(return_url, path=("return_url",))
        account = await in_time(self.customers.with_customer(actor.known_id, by=actor))
        return await in_time(self.processor.open_portal(account.customer_id, return_url=return_url))
