import httpx2
import pytest
from stripe import CardError, Customer, InvalidRequestError, StripeClient

from tests.sandbox.payments import event_types
from tests.sandbox.test_sandbox_authentication import RETURN_URL, SECURED, page_of


class TestCreate:
    async def test_saves_a_card_for_the_customer(self, client: StripeClient, customer: Customer) -> None:
        setup = await client.v1.setup_intents.create_async(
            {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
        )

        assert (setup.status, setup.usage) == ("succeeded", "off_session")
        methods = await client.v1.payment_methods.list_async({"customer": customer.id})
        assert [method.id for method in methods.data] == [setup.payment_method]
        assert (await event_types(client))[-3:] == [
            "setup_intent.created",
            "payment_method.attached",
            "setup_intent.succeeded",
        ]

    async def test_refuses_a_card_its_bank_declines(self, client: StripeClient, customer: Customer) -> None:
        with pytest.raises(CardError) as refused:
            await client.v1.setup_intents.create_async(
                {"customer": customer.id, "payment_method": "pm_card_visa_chargeDeclined", "confirm": True}
            )

        assert refused.value.error is not None
        setup = refused.value.error.setup_intent
        assert setup is not None
        assert (setup.status, setup.payment_method) == ("requires_payment_method", None)
        assert setup.last_setup_error is not None
        assert setup.last_setup_error.code == "card_declined"
        assert (await event_types(client))[-1] == "setup_intent.setup_failed"


class TestConfirm:
    async def test_takes_a_method_given_late(self, client: StripeClient, customer: Customer) -> None:
        setup = await client.v1.setup_intents.create_async({"customer": customer.id})
        assert setup.status == "requires_payment_method"
        await client.v1.setup_intents.update_async(
            setup.id, {"description": "Monthly", "metadata": {"a": "1"}}
        )

        done = await client.v1.setup_intents.confirm_async(setup.id, {"payment_method": "pm_card_visa"})

        assert (done.status, done.description) == ("succeeded", "Monthly")

    async def test_cannot_do_without_a_method(self, client: StripeClient) -> None:
        setup = await client.v1.setup_intents.create_async()

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.setup_intents.confirm_async(setup.id)

        assert refused.value.code == "setup_intent_unexpected_state"

    @pytest.mark.parametrize(
        ("outcome", "status", "attached"),
        [("complete", "succeeded", 1), ("fail", "requires_payment_method", 0)],
    )
    async def test_asks_the_cardholder(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        customer: Customer,
        outcome: str,
        status: str,
        attached: int,
    ) -> None:
        setup = await client.v1.setup_intents.create_async(
            {"customer": customer.id, "payment_method": SECURED}
        )
        asked = await client.v1.setup_intents.confirm_async(setup.id, {"return_url": RETURN_URL})
        assert asked.status == "requires_action"

        answer = await http.post(page_of(asked), data={"outcome": outcome})

        assert f"setup_intent={setup.id}" in answer.headers["location"]
        assert (await client.v1.setup_intents.retrieve_async(setup.id)).status == status
        methods = await client.v1.payment_methods.list_async({"customer": customer.id})
        assert len(methods.data) == attached

    async def test_a_bank_may_decline_after_authentication(
        self, client: StripeClient, http: httpx2.AsyncClient, customer: Customer
    ) -> None:
        asked = await client.v1.setup_intents.create_async(
            {
                "customer": customer.id,
                "payment_method": "pm_card_visa_chargeDeclined",
                "payment_method_options": {"card": {"request_three_d_secure": "challenge"}},
                "confirm": True,
                "return_url": RETURN_URL,
            }
        )

        answer = await http.post(page_of(asked), data={"outcome": "complete"})

        assert "redirect_status=failed" in answer.headers["location"]
        failed = await client.v1.setup_intents.retrieve_async(asked.id)
        assert failed.last_setup_error is not None
        assert failed.last_setup_error.code == "card_declined"


class TestCancel:
    async def test_ends_an_open_setup(self, client: StripeClient) -> None:
        setup = await client.v1.setup_intents.create_async()

        canceled = await client.v1.setup_intents.cancel_async(setup.id, {"cancellation_reason": "abandoned"})

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.setup_intents.cancel_async(setup.id)
        assert refused.value.code == "setup_intent_unexpected_state"

    async def test_lists_by_customer(self, client: StripeClient, customer: Customer) -> None:
        await client.v1.setup_intents.create_async()
        mine = await client.v1.setup_intents.create_async({"customer": customer.id})

        listed = await client.v1.setup_intents.list_async({"customer": customer.id})

        assert [setup.id for setup in listed.data] == [mine.id]
