import pytest
from stripe import CardError, Customer, InvalidRequestError, StripeClient

from tests.sandbox.payments import previous_attributes


class TestCreate:
    async def test_keeps_what_was_given(self, client: StripeClient) -> None:
        customer = await client.v1.customers.create_async(
            {
                "name": "Ada",
                "email": "ada@example.com",
                "metadata": {"user": "17"},
                "address": {"city": "London", "country": "GB"},
                "shipping": {"name": "Ada", "address": {"line1": "1 Main Street"}},
            }
        )

        assert customer.id.startswith("cus_")
        assert (customer.name, customer.email) == ("Ada", "ada@example.com")
        assert customer.metadata is not None
        assert customer.metadata["user"] == "17"
        assert customer.address is not None
        assert customer.address.city == "London"
        assert customer.address.line1 is None

    async def test_attaches_a_payment_method(self, client: StripeClient) -> None:
        customer = await client.v1.customers.create_async({"payment_method": "pm_card_visa"})

        methods = await client.v1.customers.payment_methods.list_async(customer.id)
        assert [method.customer for method in methods.data] == [customer.id]

    async def test_makes_no_customer_for_a_declined_card(self, client: StripeClient) -> None:
        with pytest.raises(CardError):
            await client.v1.customers.create_async({"payment_method": "pm_card_visa_chargeDeclined"})

        assert (await client.v1.customers.list_async()).data == []


class TestUpdate:
    async def test_changes_only_what_was_given(self, client: StripeClient, customer: Customer) -> None:
        updated = await client.v1.customers.update_async(customer.id, {"name": "Grace"})

        assert (updated.name, updated.email) == ("Grace", "ada@example.com")

    async def test_merges_metadata_and_drops_empty_values(
        self, client: StripeClient, customer: Customer
    ) -> None:
        await client.v1.customers.update_async(customer.id, {"metadata": {"a": "1", "b": "2"}})

        updated = await client.v1.customers.update_async(customer.id, {"metadata": {"b": "", "c": "3"}})

        assert updated.metadata is not None
        assert updated.metadata.to_dict() == {"a": "1", "c": "3"}

    async def test_an_empty_value_clears_a_setting(self, client: StripeClient, customer: Customer) -> None:
        updated = await client.v1.customers.update_async(customer.id, {"email": ""})

        assert updated.email is None

    async def test_tells_the_previous_attributes(self, client: StripeClient, customer: Customer) -> None:
        await client.v1.customers.update_async(customer.id, {"name": "Grace", "metadata": {"a": "1"}})

        previous = await previous_attributes(client, "customer.updated")
        assert previous == {"name": "Ada", "metadata": {"a": None}}

    async def test_refuses_another_customers_default_method(
        self, client: StripeClient, customer: Customer
    ) -> None:
        other = await client.v1.customers.create_async({"payment_method": "pm_card_visa"})
        foreign = (await client.v1.customers.payment_methods.list_async(other.id)).data[0]

        with pytest.raises(InvalidRequestError, match="does not belong"):
            await client.v1.customers.update_async(
                customer.id, {"invoice_settings": {"default_payment_method": foreign.id}}
            )


class TestDelete:
    async def test_can_still_be_read_as_deleted(self, client: StripeClient, customer: Customer) -> None:
        await client.v1.customers.delete_async(customer.id)

        gone = await client.v1.customers.retrieve_async(customer.id)
        assert gone.to_dict() == {"id": customer.id, "object": "customer", "deleted": True}

    async def test_leaves_the_list_and_cannot_be_repeated(
        self, client: StripeClient, customer: Customer
    ) -> None:
        await client.v1.customers.delete_async(customer.id)

        assert (await client.v1.customers.list_async()).data == []
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.customers.delete_async(customer.id)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


class TestList:
    async def test_finds_by_email(self, client: StripeClient, customer: Customer) -> None:
        await client.v1.customers.create_async({"email": "grace@example.com"})

        found = await client.v1.customers.list_async({"email": "ada@example.com"})

        assert [each.id for each in found.data] == [customer.id]
