import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from stripe import CardError, Customer, PaymentIntent, SetupIntent, StripeClient

from tests.sandbox.payments import charge_of, event_types, payment

RETURN_URL = "https://shop.example.com/done?order=17"
SECURED = "pm_card_authenticationRequired"
ON_SETUP = "pm_card_authenticationRequiredOnSetup"


def page_of(intent: PaymentIntent | SetupIntent) -> str:
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.url is not None
    return intent.next_action.redirect_to_url.url


async def question(client: StripeClient, **settings: Any) -> PaymentIntent:
    return await client.v1.payment_intents.create_async(
        payment(**{"payment_method": SECURED, "return_url": RETURN_URL, **settings})
    )


class TestNextAction:
    @pytest.mark.parametrize(
        "card",
        [
            SECURED,
            ON_SETUP,
            "pm_card_threeDSecure2Required",
            "pm_card_authenticationRequiredSetupForOffSession",
        ],
    )
    async def test_sends_the_cardholder_to_a_page(self, client: StripeClient, card: str) -> None:
        intent = await question(client, payment_method=card)

        assert intent.status == "requires_action"
        assert intent.next_action is not None
        assert intent.next_action.type == "redirect_to_url"
        assert intent.latest_charge is None
        assert await event_types(client) == ["payment_intent.created", "payment_intent.requires_action"]

    async def test_is_left_to_stripes_scripts_without_a_return_url(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async(payment(payment_method=SECURED))

        assert intent.next_action is not None
        assert intent.next_action.type == "use_stripe_sdk"

    async def test_can_be_asked_for_by_the_merchant(self, client: StripeClient) -> None:
        options = {"card": {"request_three_d_secure": "any"}}

        asked = await question(client, payment_method="pm_card_visa", payment_method_options=options)
        unable = await question(
            client, payment_method="pm_card_amex_threeDSecureNotSupported", payment_method_options=options
        )

        assert (asked.status, unable.status) == ("requires_action", "succeeded")

    @pytest.mark.parametrize("target", ["javascript:alert(1)", "not a url", "data:text/html,x"])
    async def test_refuses_dangerous_return_urls(self, http: httpx2.AsyncClient, target: str) -> None:
        form = {"amount": "2000", "currency": "usd", "confirm": "true", "return_url": target}

        answer = await http.post("/v1/payment_intents", data=form)

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "url_invalid")


class TestPage:
    async def test_has_two_buttons_and_a_strict_policy(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        page = await http.get(page_of(await question(client)))

        assert page.status_code == 200
        assert re.findall(r'<button name="outcome" value="(\w+)">', page.text) == ["complete", "fail"]
        assert "20.00 usd" in page.text
        assert not re.search(r"(src|href)=", page.text)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self' https://shop.example.com;" in policy

    async def test_completing_pays_and_returns(self, client: StripeClient, http: httpx2.AsyncClient) -> None:
        intent = await question(client, expand=["latest_charge"])

        answer = await http.post(page_of(intent), data={"outcome": "complete"})

        assert answer.status_code == 303
        target = urlsplit(answer.headers["location"])
        assert target.netloc == "shop.example.com"
        assert parse_qs(target.query) == {
            "order": ["17"],
            "payment_intent": [intent.id],
            "payment_intent_client_secret": [intent.client_secret],
            "redirect_status": ["succeeded"],
        }
        paid = await client.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
        assert (paid.status, paid.next_action) == ("succeeded", None)
        details = charge_of(paid).payment_method_details
        assert details is not None
        assert details.card is not None
        assert details.card.three_d_secure is not None
        assert details.card.three_d_secure.result == "authenticated"

    async def test_failing_returns_and_asks_for_another_method(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await question(client)

        answer = await http.post(page_of(intent), data={"outcome": "fail"})

        assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_status"] == ["failed"]
        failed = await client.v1.payment_intents.retrieve_async(intent.id)
        assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
        assert failed.last_payment_error is not None
        assert failed.last_payment_error.code == "payment_intent_authentication_failure"
        assert (await event_types(client))[-1] == "payment_intent.payment_failed"

    async def test_a_bank_may_decline_after_authentication(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await question(client, payment_method="pm_card_threeDSecureRequiredChargeDeclined")

        answer = await http.post(page_of(intent), data={"outcome": "complete"})

        assert "redirect_status=failed" in answer.headers["location"]
        failed = await client.v1.payment_intents.retrieve_async(intent.id)
        assert failed.last_payment_error is not None
        assert failed.last_payment_error.code == "card_declined"

    async def test_is_answered_once(self, client: StripeClient, http: httpx2.AsyncClient) -> None:
        page = page_of(await question(client))
        await http.post(page, data={"outcome": "complete"})

        again = await http.post(page, data={"outcome": "complete"})

        assert (again.status_code, "close this page" in again.text) == (200, True)
        assert (await event_types(client)).count("charge.succeeded") == 1

    async def test_its_address_cannot_be_guessed(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        page = page_of(await question(client))

        answers = [
            await http.post(page.rpartition("/")[0] + "/guess", data={"outcome": "complete"}),
            await http.get("/3ds/pi_unknown/guess"),
            await http.get("/3ds/cus_unknown/guess"),
        ]

        assert [answer.status_code for answer in answers] == [404, 404, 404]

    async def test_holds_the_amount_under_manual_capture(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await question(client, capture_method="manual")

        await http.post(page_of(intent), data={"outcome": "complete"})

        held = await client.v1.payment_intents.retrieve_async(intent.id)
        assert (held.status, held.amount_capturable) == ("requires_capture", 2000)

    async def test_manual_confirmation_needs_a_second_confirmation(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await question(client, confirmation_method="manual")
        await http.post(page_of(intent), data={"outcome": "complete"})
        waiting = await client.v1.payment_intents.retrieve_async(intent.id)

        paid = await client.v1.payment_intents.confirm_async(intent.id)

        assert (waiting.status, paid.status) == ("requires_confirmation", "succeeded")


class TestOffSession:
    async def test_fails_if_the_cardholder_would_be_needed(
        self, client: StripeClient, customer: Customer
    ) -> None:
        method = await client.v1.payment_methods.attach_async(SECURED, {"customer": customer.id})

        with pytest.raises(CardError) as refused:
            await client.v1.payment_intents.create_async(
                payment(customer=customer.id, payment_method=method.id, off_session=True)
            )

        error = refused.value.error
        assert error is not None
        assert (error.code, error.decline_code) == ("authentication_required", "authentication_required")
        assert error.charge is not None
        assert error.payment_intent is not None
        assert error.payment_intent.status == "requires_payment_method"

    async def test_works_once_the_card_was_set_up(
        self, client: StripeClient, http: httpx2.AsyncClient, customer: Customer
    ) -> None:
        attached = await client.v1.payment_methods.attach_async(ON_SETUP, {"customer": customer.id})
        off_session = payment(customer=customer.id, payment_method=attached.id, off_session=True)
        with pytest.raises(CardError):
            await client.v1.payment_intents.create_async(off_session)
        setup = await client.v1.setup_intents.create_async(
            {
                "customer": customer.id,
                "payment_method": attached.id,
                "confirm": True,
                "return_url": RETURN_URL,
            }
        )
        await http.post(page_of(setup), data={"outcome": "complete"})

        paid = await client.v1.payment_intents.create_async(off_session)

        assert paid.status == "succeeded"

    async def test_a_card_may_count_as_set_up_already(self, client: StripeClient) -> None:
        paid = await client.v1.payment_intents.create_async(
            payment(payment_method="pm_card_authenticationRequiredSetupForOffSession", off_session=True)
        )

        assert paid.status == "succeeded"

    async def test_a_merchant_may_ask_for_an_error_instead(self, client: StripeClient) -> None:
        with pytest.raises(CardError) as refused:
            await question(client, error_on_requires_action=True)

        assert refused.value.error is not None
        assert refused.value.error.decline_code == "authentication_not_handled"
        assert refused.value.error.charge is None
