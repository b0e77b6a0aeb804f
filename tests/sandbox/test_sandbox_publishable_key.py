import httpx2
import pytest
from stripe import StripeClient

from tests.sandbox.conftest import PUBLISHABLE_KEY


class TestPublishableKey:
    AS_BROWSER = {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}

    async def test_confirms_an_intent_whose_secret_it_knows(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await client.v1.payment_intents.create_async(
            {"amount": 2000, "currency": "usd", "metadata": {"private": "yes"}}
        )
        form = {
            "client_secret": str(intent.client_secret),
            "payment_method": "pm_card_visa",
            "return_url": "https://example.com/",
        }

        answer = await http.post(
            f"/v1/payment_intents/{intent.id}/confirm", data=form, headers=self.AS_BROWSER
        )

        assert answer.status_code == 200
        assert answer.json()["status"] == "succeeded"
        assert "metadata" not in answer.json()

    async def test_confirms_a_setup_intent(self, client: StripeClient, http: httpx2.AsyncClient) -> None:
        setup = await client.v1.setup_intents.create_async()
        form = {"client_secret": str(setup.client_secret), "payment_method": "pm_card_visa"}

        answer = await http.post(f"/v1/setup_intents/{setup.id}/confirm", data=form, headers=self.AS_BROWSER)

        assert answer.json()["status"] == "succeeded"

    async def test_reads_an_intent_only_with_its_secret(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})
        path = f"/v1/payment_intents/{intent.id}"

        right = await http.get(
            path, params={"client_secret": str(intent.client_secret)}, headers=self.AS_BROWSER
        )
        wrong = await http.get(path, params={"client_secret": "guess"}, headers=self.AS_BROWSER)
        without = await http.get(path, headers=self.AS_BROWSER)
        unknown = await http.get(
            "/v1/payment_intents/pi_none", params={"client_secret": "x"}, headers=self.AS_BROWSER
        )

        statuses = [answer.status_code for answer in (right, wrong, without, unknown)]
        assert statuses == [200, 400, 400, 404]

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/v1/payment_intents"), ("POST", "/v1/payment_intents"), ("POST", "/v1/customers")],
    )
    async def test_does_nothing_else(self, http: httpx2.AsyncClient, method: str, path: str) -> None:
        answer = await http.request(method, path, headers=self.AS_BROWSER)

        assert answer.status_code == 403

    async def test_sets_nothing_that_is_the_merchants_to_set(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})
        form = {"client_secret": str(intent.client_secret), "capture_method": "manual"}

        answer = await http.post(
            f"/v1/payment_intents/{intent.id}/confirm", data=form, headers=self.AS_BROWSER
        )

        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "capture_method")

    async def test_a_web_page_of_another_origin_may_call(self, http: httpx2.AsyncClient) -> None:
        preflight = await http.options(
            "/v1/payment_intents/pi_1/confirm",
            headers={
                "Origin": "https://shop.example.com",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization",
            },
        )

        assert preflight.headers["access-control-allow-origin"] == "*"
