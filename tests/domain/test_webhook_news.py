from sqlalchemy import text

from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import Cardholder, Post, Shopper

DUMP = "SELECT string_agg(row_to_json(t)::text, ' ') FROM {table} t"


async def everything_stored(gateway: Gateway) -> str:
    async with gateway.engine.connect() as connection:
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        dumps = [await connection.scalar(text(DUMP.format(table=name))) for (name,) in names]
    return " ".join(dump for dump in dumps if dump)


class TestMethodNews:
    async def test_of_the_bank_updates_the_card(self, shopper: Shopper, post: Post, sandbox: Sandbox) -> None:
        card = await shopper.saves()
        [attached] = post.events("payment_method.attached")
        thing = attached["data"]["object"]
        renewed = {**thing, "card": {**thing["card"], "exp_year": 2041, "last4": "1111"}}

        await post.deliver(
            {
                **attached,
                "id": "evt_1",
                "type": "payment_method.automatically_updated",
                "data": {"object": renewed},
            }
        )

        method = await shopper.method(card)
        assert (method.exp_year, method.last4, method.is_default) == (2041, "1111", True)

    async def test_of_a_removal_elsewhere_removes_it_here(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        card = await shopper.saves()
        [attached] = post.events("payment_method.attached")
        thing = {**attached["data"]["object"], "customer": None}

        await post.deliver(
            {**attached, "id": "evt_1", "type": "payment_method.detached", "data": {"object": thing}}
        )

        assert not (await shopper.method(card)).is_attached


class TestSecretsAtRest:
    async def test_no_client_secret_is_stored_anywhere(
        self,
        shopper: Shopper,
        clerk: Shopper,
        post: Post,
        sandbox: Sandbox,
        gateway: Gateway,
        cardholder: Cardholder,
    ) -> None:
        await shopper.saves("pm_card_authenticationRequired")
        payment = await shopper.pays(return_url="https://coffee.example/thanks")
        await gateway.services.payments.next_action(shopper.actor, payment)
        await shopper.pays(is_confirmed=False)
        await post.deliver_all()

        stored = await everything_stored(gateway)

        intents = list(sandbox.objects.all("payment_intent"))
        assert len(intents) == 2
        assert str(payment.id) in stored
        assert "payment_intent.requires_action" in stored
        assert "client_secret" not in stored
        assert not [intent for intent in intents if intent["client_secret"] in stored]
