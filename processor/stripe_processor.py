"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them: a file per noun."""

from processor.stripe_methods import StripeMethods
from processor.stripe_payments import StripePayments


class StripeProcessor(StripeMethods, StripePayments):
    pass
