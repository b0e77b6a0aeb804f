from collections.abc import Sequence
from itertools import permutations

import pytest
from sqlalchemy import text

from domain.commands.payment_methods import StartPaymentMethodSetup
from domain.payment_method import SetupStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
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
        stripes = (await shopper.method(card)).processor_method_id
        sandbox.replace_card(stripes, last4="1111", exp_month=5, exp_year=2041)

        await post.deliver(*post.events("payment_method.automatically_updated"))

        method = await shopper.method(card)
        assert (method.exp_year, method.last4, method.is_default) == (2041, "1111", True)

    async def test_that_is_late_does_not_undo_a_renewal(
        self, shopper: Shopper, post: Post, sandbox: Sandbox
    ) -> None:
        card = await shopper.saves()
        stripes = (await shopper.method(card)).processor_method_id
        sandbox.replace_card(stripes, last4="1111", exp_month=5, exp_year=2041)

        await post.deliver(
            *post.events("payment_method.automatically_updated"), *post.events("payment_method.attached")
        )

        assert (await shopper.method(card)).exp_year == 2041

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


class TestMethodThatCameAndWentElsewhere:
    @pytest.mark.parametrize("order", list(permutations(("attached", "updated", "detached"))))
    async def test_is_none_of_ours_in_whichever_order_that_is_told(
        self, shopper: Shopper, dashboard: Dashboard, post: Post, order: Sequence[str]
    ) -> None:
        customer = await dashboard.customer_without_card(shopper.actor)
        methods = dashboard.client.v1.payment_methods
        method = await methods.attach_async("pm_card_visa", {"customer": customer})
        await methods.update_async(method.id, {"billing_details": {"name": "Ada"}})
        await methods.detach_async(method.id)

        for what in order:
            await post.deliver(*post.events(f"payment_method.{what}"))

        assert await shopper.methods(with_detached=True) == []

    async def test_by_a_set_up_leaves_that_without_one(
        self, shopper: Shopper, dashboard: Dashboard, post: Post, cardholder: Cardholder
    ) -> None:
        setup_id = (await shopper.does(StartPaymentMethodSetup())).operation.subject
        async with shopper.gateway.services.database.reads() as reads:
            setup = await reads.setups.get(setup_id)
        assert setup is not None
        await cardholder.confirms(setup.processor_setup_id or "")
        [attached] = post.events("payment_method.attached")
        await dashboard.client.v1.payment_methods.detach_async(attached["data"]["object"]["id"])

        await post.deliver(*post.events("setup_intent.succeeded"))

        async with shopper.gateway.services.database.reads() as reads:
            finished = await reads.setups.get(setup_id)
        assert finished is not None
        assert (finished.status, finished.payment_method_id) == (SetupStatus.SUCCEEDED, None)
        assert await shopper.methods(with_detached=True) == []


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
