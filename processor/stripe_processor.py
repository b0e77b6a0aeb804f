"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them: a file per noun."""

from processor.stripe_methods import StripeMethods
from processor.stripe_payments import StripePayments
from processor.stripe_subscriptions import StripeSubscriptions


class StripeProcessor(StripeMethods, StripePayments, StripeSubscriptions):
    pass
