"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them: a file per noun."""

from processor.stripe_methods import StripeMethods
from processor.stripe_payments import StripePayments
from processor.stripe_previews import StripePreviews
from processor.stripe_subscription_commands import StripeSubscriptionCommands


class StripeProcessor(StripeMethods, StripePayments, StripeSubscriptionCommands, StripePreviews):
    pass
