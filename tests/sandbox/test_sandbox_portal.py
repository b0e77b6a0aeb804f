import httpx2
import pytest
from stripe import InvalidRequestError, StripeClient

from tests.sandbox.billing import plan, subscribe, subscriber

RETURN_URL = "https://shop.example.com/account?a=1&b=2"


class TestSession:
    async def test_leads_to_a_page_about_the_customer(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        customer = await subscriber(client)
        await subscribe(client, customer, await plan(client))

        session = await client.v1.billing_portal.sessions.create_async(
            {"customer": customer.id, "return_url": RETURN_URL}
        )

        page = (await http.get(session.url)).text
        assert "visa ending in 4242" in page
        assert "15.00 usd per month: active" in page
        assert 'href="https://shop.example.com/account?a=1&amp;b=2"' in page
        assert (await http.get(session.url + "x")).status_code == 404

    async def test_may_be_about_one_thing(self, client: StripeClient) -> None:
        customer = await subscriber(client)
        subscription = await subscribe(client, customer, await plan(client))

        session = await client.v1.billing_portal.sessions.create_async(
            {
                "customer": customer.id,
                "flow_data": {
                    "type": "subscription_cancel",
                    "subscription_cancel": {"subscription": subscription.id},
                },
            }
        )

        assert session.flow is not None
        assert session.flow.subscription_cancel is not None
        assert session.flow.subscription_cancel.subscription == subscription.id

    async def test_is_only_for_customers_and_what_is_theirs(self, client: StripeClient) -> None:
        customer, other = await subscriber(client), await subscriber(client)
        subscription = await subscribe(client, other, await plan(client))

        with pytest.raises(InvalidRequestError) as unknown:
            await client.v1.billing_portal.sessions.create_async({"customer": "cus_unknown"})
        with pytest.raises(InvalidRequestError) as foreign:
            await client.v1.billing_portal.sessions.create_async(
                {
                    "customer": customer.id,
                    "flow_data": {
                        "type": "subscription_update",
                        "subscription_update": {"subscription": subscription.id},
                    },
                }
            )

        assert (unknown.value.code, unknown.value.param) == ("resource_missing", "customer")
        assert foreign.value.param == "flow_data[subscription_update][subscription]"
