"""
By which payment a command has collected, or tried to.

It goes by the processor's id: where somebody else has read the subscription since, ours may come after the command.
"""

from domain.commands.command import Step
from domain.commands.subscriptions.subscription_command import Intended
from domain.invoice import BillingReason
from domain.subscription import SubscriptionFacts


def charged_for(facts: SubscriptionFacts, reason: BillingReason) -> str | None:
    """The payment of the latest invoice, if that was made for this reason."""
    invoice = facts.latest_invoice
    if invoice is None or invoice.payment is None or invoice.terms.reason is not reason:
        return None
    return invoice.payment.processor_payment_id


async def charged_for_change(step: Step, intent: Intended, facts: SubscriptionFacts) -> str | None:
    """As `charged_for` a change; a payment that was known when the command began is an earlier change's."""
    charge = charged_for(facts, BillingReason.PLAN_CHANGE)
    known = None if charge is None else await step.work.payments.known_as(charge)
    return None if known is not None and known < intent.begun else charge
