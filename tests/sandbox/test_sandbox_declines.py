import pytest
from stripe import CardError, Customer, StripeClient

from tests.sandbox.payments import event_types, payment

# What Stripe answers in test mode: code, decline code, parameter and advice.
DECLINES = [
    ("visa_chargeDeclined", "card_declined", "generic_decline", None, "try_again_later"),
    ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", None, "try_again_later"),
    ("visa_chargeDeclinedLostCard", "card_declined", "lost_card", None, "do_not_try_again"),
    ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", None, "do_not_try_again"),
    ("chargeDeclinedExpiredCard", "expired_card", "expired_card", "exp_month", "confirm_card_data"),
    ("chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "cvc", "confirm_card_data"),
    ("chargeDeclinedProcessingError", "processing_error", "processing_error", None, "try_again_later"),
    (
        "visa_chargeDeclinedVelocityLimitExceeded",
        "card_declined",
        "card_velocity_exceeded",
        None,
        "try_again_later",
    ),
    ("chargeDeclinedFraudulent", "card_declined", "fraudulent", None, None),
    ("radarBlock", "card_declined", "fraudulent", None, None),
    ("chargeCustomerFail", "card_declined", "generic_decline", None, "try_again_later"),
]


class TestDecline:
    @pytest.mark.parametrize(("card", "code", "decline_code", "param", "advice"), DECLINES)
    async def test_says_why(
        self,
        client: StripeClient,
        card: str,
        code: str,
        decline_code: str,
        param: str | None,
        advice: str | None,
    ) -> None:
        with pytest.raises(CardError) as refused:
            await client.v1.payment_intents.create_async(payment(payment_method=f"pm_card_{card}"))

        error = refused.value.error
        assert error is not None
        said = error.to_dict()
        assert refused.value.http_status == 402
        assert (error.type, error.code, error.message) == ("card_error", code, refused.value.user_message)
        assert (said["decline_code"], said.get("param"), said.get("advice_code")) == (
            decline_code,
            param,
            advice,
        )

    async def test_leaves_an_intent_that_another_card_can_pay(self, client: StripeClient) -> None:
        with pytest.raises(CardError) as refused:
            await client.v1.payment_intents.create_async(
                payment(payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
            )
        assert refused.value.error is not None
        failed = refused.value.error.payment_intent
        assert failed is not None
        assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
        assert failed.last_payment_error is not None
        assert failed.last_payment_error.decline_code == "insufficient_funds"
        assert failed.last_payment_error.payment_method is not None

        paid = await client.v1.payment_intents.confirm_async(failed.id, {"payment_method": "pm_card_visa"})

        assert (paid.status, paid.last_payment_error) == ("succeeded", None)

    async def test_leaves_a_failed_charge(self, client: StripeClient) -> None:
        with pytest.raises(CardError) as refused:
            await client.v1.payment_intents.create_async(
                payment(payment_method="pm_card_visa_chargeDeclinedLostCard")
            )
        assert refused.value.error is not None
        assert refused.value.error.charge is not None

        charge = await client.v1.charges.retrieve_async(refused.value.error.charge)

        assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
        assert charge.failure_code == "card_declined"
        assert charge.outcome is not None
        assert charge.outcome.to_dict() | {"seller_message": ""} == {
            "advice_code": "do_not_try_again",
            "network_advice_code": "03",
            "network_decline_code": "41",
            "network_status": "declined_by_network",
            "reason": "lost_card",
            "risk_level": "normal",
            "risk_score": 32,
            "seller_message": "",
            "type": "issuer_declined",
        }
        assert await event_types(client) == [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed",
        ]

    async def test_a_blocked_card_never_reaches_the_network(self, client: StripeClient) -> None:
        with pytest.raises(CardError):
            await client.v1.payment_intents.create_async(payment(payment_method="pm_card_radarBlock"))

        charge = (await client.v1.charges.list_async()).data[0]
        assert charge.outcome is not None
        assert (charge.outcome.type, charge.outcome.network_status) == ("blocked", "not_sent_to_network")

    async def test_a_card_that_has_expired_meanwhile(self, client: StripeClient, customer: Customer) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        await client.v1.payment_methods.update_async(method.id, {"card": {"exp_month": 1, "exp_year": 2020}})

        with pytest.raises(CardError) as refused:
            await client.v1.payment_intents.create_async(
                payment(customer=customer.id, payment_method=method.id)
            )

        assert refused.value.code == "expired_card"
