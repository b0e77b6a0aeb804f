"""
Why a payment was declined, what may be said of it, and whether trying again makes sense.

Sources, all below https://docs.stripe.com: declines/codes (cards and local payment methods), error-codes
(what a payment or a set-up can fail with before an issuer is asked), declines/card (advice codes), and
billing/revenue-recovery/smart-retries (after which declines an unattended retry is pointless).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

GENERIC_DECLINE = "generic_decline"
CONFIRM_CARD_DATA = "confirm_card_data"
DO_NOT_TRY_AGAIN = "do_not_try_again"


class DeclineCategory(StrEnum):
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    CARD_EXPIRED = "CARD_EXPIRED"
    CARD_DATA_WRONG = "CARD_DATA_WRONG"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    LOST_OR_STOLEN = "LOST_OR_STOLEN"
    SUSPECTED_FRAUD = "SUSPECTED_FRAUD"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE"
    GENERIC = "GENERIC"


class FixableBy(StrEnum):
    """Who can make another attempt with the same payment method succeed."""

    CUSTOMER = "CUSTOMER"
    ISSUER = "ISSUER"
    MERCHANT = "MERCHANT"
    NOBODY = "NOBODY"


CONCEALED = frozenset({DeclineCategory.LOST_OR_STOLEN, DeclineCategory.SUSPECTED_FRAUD})
"""What Stripe asks never to tell the customer, who may be the thief."""


@dataclass(frozen=True, slots=True)
class Ruling:
    category: DeclineCategory
    fixable_by: FixableBy
    retryable: bool


_CATEGORY, _BY = DeclineCategory, FixableBy
UNEXPLAINED = Ruling(_CATEGORY.GENERIC, _BY.ISSUER, retryable=True)
WRONG_DATA = Ruling(_CATEGORY.CARD_DATA_WRONG, _BY.CUSTOMER, retryable=False)

_CODES: Mapping[Ruling, str] = {
    UNEXPLAINED: """
        approve_with_id call_issuer card_declined do_not_honor generic_decline no_action_taken
        partner_generic_decline payment_intent_payment_attempt_failed payment_method_provider_decline
        setup_attempt_failed""",
    Ruling(_CATEGORY.GENERIC, _BY.ISSUER, retryable=False): """
        account_closed bank_account_declined bank_account_restricted do_not_try_again no_account
        payment_method_bank_account_blocked payment_method_restricted refer_to_customer
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order""",
    Ruling(_CATEGORY.GENERIC, _BY.CUSTOMER, retryable=False): """
        billing_invalid_mandate debit_not_authorized india_recurring_payment_mandate_canceled
        invalid_authorization invalid_billing_agreement payment_intent_mandate_invalid
        payment_method_customer_decline setup_intent_mandate_invalid""",
    Ruling(_CATEGORY.GENERIC, _BY.CUSTOMER, retryable=True): "invalid_customer_account",
    Ruling(_CATEGORY.GENERIC, _BY.MERCHANT, retryable=False): """
        compliance_violation duplicate_transaction invalid_business_account partner_duplicate_transaction
        payment_disputed processor_refused""",
    Ruling(_CATEGORY.INSUFFICIENT_FUNDS, _BY.CUSTOMER, retryable=True): """
        insufficient_funds partner_insufficient_funds""",
    Ruling(_CATEGORY.CARD_EXPIRED, _BY.CUSTOMER, retryable=False): """
        expired_card expired_payment_information expired_payment_method partner_expired_card""",
    WRONG_DATA: """
        incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_postal_code incorrect_zip
        invalid_characters invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number
        invalid_payment_information invalid_pin new_account_information_available
        payment_method_billing_details_address_missing postal_code_invalid""",
    Ruling(_CATEGORY.CARD_DATA_WRONG, _BY.ISSUER, retryable=False): "invalid_account invalid_track_data",
    Ruling(_CATEGORY.AUTHENTICATION_REQUIRED, _BY.CUSTOMER, retryable=False): """
        authentication_failure authentication_not_handled authentication_required
        invoice_payment_intent_requires_action mobile_device_authentication_required offline_pin_required
        online_or_offline_pin_required payment_intent_action_required
        payment_intent_authentication_failure payment_intent_payment_attempt_expired
        setup_intent_authentication_failure setup_intent_setup_attempt_expired
        three_d_secure_authentication_upstream_error""",
    Ruling(_CATEGORY.LOST_OR_STOLEN, _BY.NOBODY, retryable=False): """
        lost_card lost_or_stolen_card pickup_card restricted_card stolen_card""",
    Ruling(_CATEGORY.SUSPECTED_FRAUD, _BY.MERCHANT, retryable=False): """
        fraudulent highest_risk_level merchant_blacklist partner_high_risk_customer""",
    Ruling(_CATEGORY.SUSPECTED_FRAUD, _BY.ISSUER, retryable=False): "security_violation",
    Ruling(_CATEGORY.NOT_SUPPORTED, _BY.ISSUER, retryable=False): """
        card_not_supported currency_not_supported not_permitted partner_invalid_currency
        recurring_not_supported_by_bank service_not_allowed three_d_secure_authentication_not_supported
        transaction_not_allowed""",
    Ruling(_CATEGORY.NOT_SUPPORTED, _BY.CUSTOMER, retryable=False): """
        card_already_activated invalid_card_type payment_method_currency_mismatch testmode_decline""",
    Ruling(_CATEGORY.NOT_SUPPORTED, _BY.MERCHANT, retryable=False): """
        partner_action_not_supported payment_intent_incompatible_payment_method payment_method_not_available
        payment_method_unactivated payment_method_unsupported_type""",
    Ruling(_CATEGORY.LIMIT_EXCEEDED, _BY.CUSTOMER, retryable=True): """
        card_velocity_exceeded charge_exceeds_source_limit payment_limit_exceeded
        withdrawal_count_limit_exceeded""",
    Ruling(_CATEGORY.LIMIT_EXCEEDED, _BY.ISSUER, retryable=False): "invalid_amount pin_try_exceeded",
    Ruling(_CATEGORY.LIMIT_EXCEEDED, _BY.NOBODY, retryable=False): """
        card_decline_rate_limit_exceeded""",
    Ruling(_CATEGORY.LIMIT_EXCEEDED, _BY.MERCHANT, retryable=False): """
        amount_too_large amount_too_small charge_exceeds_transaction_limit invalid_charge_amount
        partner_invalid_amount""",
    Ruling(_CATEGORY.ISSUER_UNAVAILABLE, _BY.ISSUER, retryable=True): """
        issuer_not_available partner_payment_not_found partner_processing_error
        payment_method_provider_timeout processing_error reenter_transaction try_again_later""",
}
RULINGS: Mapping[str, Ruling] = MappingProxyType(
    {code: ruling for ruling, codes in _CODES.items() for code in codes.split()}
)

_DECLINED = "The payment was declined. Please use another payment method, or ask your card issuer why."
_CHECK_FOR_EARLIER_PAYMENT = "The same payment was made moments ago. Please check it before you pay again."
_MESSAGES: Mapping[DeclineCategory, str] = {
    _CATEGORY.INSUFFICIENT_FUNDS: "There was not enough money available. Please use another payment method.",
    _CATEGORY.CARD_EXPIRED: "This payment method has expired. Please update it or use another one.",
    _CATEGORY.CARD_DATA_WRONG: "Some payment details are not right. Please check them and try again.",
    _CATEGORY.AUTHENTICATION_REQUIRED: "Your bank asks you to confirm this payment. Please try again.",
    _CATEGORY.NOT_SUPPORTED: "This payment method cannot be used for this purchase. Please use another one.",
    _CATEGORY.LIMIT_EXCEEDED: "This payment is beyond a limit of the payment method. Please use another one.",
    _CATEGORY.ISSUER_UNAVAILABLE: "The payment could not be processed just now. Please try again later.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """
    One refusal of a payment or of a set-up, in the processor's words, and what follows from them.

    `code` is Stripe's decline code, or its error code when no issuer was asked; `network_advice` is Stripe's
    `advice_code`. A code nobody has heard of is an unexplained decline, never an error.
    """

    code: str
    network_advice: str | None = None

    @property
    def category(self) -> DeclineCategory:
        return self._ruling.category

    @property
    def fixable_by(self) -> FixableBy:
        return self._ruling.fixable_by

    @property
    def retryable(self) -> bool:
        """
        Whether charging the same method again, with nobody at the keyboard, may succeed.

        False after a hard decline. When the customer can fix it, an attempt after that is another matter.
        """
        return self._ruling.retryable and self.network_advice != DO_NOT_TRY_AGAIN

    @property
    def customer_message(self) -> str:
        """A sentence for the customer that never tells of loss, theft or suspicion."""
        if self.code.endswith("duplicate_transaction"):
            return _CHECK_FOR_EARLIER_PAYMENT
        return _MESSAGES.get(self.category, _DECLINED)

    def for_customer(self) -> "Decline":
        """This decline as its payer may see it: a concealed one looks like any unexplained refusal."""
        if self.category not in CONCEALED:
            return self
        return Decline(code=GENERIC_DECLINE, network_advice=DO_NOT_TRY_AGAIN)

    @property
    def _ruling(self) -> Ruling:
        ruling = RULINGS.get(self.code, UNEXPLAINED)
        if ruling.category is DeclineCategory.GENERIC and self.network_advice == CONFIRM_CARD_DATA:
            return WRONG_DATA
        return ruling
