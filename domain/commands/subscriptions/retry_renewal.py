"""Pay now what is owed for a subscription."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.commands.command import Step
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended
from domain.commands.usable_methods import method_or_default
from domain.errors import NotFound, StateConflict
from domain.invoice import Invoice, InvoiceFacts, InvoiceStatus
from domain.operation import Operation
from domain.payment_method import PaymentMethod
from domain.payment_status import UNDER_WAY, PaymentStatus, PaymentTrigger
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_status import SubscriptionAction

PAYABLE: Final = frozenset({InvoiceStatus.OPEN, InvoiceStatus.DRAFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaid(Intended):
    """
    `known_charges` are the attempts at the invoice that were written down before this one, `processor_payment_id`
    is the processor's id of the payment that made them.
    """

    invoice: Invoice
    known_charges: Sequence[str | None]
    processor_payment_id: str | None
    method: PaymentMethod | None

    def was_tried(self, invoice: InvoiceFacts) -> bool:
        """Whether the processor's word about the invoice shows an attempt after the known ones."""
        if invoice.terms.status not in PAYABLE:
            return True
        payment = invoice.payment
        if payment is None:
            return False
        return payment.status in UNDER_WAY or payment.charge_id not in {None, *self.known_charges}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRenewal(ChangeCommand[Repaid]):
    """
    Try the open invoice once more, perhaps with another method, which then pays for the subscription from now on.

    A customer may do so a number of times per invoice, since banks take offence at too many attempts.
    """

    mutation: ClassVar = "retryRenewal"
    action: ClassVar = SubscriptionAction.RETRY_RENEWAL
    trigger: ClassVar = PaymentTrigger.CUSTOMER_RETRY

    payment_method_id: UUID | None = None

    async def intend(self, step: Step) -> tuple[UUID, Repaid]:
        subject, intent = await super(RetryRenewal, self).intend(step)
        if intent.invoice.status not in PAYABLE:
            raise StateConflict(
                "Nothing of this subscription is left to be paid.",
                current=intent.invoice.status,
                path=self.path,
            )
        await self._must_be_seldom(step, intent.invoice)
        return subject, intent

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if self.payment_method_id is not None or subscription.payment_method_id is None:
            await method_or_default(step, self.payment_method_id, subscription.user_id)

    async def recall(self, reads: Reads, operation: Operation) -> Repaid:
        """The invoice that was open when this began, whatever has been billed since."""
        intent = await super(RetryRenewal, self).recall(reads, operation)
        invoice = await reads.invoices.latest_of(intent.subscription.id, until=operation.started_at)
        return intent if invoice is None else await self._repaying(reads, intent.subscription, invoice)

    async def intended(self, reads: Reads, subscription: Subscription) -> Repaid:
        return await self._repaying(reads, subscription, await _latest_invoice(reads, subscription))

    async def _repaying(self, reads: Reads, subscription: Subscription, invoice: Invoice) -> Repaid:
        found = await reads.payments.of_invoices([invoice.id], owner=None)
        payments = found.get(invoice.id, ())
        method_id = self.payment_method_id
        return Repaid(
            subscription=subscription,
            invoice=invoice,
            known_charges=[payment.processor_charge_id for payment in payments],
            processor_payment_id=payments[-1].processor_payment_id if payments else None,
            method=await reads.payment_methods.get(method_id) if method_id else None,
        )

    async def call(self, processor: PaymentProcessor, intent: Repaid, *, key: str) -> SubscriptionOutcome:
        if intent.method is not None:
            await processor.pay_with(intent.subscription, intent.method.processor_method_id)
        invoice_id = intent.invoice.processor_invoice_id
        return await processor.pay_invoice(intent.subscription, invoice_id, key=key)

    async def ask(self, processor: PaymentProcessor, intent: Repaid) -> SubscriptionOutcome | None:
        """An attempt shows in the invoice: it is paid, under way, or another charge of it has failed."""
        invoice = await processor.read_invoice(intent.invoice.processor_invoice_id)
        facts = await processor.find_subscription(intent.subscription)
        if invoice is None or facts is None or not intent.was_tried(invoice):
            return None
        payment = invoice.payment
        has_failed = payment is not None and payment.status is PaymentStatus.FAILED
        return SubscriptionOutcome(facts=facts, decline=payment.decline if payment and has_failed else None)

    async def charge(self, step: Step, intent: Repaid, facts: SubscriptionFacts) -> str | None:
        """Of the invoice that was tried, whatever has been billed since."""
        latest = facts.latest_invoice
        if latest is None or latest.terms.processor_invoice_id != intent.invoice.processor_invoice_id:
            return intent.processor_payment_id
        return latest.payment.processor_payment_id if latest.payment else intent.processor_payment_id

    async def _must_be_seldom(self, step: Step, invoice: Invoice) -> None:
        tried = await step.work.operations.count_uses(
            step.by.known_id, self.mutation, self.subscription_id, since=invoice.created_at
        )
        if tried >= step.rules.customer_retries:
            raise StateConflict(
                f"This invoice was tried {tried} times by hand, which is the most that is allowed.",
                current="TRIED_TOO_OFTEN",
                allowed=(SubscriptionAction.CANCEL, SubscriptionAction.UPDATE),
                path=self.path,
            )


async def _latest_invoice(reads: Reads, subscription: Subscription) -> Invoice:
    invoice_id = subscription.latest_invoice_id
    invoice = await reads.invoices.get(invoice_id) if invoice_id else None
    if invoice is None:
        raise NotFound("This subscription has no invoice yet.", path=("id",))
    return invoice
