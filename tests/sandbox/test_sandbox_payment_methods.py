import httpx2
import pytest
from stripe import CardError, Customer, InvalidRequestError, StripeClient

from sandbox.cards.catalog import ALIASES, CARDS, METHOD_PREFIX, Card, has_valid_checksum
from tests.sandbox.payments import previous_attributes

REFUSED_WHEN_SAVED = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
]


class TestCatalog:
    @pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
    def test_numbers_are_real_test_numbers(self, card: Card) -> None:
        assert has_valid_checksum(card.number)

    @pytest.mark.parametrize("name", [*CARDS, *ALIASES])
    async def test_every_test_id_makes_a_method(self, client: StripeClient, name: str) -> None:
        method = await client.v1.payment_methods.retrieve_async(METHOD_PREFIX + name)

        card = CARDS[ALIASES.get(name, name)]
        assert method.id != METHOD_PREFIX + name
        assert method.card is not None
        assert (method.card.brand, method.card.last4) == (card.brand, card.last4)
        assert method.card.fingerprint == card.fingerprint


class TestCreate:
    async def test_takes_a_token(self, client: StripeClient) -> None:
        method = await client.v1.payment_methods.create_async(
            {
                "type": "card",
                "card": {"token": "tok_mastercard"},
                "billing_details": {"name": "Ada", "address": {"postal_code": "94102"}},
            }
        )

        assert method.customer is None
        assert method.card is not None
        assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
        assert method.billing_details.name == "Ada"
        assert method.billing_details.address is not None
        assert method.billing_details.address.postal_code == "94102"

    async def test_takes_a_test_number_and_its_expiry(self, client: StripeClient) -> None:
        method = await client.v1.payment_methods.create_async(
            {
                "type": "card",
                "card": {"number": "4000056655665556", "exp_month": 3, "exp_year": 2033, "cvc": "123"},
            }
        )

        assert method.card is not None
        assert (method.card.funding, method.card.exp_month, method.card.exp_year) == ("debit", 3, 2033)

    @pytest.mark.parametrize(
        ("card", "code"),
        [
            ({"number": "4242424242424241", "exp_month": 3, "exp_year": 2033}, "incorrect_number"),
            ({"number": "4242424242424242", "exp_month": 13, "exp_year": 2033}, "invalid_expiry_month"),
            ({"number": "4242424242424242", "exp_month": 3, "exp_year": 1990}, "invalid_expiry_year"),
            ({"number": "4242424242424242", "exp_month": 3, "exp_year": 2033, "cvc": "99"}, "invalid_cvc"),
        ],
    )
    async def test_refuses_wrong_card_data(
        self, http: httpx2.AsyncClient, card: dict[str, object], code: str
    ) -> None:
        form = {"type": "card", **{f"card[{name}]": str(value) for name, value in card.items()}}

        answer = await http.post("/v1/payment_methods", data=form)

        assert answer.status_code == 402
        assert answer.json()["error"]["code"] == code

    async def test_refuses_an_unknown_token(self, client: StripeClient) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_methods.create_async({"type": "card", "card": {"token": "tok_nothing"}})

        assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")


class TestAttach:
    async def test_a_test_id_makes_a_method_of_its_own(
        self, client: StripeClient, customer: Customer
    ) -> None:
        first = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        second = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})

        assert first.id != second.id
        assert first.card is not None
        assert second.card is not None
        assert first.card.fingerprint == second.card.fingerprint
        listed = await client.v1.payment_methods.list_async({"customer": customer.id, "type": "card"})
        assert [method.id for method in listed.data] == [second.id, first.id]

    @pytest.mark.parametrize(("card", "code", "decline_code"), REFUSED_WHEN_SAVED)
    async def test_refuses_a_card_its_bank_declines(
        self, client: StripeClient, customer: Customer, card: str, code: str, decline_code: str
    ) -> None:
        with pytest.raises(CardError) as refused:
            await client.v1.payment_methods.attach_async(card, {"customer": customer.id})

        assert refused.value.http_status == 402
        assert refused.value.code == code
        assert refused.value.error is not None
        assert refused.value.error.decline_code == decline_code
        assert (await client.v1.payment_methods.list_async({"customer": customer.id})).data == []

    async def test_accepts_a_card_that_only_fails_when_charged(
        self, client: StripeClient, customer: Customer
    ) -> None:
        method = await client.v1.payment_methods.attach_async(
            "pm_card_chargeCustomerFail", {"customer": customer.id}
        )

        assert method.customer == customer.id

    async def test_refuses_an_attached_method(self, client: StripeClient, customer: Customer) -> None:
        other = await client.v1.customers.create_async()
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": other.id})

        with pytest.raises(InvalidRequestError, match="already attached"):
            await client.v1.payment_methods.attach_async(method.id, {"customer": customer.id})


class TestUpdate:
    async def test_changes_card_and_billing_details(self, client: StripeClient, customer: Customer) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})

        updated = await client.v1.payment_methods.update_async(
            method.id,
            {"card": {"exp_month": 1, "exp_year": 2036}, "billing_details": {"email": "a@example.com"}},
        )

        assert updated.card is not None
        assert (updated.card.exp_month, updated.card.exp_year) == (1, 2036)
        assert updated.billing_details.email == "a@example.com"
        assert await previous_attributes(client, "payment_method.updated") == {
            "card": {"exp_month": 12, "exp_year": 2034},
            "billing_details": {"email": None},
        }

    async def test_refuses_a_method_without_customer(self, client: StripeClient) -> None:
        method = await client.v1.payment_methods.retrieve_async("pm_card_visa")

        with pytest.raises(InvalidRequestError, match="attached"):
            await client.v1.payment_methods.update_async(method.id, {"card": {"exp_month": 1}})


class TestDetach:
    async def test_is_for_good(self, client: StripeClient, customer: Customer) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})

        detached = await client.v1.payment_methods.detach_async(method.id)

        assert detached.customer is None
        with pytest.raises(InvalidRequestError, match="cannot be used again"):
            await client.v1.payment_methods.attach_async(method.id, {"customer": customer.id})
        with pytest.raises(InvalidRequestError, match="not attached"):
            await client.v1.payment_methods.detach_async(method.id)

    async def test_is_no_longer_the_default(self, client: StripeClient, customer: Customer) -> None:
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        await client.v1.customers.update_async(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )

        await client.v1.payment_methods.detach_async(method.id)

        after = await client.v1.customers.retrieve_async(customer.id)
        assert after.invoice_settings is not None
        assert after.invoice_settings.default_payment_method is None
