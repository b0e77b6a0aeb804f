import asyncio

from sqlalchemy import text

from domain.commands.add_payment_method import AddPaymentMethod
from domain.operation import ObjectKind
from gateway.wiring import Gateway, wire
from sandbox import Sandbox
from tests.domain.shopping import Shopper
from tests.watched_processor import WatchedProcessor


async def accounts(gateway: Gateway) -> list[str]:
    async with gateway.engine.connect() as connection:
        rows = await connection.execute(text("SELECT processor_customer_id FROM billing_accounts"))
        return [row.processor_customer_id for row in rows]


class TestFirstCommandsOfAUser:
    async def test_twenty_at_once_make_one_customer(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        command = AddPaymentMethod(processor_method_id="pm_card_visa")

        await asyncio.gather(*(shopper.does(command) for _ in range(20)))

        [customer] = sandbox.objects.all("customer")
        assert await accounts(gateway) == [customer["id"]]
        assert customer["metadata"]["user_id"] == str(shopper.actor.user_id)
        assert sum(method.is_default for method in await shopper.methods()) == 1

    async def test_on_two_replicas_make_one_customer(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        replica = wire(gateway.settings, connect=WatchedProcessor.connected)
        there = Shopper(gateway=replica, actor=shopper.actor)
        command = AddPaymentMethod(processor_method_id="pm_card_visa")

        await asyncio.gather(*(each.does(command) for each in (shopper, there) for _ in range(10)))

        await replica.close()
        [customer] = sandbox.objects.all("customer")
        assert await accounts(gateway) == [customer["id"]]

    async def test_account_is_there_before_its_customer(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        customers, user = gateway.services.customers, shopper.actor.known_id

        opened = await asyncio.gather(*(customers.account(user, by=shopper.actor) for _ in range(5)))

        assert len({account.created_at for account in opened}) == 1
        assert list(sandbox.objects.all("customer")) == []
        with_customer = await customers.with_customer(user, by=shopper.actor)
        assert await customers.with_customer(user, by=shopper.actor) == with_customer
        assert len(list(sandbox.objects.all("customer"))) == 1

    async def test_are_recorded_once_however_many_ask(self, shopper: Shopper, gateway: Gateway) -> None:
        command = AddPaymentMethod(processor_method_id="pm_card_visa")

        await asyncio.gather(*(shopper.does(command) for _ in range(10)))

        async with gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.BILLING_ACCOUNT, shopper.actor.known_id)
        [customer] = await accounts(gateway)
        [opened] = trail
        assert (opened.action, opened.actor_id) == ("billing_account.opened", shopper.actor.user_id)
        assert opened.changes["processor_customer_id"] == [None, customer]

    async def test_link_a_customer_to_an_account_that_is_there_and_record_that_once(
        self, shopper: Shopper, gateway: Gateway
    ) -> None:
        customers, by = gateway.services.customers, shopper.actor
        await customers.account(by.known_id, by=by)

        linked = await asyncio.gather(*(customers.with_customer(by.known_id, by=by) for _ in range(10)))

        async with gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.BILLING_ACCOUNT, by.known_id)
        assert [record.action for record in trail] == [
            "billing_account.opened",
            "billing_account.customer_linked",
        ]
        assert {account.customer_id for account in linked} == set(await accounts(gateway))
        assert trail[1].changes == {"processor_customer_id": [None, linked[0].customer_id]}
