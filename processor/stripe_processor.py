"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them: a file per noun."""

from processor.stripe_disputes import StripeDisputes
from processor.stripe_lists import StripeLists
from processor.stripe_methods import StripeMethods
from processor.stripe_payments import StripePayments
from processor.stripe_previews import StripePreviews
from processor.stripe_refunds import StripeRefunds
from processor.stripe_subscription_commands import StripeSubscriptionCommands


class StripeProcessor(
    StripeMethods,
    StripePayments,
    StripeRefunds,
    StripeDisputes,
    StripeSubscriptionCommands,
    StripePreviews,
    StripeLists,
):
    pass
