import pytest
from stripe import InvalidRequestError, Price, StripeClient

from tests.sandbox.payments import event_types, previous_attributes


@pytest.fixture
async def price(client: StripeClient) -> Price:
    return await client.v1.prices.create_async(
        {
            "currency": "usd",
            "unit_amount": 1500,
            "recurring": {"interval": "month", "trial_period_days": 7},
            "lookup_key": "basic_monthly",
            "nickname": "Basic, monthly",
            "metadata": {"plan": "basic"},
            "product_data": {"name": "Basic"},
        }
    )


class TestCreate:
    async def test_makes_the_product_in_passing(self, client: StripeClient, price: Price) -> None:
        read = await client.v1.prices.retrieve_async(price.id, {"expand": ["product"]})

        assert (read.unit_amount, str(read.unit_amount_decimal), read.type) == (1500, "1500", "recurring")
        assert read.recurring is not None
        assert (read.recurring.interval_count, read.recurring.trial_period_days) == (1, 7)
        assert not isinstance(read.product, str)
        assert read.product.name == "Basic"
        assert await event_types(client) == ["product.created", "price.created"]

    async def test_takes_a_product_that_exists(self, client: StripeClient) -> None:
        product = await client.v1.products.create_async({"name": "Pro", "id": "prod_pro"})

        price = await client.v1.prices.create_async(
            {"currency": "EUR", "unit_amount": 900, "product": product.id}
        )

        assert (price.product, price.currency, price.type, price.recurring) == (
            "prod_pro",
            "eur",
            "one_time",
            None,
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"product": "prod_unknown"},
            {"product_data": {"name": "A"}, "product": "prod_b"},
            {},
            {"product_data": {"name": "A"}, "recurring": {"interval": "year", "interval_count": 4}},
        ],
    )
    async def test_refuses_contradictions(self, client: StripeClient, wrong: dict[str, object]) -> None:
        with pytest.raises(InvalidRequestError):
            await client.v1.prices.create_async({"currency": "usd", "unit_amount": 1, **wrong})  # type: ignore[typeddict-item]  # Wrong on purpose.

        assert await event_types(client) == []

    async def test_a_lookup_key_is_taken_over_only_on_purpose(
        self, client: StripeClient, price: Price
    ) -> None:
        assert isinstance(price.product, str)
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.prices.create_async(
                {
                    "currency": "usd",
                    "unit_amount": 2000,
                    "product": price.product,
                    "lookup_key": "basic_monthly",
                }
            )

        dearer = await client.v1.prices.create_async(
            {
                "currency": "usd",
                "unit_amount": 2000,
                "product": price.product,
                "lookup_key": "basic_monthly",
                "transfer_lookup_key": True,
            }
        )

        assert refused.value.param == "lookup_key"
        found = await client.v1.prices.list_async({"lookup_keys": ["basic_monthly"]})
        assert [one.id for one in found.data] == [dearer.id]
        assert await previous_attributes(client, "price.updated") == {"lookup_key": "basic_monthly"}


class TestUpdate:
    async def test_retires_a_price(self, client: StripeClient, price: Price) -> None:
        retired = await client.v1.prices.update_async(price.id, {"active": False, "metadata": {"plan": ""}})

        assert (retired.active, retired.metadata.to_dict(), retired.unit_amount) == (False, {}, 1500)
        assert await previous_attributes(client, "price.updated") == {
            "active": True,
            "metadata": {"plan": "basic"},
        }


class TestList:
    async def test_narrows_by_product_and_whether_they_are_sold(
        self, client: StripeClient, price: Price
    ) -> None:
        assert isinstance(price.product, str)
        once = await client.v1.prices.create_async(
            {"currency": "usd", "unit_amount": 5000, "product": price.product, "active": False}
        )
        await client.v1.prices.create_async(
            {"currency": "usd", "unit_amount": 100, "product_data": {"name": "Other"}}
        )

        of_product = await client.v1.prices.list_async({"product": price.product})
        sold = await client.v1.prices.list_async({"product": price.product, "active": True})
        recurring = await client.v1.prices.list_async({"type": "recurring"})

        assert [one.id for one in of_product.data] == [once.id, price.id]
        assert [one.id for one in sold.data] == [price.id]
        assert [one.id for one in recurring.data] == [price.id]


class TestProducts:
    async def test_are_updated_and_listed(self, client: StripeClient) -> None:
        product = await client.v1.products.create_async({"name": "Basic"})
        updated = await client.v1.products.update_async(product.id, {"name": "Basic plan", "active": False})

        assert (updated.name, updated.active) == ("Basic plan", False)
        assert (await client.v1.products.list_async({"active": True})).data == []
        assert [one.id for one in (await client.v1.products.list_async({"ids": [product.id]})).data] == [
            product.id
        ]
        assert await event_types(client) == ["product.created", "product.updated"]

    async def test_have_a_price_of_their_own_by_default(self, client: StripeClient, price: Price) -> None:
        other = await client.v1.products.create_async({"name": "Other"})

        updated = await client.v1.products.update_async(str(price.product), {"default_price": price.id})
        with pytest.raises(InvalidRequestError):
            await client.v1.products.update_async(other.id, {"default_price": price.id})

        assert updated.default_price == price.id

    async def test_go_only_without_prices(self, client: StripeClient, price: Price) -> None:
        unpriced = await client.v1.products.create_async({"name": "Mistake"})
        assert isinstance(price.product, str)

        gone = await client.v1.products.delete_async(unpriced.id)
        with pytest.raises(InvalidRequestError):
            await client.v1.products.delete_async(price.product)

        assert gone.deleted
        assert (await event_types(client))[-1] == "product.deleted"
        with pytest.raises(InvalidRequestError) as missing:
            await client.v1.products.retrieve_async(unpriced.id)
        assert missing.value.code == "resource_missing"
