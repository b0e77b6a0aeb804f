import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decline import (
    CONCEALED,
    CONFIRM_CARD_DATA,
    DO_NOT_TRY_AGAIN,
    RULINGS,
    Decline,
    DeclineCategory,
    FixableBy,
)

CARD_DECLINE_CODES = """
    authentication_required authentication_not_handled approve_with_id call_issuer card_not_supported
    card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card
    fraudulent generic_decline incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip
    insufficient_funds invalid_account invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year
    invalid_number invalid_pin issuer_not_available lost_card merchant_blacklist
    mobile_device_authentication_required new_account_information_available no_action_taken not_permitted
    offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded processing_error
    reenter_transaction restricted_card revocation_of_all_authorizations revocation_of_authorization
    security_violation service_not_allowed stolen_card stop_payment_order testmode_decline
    transaction_not_allowed try_again_later withdrawal_count_limit_exceeded
"""
LOCAL_METHOD_DECLINE_CODES = """
    partner_generic_decline invalid_customer_account payment_limit_exceeded invalid_billing_agreement
    partner_expired_card partner_processing_error partner_insufficient_funds partner_invalid_currency
    partner_invalid_amount invalid_business_account partner_high_risk_customer compliance_violation
    payment_disputed invalid_authorization invalid_payment_information partner_payment_not_found
    expired_payment_information partner_duplicate_transaction
"""
ERROR_CODES = """
    card_declined incorrect_postal_code payment_intent_authentication_failure setup_intent_authentication_failure
    payment_intent_payment_attempt_failed payment_method_provider_decline payment_method_provider_timeout
    payment_method_customer_decline card_decline_rate_limit_exceeded payment_intent_mandate_invalid
"""
HARD_BY_SMART_RETRIES = """
    incorrect_number lost_card pickup_card stolen_card revocation_of_authorization
    revocation_of_all_authorizations authentication_required highest_risk_level transaction_not_allowed
"""

codes = st.sampled_from(sorted(RULINGS)) | st.text(max_size=30)
advice = (
    st.none()
    | st.sampled_from([CONFIRM_CARD_DATA, DO_NOT_TRY_AGAIN, "try_again_later"])
    | st.text(max_size=9)
)
declines = st.builds(Decline, code=codes, network_advice=advice)


class TestRulings:
    @pytest.mark.parametrize("documented", [CARD_DECLINE_CODES, LOCAL_METHOD_DECLINE_CODES, ERROR_CODES])
    def test_cover_what_stripe_documents(self, documented: str) -> None:
        assert set(documented.split()) - set(RULINGS) == set()

    def test_know_fifty_card_decline_codes(self) -> None:
        assert len(set(CARD_DECLINE_CODES.split())) == 50

    @pytest.mark.parametrize("code", HARD_BY_SMART_RETRIES.split())
    def test_never_retry_what_stripe_never_retries(self, code: str) -> None:
        assert not Decline(code=code).retryable


class TestDecline:
    @pytest.mark.parametrize(
        ("code", "category", "fixable_by", "retryable"),
        [
            ("insufficient_funds", DeclineCategory.INSUFFICIENT_FUNDS, FixableBy.CUSTOMER, True),
            ("expired_card", DeclineCategory.CARD_EXPIRED, FixableBy.CUSTOMER, False),
            ("incorrect_cvc", DeclineCategory.CARD_DATA_WRONG, FixableBy.CUSTOMER, False),
            ("authentication_required", DeclineCategory.AUTHENTICATION_REQUIRED, FixableBy.CUSTOMER, False),
            ("lost_card", DeclineCategory.LOST_OR_STOLEN, FixableBy.NOBODY, False),
            ("fraudulent", DeclineCategory.SUSPECTED_FRAUD, FixableBy.MERCHANT, False),
            ("currency_not_supported", DeclineCategory.NOT_SUPPORTED, FixableBy.ISSUER, False),
            ("card_velocity_exceeded", DeclineCategory.LIMIT_EXCEEDED, FixableBy.CUSTOMER, True),
            ("processing_error", DeclineCategory.ISSUER_UNAVAILABLE, FixableBy.ISSUER, True),
            ("do_not_honor", DeclineCategory.GENERIC, FixableBy.ISSUER, True),
            ("duplicate_transaction", DeclineCategory.GENERIC, FixableBy.MERCHANT, False),
        ],
    )
    def test_follows_from_its_code(
        self, code: str, category: DeclineCategory, fixable_by: FixableBy, retryable: bool
    ) -> None:
        decline = Decline(code=code)

        assert (decline.category, decline.fixable_by, decline.retryable) == (category, fixable_by, retryable)

    @pytest.mark.parametrize("code", ["a_code_of_tomorrow", "", "INSUFFICIENT_FUNDS"])
    def test_unknown_code_is_an_unexplained_decline(self, code: str) -> None:
        decline = Decline(code=code)

        assert decline.category is DeclineCategory.GENERIC
        assert decline.retryable
        assert decline.customer_message == Decline(code="generic_decline").customer_message

    def test_advice_against_another_attempt_outranks_the_code(self) -> None:
        assert Decline(code="insufficient_funds").retryable
        assert not Decline(code="insufficient_funds", network_advice=DO_NOT_TRY_AGAIN).retryable

    def test_advice_to_try_later_does_not_soften_a_hard_decline(self) -> None:
        assert not Decline(code="stolen_card", network_advice="try_again_later").retryable

    def test_advice_to_confirm_card_data_explains_an_unexplained_decline(self) -> None:
        decline = Decline(code="do_not_honor", network_advice=CONFIRM_CARD_DATA)

        assert decline.category is DeclineCategory.CARD_DATA_WRONG
        assert decline.fixable_by is FixableBy.CUSTOMER
        assert not decline.retryable

    def test_advice_to_confirm_card_data_does_not_reveal_a_concealed_decline(self) -> None:
        decline = Decline(code="lost_card", network_advice=CONFIRM_CARD_DATA)

        assert decline.category is DeclineCategory.LOST_OR_STOLEN

    @given(declines)
    def test_every_decline_has_a_sentence(self, decline: Decline) -> None:
        assert decline.customer_message.endswith(".")


class TestCustomerMessage:
    def test_duplicate_sends_the_customer_to_the_earlier_payment(self) -> None:
        message = Decline(code="duplicate_transaction").customer_message

        assert message != Decline(code="generic_decline").customer_message
        assert "before you pay again" in message

    @given(declines)
    def test_never_tells_of_loss_theft_or_suspicion(self, decline: Decline) -> None:
        message = decline.customer_message.lower()

        assert not any(word in message for word in ("lost", "stolen", "theft", "fraud", "risk", "suspic"))

    @pytest.mark.parametrize("code", [code for code in RULINGS if RULINGS[code].category in CONCEALED])
    def test_concealed_decline_reads_like_an_unexplained_one(self, code: str) -> None:
        decline = Decline(code=code)

        assert decline.customer_message == Decline(code="generic_decline").customer_message


class TestForCustomer:
    @given(declines)
    def test_shows_no_concealed_category(self, decline: Decline) -> None:
        assert decline.for_customer().category not in CONCEALED

    @given(declines)
    def test_keeps_message_and_retryability(self, decline: Decline) -> None:
        shown = decline.for_customer()

        assert (shown.customer_message, shown.retryable) == (decline.customer_message, decline.retryable)

    def test_leaves_an_open_decline_as_it_is(self) -> None:
        decline = Decline(code="expired_card", network_advice=CONFIRM_CARD_DATA)

        assert decline.for_customer() == decline
