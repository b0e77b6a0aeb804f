import httpx2
import pytest

from gateway.wiring import Gateway
from sandbox import SandboxSettings
from tests.api import Api
from tests.news import deliver_news
from tests.parts import RunningSandbox

DECLINE = "query($id: ID!) { payment(id: $id) { decline { code category customerMessage fixableBy } } }"


CARDS = {
    "stolen_card": "pm_card_visa_chargeDeclinedStolenCard",
    "lost_card": "pm_card_visa_chargeDeclinedLostCard",
    "fraudulent": "pm_card_visa_chargeDeclinedFraudulent",
}


PUBLISHABLE_KEY = SandboxSettings().publishable_key


class TestConcealedDecline:
    """https://docs.stripe.com/declines/codes: never tell a customer of loss, theft or suspicion."""

    @pytest.mark.parametrize("code", ["stolen_card", "lost_card", "fraudulent"])
    async def test_of_a_payment_looks_like_any_refusal_to_its_payer_and_is_told_to_support(
        self, code: str, others: Api, supports: Api, running_sandbox: RunningSandbox, gateway: Gateway
    ) -> None:
        payment = await others.pay("id nextAction { clientSecret }", confirm=False)
        await confirm_in_the_app(running_sandbox, payment["nextAction"]["clientSecret"], CARDS[code])
        await deliver_news(running_sandbox.sandbox, gateway)

        told = (await others.run(DECLINE, {"id": payment["id"]}))["payment"]["decline"]
        seen = (await supports.run(DECLINE, {"id": payment["id"]}))["payment"]["decline"]

        assert (told["code"], told["category"], told["fixableBy"]) == ("generic_decline", "GENERIC", "ISSUER")
        assert seen["code"] == code

    async def test_of_a_method_looks_like_any_refusal_and_so_does_its_operation(
        self, others: Api, supports: Api
    ) -> None:
        errors = "errors { message retry ... on DeclinedError { decline { code category } } }"
        given = {"stripePaymentMethodId": CARDS["stolen_card"]}

        payload = await others.mutate("addPaymentMethod", given, f"{errors} operation {{ id {errors} }}")

        operation = payload["operation"]
        assert payload["errors"] == operation["errors"]
        assert payload["errors"][0]["decline"] == {"code": "generic_decline", "category": "GENERIC"}
        assert "stolen" not in str(payload)
        asked = f"query($id: ID!) {{ node(id: $id) {{ ... on Operation {{ {errors} }} }} }}"
        seen = (await supports.run(asked, {"id": operation["id"]}))["node"]["errors"][0]
        assert seen["decline"]["code"] == "stolen_card"


async def confirm_in_the_app(running: RunningSandbox, client_secret: str, card: str) -> None:
    """What Stripe's library does in the customer's hands: confirm with the publishable key."""
    intent = client_secret.partition("_secret_")[0]
    async with httpx2.AsyncClient(base_url=running.url, auth=(PUBLISHABLE_KEY, "")) as app:
        answer = await app.post(
            f"/v1/payment_intents/{intent}/confirm",
            data={"client_secret": client_secret, "payment_method": card},
        )
    assert answer.status_code == 402, answer.text
