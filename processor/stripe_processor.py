"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them: a file per noun."""

from processor.stripe_disputes import StripeDisputes
from processor.stripe_methods import StripeMethods
from processor.stripe_payments import StripePayments
from processor.stripe_refunds import StripeRefunds
from processor.stripe_subscriptions import StripeSubscriptions


class StripeProcessor(StripeMethods, StripePayments, StripeRefunds, StripeDisputes, StripeSubscriptions):
    pass
