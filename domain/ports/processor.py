"""The processor: commands out, news in."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.events import InboxEvent, ProcessorEvent
from domain.outcome import NextAction, Outcome
from domain.payment import Payment
from domain.payment_method import MethodFacts, PaymentMethod, PaymentMethodSetup, SetupFacts
from domain.ports.dispute_processor import DisputeProcessor
from domain.ports.refund_processor import RefundProcessor
from domain.ports.subscription_commands import SubscriptionCommands, SubscriptionPreviews
from domain.ports.subscription_processor import SubscriptionReader


class PaymentProcessor(
    RefundProcessor,
    DisputeProcessor,
    SubscriptionReader,
    SubscriptionCommands,
    SubscriptionPreviews,
    Protocol,
):
    """
    Every command that moves money carries `key`, under which the processor executes it once.

    All raise ProcessorUnavailable where the outcome is not known, and ProcessorRefused for a definite no.
    """

    @property
    def is_live(self) -> bool: ...

    def welcomes(self, commands: int) -> int:
        """
        How many of so many commands have a chance now: none where the processor is known to be unwell, one where it
        is time to try it again.
        """
        ...

    async def create_customer(self, user_id: UUID, *, key: str) -> str: ...
    async def delete_customer(self, customer_id: str) -> None:
        """For good, with whatever is saved there; one that is gone already is no error."""
        ...

    async def charge(
        self,
        payment: Payment,
        *,
        is_confirmed: bool,
        is_off_session: bool,
        saves_method: bool,
        return_url: str | None,
        key: str,
    ) -> Outcome:
        """A decline is an outcome, not an error."""
        ...

    async def confirm(self, payment: Payment, *, return_url: str | None, key: str) -> Outcome: ...
    async def capture(self, payment: Payment, *, amount: int | None, key: str) -> Outcome: ...
    async def cancel(self, payment: Payment, *, key: str) -> Outcome: ...
    async def find_payment(self, payment: Payment) -> Outcome | None:
        """What the processor knows of our payment, found by its id or by ours; None where it never heard of it."""
        ...

    async def next_action(self, payment: Payment) -> NextAction | None: ...
    async def start_setup(self, setup: PaymentMethodSetup, *, key: str) -> SetupFacts: ...
    async def setup_secret(self, setup: PaymentMethodSetup) -> str | None: ...
    async def attach_method(self, processor_method_id: str, customer_id: str, *, key: str) -> MethodFacts:
        """Raises Declined where the bank refuses the card."""
        ...

    async def find_method(self, processor_method_id: str) -> MethodFacts:
        """Whoever's it is."""
        ...

    async def default_method(self, customer_id: str) -> str | None:
        """The processor's id of the method that pays for what names none."""
        ...

    async def attached_method(self, processor_method_id: str, customer_id: str) -> MethodFacts | None:
        """None where it is not, or no more, attached to this customer."""
        ...

    async def update_method(
        self,
        method: PaymentMethod,
        *,
        exp_month: int | None,
        exp_year: int | None,
        billing_name: str | None,
        key: str,
    ) -> MethodFacts: ...
    async def detach_method(self, method: PaymentMethod, *, key: str) -> None: ...


class ProcessorNews(Protocol):
    """The processor's events, at the border."""

    def receive(self, body: bytes, signature: str, *, at: datetime) -> InboxEvent:
        """Raises InvalidInput unless the body is an event that the processor signed, lately."""
        ...

    def read(self, event: InboxEvent) -> ProcessorEvent: ...
    def emptied(self, event: InboxEvent) -> str:
        """The event's payload without what it tells of anybody: what sort it was of, and of which object."""
        ...

    def is_by_others(self, event: InboxEvent) -> bool:
        """Whether somebody asked the processor for the change past us; nobody did for what happens by itself."""
        ...
