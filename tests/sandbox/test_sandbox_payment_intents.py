from typing import Any

import pytest
from stripe import Customer, InvalidRequestError, StripeClient

from sandbox import Sandbox
from tests.sandbox.payments import charge_of, event_types, payment, previous_attributes


class TestCreate:
    async def test_waits_for_a_method(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "USD"})

        assert intent.status == "requires_payment_method"
        assert intent.currency == "usd"
        assert intent.client_secret is not None
        assert intent.client_secret.startswith(f"{intent.id}_secret_")

    async def test_waits_for_confirmation_with_a_method(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(
            {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa"}
        )

        assert intent.status == "requires_confirmation"

    async def test_charges_when_confirmed_at_once(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(
            payment(metadata={"order": "17"}, expand=["latest_charge"])
        )

        charge = charge_of(intent)
        assert (intent.status, intent.amount_received) == ("succeeded", 2000)
        assert (charge.amount_captured, charge.captured, charge.paid) == (2000, True, True)
        assert charge.metadata["order"] == "17"
        assert charge.payment_method_details is not None
        assert charge.payment_method_details.card is not None
        assert charge.payment_method_details.card.last4 == "4242"
        assert charge.receipt_url is not None

    async def test_tells_its_events_in_order(self, client: StripeClient) -> None:
        await client.v1.payment_intents.create_async(payment())

        assert await event_types(client) == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]

    async def test_asynchronous_capture_books_the_balance_afterwards(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(payment())

        charge = await client.v1.charges.retrieve_async(
            str(intent.latest_charge), {"expand": ["balance_transaction"]}
        )
        assert await previous_attributes(client, "charge.updated") == {"balance_transaction": None}
        assert charge.balance_transaction is not None
        assert not isinstance(charge.balance_transaction, str)
        assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (88, 1912)

    async def test_synchronous_capture_books_at_once(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(
            payment(capture_method="automatic", expand=["latest_charge"])
        )

        assert charge_of(intent).balance_transaction is not None
        assert "charge.updated" not in await event_types(client)

    @pytest.mark.parametrize(
        ("amount", "currency", "code"),
        [
            (49, "usd", "amount_too_small"),
            (29, "gbp", "amount_too_small"),
            (49, "jpy", "amount_too_small"),
            (100_000_000, "usd", "amount_too_large"),
            (1_000_000_000_000, "idr", "amount_too_large"),
            (1000, "xxx", None),
            (1001, "kwd", None),
        ],
    )
    async def test_refuses_amounts_and_currencies_stripe_refuses(
        self, client: StripeClient, amount: int, currency: str, code: str | None
    ) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.create_async({"amount": amount, "currency": currency})

        assert refused.value.code == code
        assert refused.value.http_status == 400

    @pytest.mark.parametrize(
        ("amount", "currency"), [(50, "usd"), (50, "jpy"), (99_999_999, "eur"), (999_999_999_999, "idr")]
    )
    async def test_takes_amounts_at_the_limits(
        self, client: StripeClient, amount: int, currency: str
    ) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": amount, "currency": currency})

        assert intent.amount == amount

    async def test_wants_a_return_url_where_methods_may_redirect(self, client: StripeClient) -> None:
        settings: dict[str, Any] = {"automatic_payment_methods": {"enabled": True}}
        with pytest.raises(InvalidRequestError, match="return_url"):
            await client.v1.payment_intents.create_async(payment(**settings))

        intent = await client.v1.payment_intents.create_async(
            payment(**settings, return_url="https://example.com/")
        )
        assert intent.status == "succeeded"

    async def test_cards_only_need_no_return_url(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(
            {
                "amount": 2000,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "allowed_payment_method_types": ["card", "klarna"],
            }
        )

        assert (intent.status, intent.payment_method_types) == ("succeeded", ["card"])
        assert intent.automatic_payment_methods is None

    async def test_uses_up_a_method_that_belongs_to_nobody(self, client: StripeClient) -> None:
        method = await client.v1.payment_methods.retrieve_async("pm_card_visa")
        await client.v1.payment_intents.create_async(payment(payment_method=method.id))

        with pytest.raises(InvalidRequestError, match="cannot be used again"):
            await client.v1.payment_intents.create_async(payment(payment_method=method.id))

    async def test_saves_the_method_for_future_usage(self, client: StripeClient, customer: Customer) -> None:
        await client.v1.payment_intents.create_async(
            payment(customer=customer.id, setup_future_usage="off_session")
        )

        methods = await client.v1.payment_methods.list_async({"customer": customer.id})
        assert len(methods.data) == 1

    async def test_refuses_the_method_of_somebody_else(
        self, client: StripeClient, customer: Customer
    ) -> None:
        other = await client.v1.customers.create_async()
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": other.id})

        with pytest.raises(InvalidRequestError, match="does not belong"):
            await client.v1.payment_intents.create_async(
                payment(customer=customer.id, payment_method=method.id)
            )
        with pytest.raises(InvalidRequestError, match="belongs to a customer"):
            await client.v1.payment_intents.create_async(payment(payment_method=method.id))

    @pytest.mark.parametrize(("param", "value"), [("customer", "cus_none"), ("payment_method", "pm_none")])
    async def test_refuses_unknown_objects(self, client: StripeClient, param: str, value: str) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.create_async(payment(**{param: value}))

        assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")
        assert refused.value.param == param


class TestUpdateAndConfirm:
    async def test_confirms_with_a_method_given_late(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})
        updated = await client.v1.payment_intents.update_async(
            intent.id, {"amount": 3000, "description": "Order 17", "metadata": {"order": "17"}}
        )
        assert (updated.amount, updated.description) == (3000, "Order 17")

        paid = await client.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa", "return_url": "https://example.com/"}
        )

        assert (paid.status, paid.amount_received) == ("succeeded", 3000)

    async def test_cannot_confirm_without_a_method(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.confirm_async(intent.id)

        assert refused.value.code == "payment_intent_unexpected_state"

    async def test_cannot_confirm_with_a_method_detached_meanwhile(
        self, client: StripeClient, customer: Customer
    ) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        intent = await client.v1.payment_intents.create_async(
            payment(customer=customer.id, payment_method=method.id, confirm=False)
        )
        await client.v1.payment_methods.detach_async(method.id)

        with pytest.raises(InvalidRequestError, match="cannot be used again"):
            await client.v1.payment_intents.confirm_async(intent.id)

    async def test_cannot_confirm_twice(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(payment())

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.confirm_async(intent.id)

        assert refused.value.code == "payment_intent_unexpected_state"
        assert refused.value.error is not None
        assert refused.value.error.payment_intent is not None
        assert refused.value.error.payment_intent.status == "succeeded"

    async def test_a_paid_intent_keeps_its_amount_but_takes_metadata(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(payment())

        with pytest.raises(InvalidRequestError, match="could not be updated"):
            await client.v1.payment_intents.update_async(intent.id, {"amount": 1})
        updated = await client.v1.payment_intents.update_async(intent.id, {"metadata": {"a": "1"}})

        assert updated.metadata["a"] == "1"


class TestList:
    async def test_by_customer_and_time(
        self, client: StripeClient, sandbox: Sandbox, customer: Customer
    ) -> None:
        await client.v1.payment_intents.create_async(payment())
        early = await client.v1.payment_intents.create_async(payment(customer=customer.id))
        sandbox.advance(100)
        late = await client.v1.payment_intents.create_async(payment(customer=customer.id))

        mine = await client.v1.payment_intents.list_async({"customer": customer.id})
        recent = await client.v1.payment_intents.list_async(
            {"customer": customer.id, "created": {"gt": early.created}}
        )

        assert [intent.id for intent in mine.data] == [late.id, early.id]
        assert [intent.id for intent in recent.data] == [late.id]

    async def test_charges_by_payment_intent(self, client: StripeClient) -> None:
        await client.v1.payment_intents.create_async(payment())
        intent = await client.v1.payment_intents.create_async(payment())

        charges = await client.v1.charges.list_async({"payment_intent": intent.id})

        assert [charge.id for charge in charges.data] == [intent.latest_charge]
