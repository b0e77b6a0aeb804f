from uuid import UUID

import pytest

from domain.actor import Actor
from domain.commands.payment_methods import StartPaymentMethodSetup
from domain.payment_method import PaymentMethodSetup, SetupStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import Cardholder, Post, Shopper


async def setup_of(shopper: Shopper, setup_id: UUID) -> PaymentMethodSetup:
    async with shopper.gateway.services.database.reads() as reads:
        setup = await reads.setups.get(setup_id)
    assert setup is not None
    return setup


async def started(shopper: Shopper, *, makes_default: bool = False) -> PaymentMethodSetup:
    executed = await shopper.does(StartPaymentMethodSetup(makes_default=makes_default))
    return await setup_of(shopper, executed.operation.subject)


class TestStartPaymentMethodSetup:
    async def test_gives_the_app_a_secret_that_is_not_kept(self, shopper: Shopper, gateway: Gateway) -> None:
        setup = await started(shopper)

        assert (setup.status, setup.payment_method_id) == (SetupStatus.REQUIRES_METHOD, None)
        secret = await gateway.processor.setup_secret(setup)
        assert secret is not None
        assert secret.startswith(setup.processor_setup_id or "?")
        assert secret not in repr(setup)

    async def test_names_our_set_up_and_our_user_to_stripe(self, shopper: Shopper, sandbox: Sandbox) -> None:
        setup = await started(shopper)

        [intent] = sandbox.objects.all("setup_intent")
        assert intent["metadata"] == {"setup_id": str(setup.id), "user_id": str(shopper.actor.user_id)}


class TestFinishedSetup:
    @pytest.mark.parametrize("makes_default", [False, True])
    async def test_saves_the_card_by_webhook(
        self, shopper: Shopper, post: Post, cardholder: Cardholder, makes_default: bool
    ) -> None:
        old = await shopper.saves("pm_card_mastercard")
        setup = await started(shopper, makes_default=makes_default)

        await cardholder.confirms(setup.processor_setup_id or "")
        await post.deliver_all()

        finished = await setup_of(shopper, setup.id)
        assert finished.status is SetupStatus.SUCCEEDED
        assert finished.payment_method_id is not None
        methods = {method.id: method.is_default for method in await shopper.methods()}
        assert methods == {old: not makes_default, finished.payment_method_id: makes_default}

    async def test_told_in_any_order_ends_in_the_same_state(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        setup = await started(shopper, makes_default=True)
        await cardholder.confirms(setup.processor_setup_id or "", "pm_card_authenticationRequired")
        await cardholder.answers(setup.processor_setup_id or "")

        events = post.events()
        await post.deliver(*reversed(events), *events)

        finished = await setup_of(shopper, setup.id)
        assert (finished.status, finished.decline) == (SetupStatus.SUCCEEDED, None)
        assert [method.id for method in await shopper.methods()] == [finished.payment_method_id]

    async def test_pays_later_with_the_saved_card(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        setup = await started(shopper)
        await cardholder.confirms(setup.processor_setup_id or "")
        await post.deliver_all()

        payment = await shopper.pays(is_off_session=True)

        assert payment.completed_at is not None

    async def test_of_nobody_we_know_asks_stripe_nothing(
        self, shopper: Shopper, post: Post, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        setup = await started(shopper)
        await cardholder.confirms(setup.processor_setup_id or "")
        [event] = post.events("setup_intent.succeeded")
        thing = {**event["data"]["object"], "id": "seti_unknown", "metadata": {"setup_id": str(UUID(int=7))}}
        thing["payment_method"] = "pm_never_seen"

        await post.deliver({**event, "id": "evt_unknown", "data": {"object": thing}})

        assert (await setup_of(shopper, setup.id)).status is SetupStatus.REQUIRES_METHOD


class TestDefaultChosenMeanwhile:
    async def test_stands_when_a_set_up_is_told_once_more(
        self, shopper: Shopper, gateway: Gateway, post: Post, cardholder: Cardholder, admin: Actor
    ) -> None:
        setup = await started(shopper, makes_default=True)
        await cardholder.confirms(setup.processor_setup_id or "")
        await post.deliver_all()
        chosen = await shopper.saves("pm_card_mastercard", makes_default=True)
        [told] = post.events("setup_intent.succeeded")
        async with gateway.services.database.reads() as reads:
            event_id = await reads.inbox.known_as(str(told["id"]))
        assert event_id is not None

        await gateway.services.events.replay(admin, event_id)

        assert [method.id for method in await shopper.methods() if method.is_default] == [chosen]

    async def test_stands_when_a_set_up_is_heard_of_late(
        self, shopper: Shopper, gateway: Gateway, post: Post, cardholder: Cardholder
    ) -> None:
        setup = await started(shopper, makes_default=True)
        await cardholder.confirms(setup.processor_setup_id or "")
        [told] = post.events("setup_intent.succeeded")
        chosen = await shopper.saves("pm_card_mastercard", makes_default=True)

        await post.deliver({**told, "created": told["created"] - 60})

        methods = {method.id: method.is_default for method in await shopper.methods()}
        late = (await setup_of(shopper, setup.id)).payment_method_id
        assert methods == {chosen: True, late: False}


class TestCardThatIsSavedAgain:
    async def test_by_a_set_up_is_one_method_in_the_end(
        self, shopper: Shopper, gateway: Gateway, post: Post, cardholder: Cardholder, sandbox: Sandbox
    ) -> None:
        former = await shopper.saves()
        setup = await started(shopper)
        await cardholder.confirms(setup.processor_setup_id or "")
        await post.deliver_all()

        await gateway.same_cards.keep_newest(shopper.actor.known_id)

        [method] = await shopper.methods()
        assert method.id == (await setup_of(shopper, setup.id)).payment_method_id
        assert (method.id != former, method.is_default) == (True, True)
        attached = [each["id"] for each in sandbox.objects.all("payment_method") if each["customer"]]
        assert attached == [method.processor_method_id]

    async def test_with_a_payment_is_one_method_in_the_end(
        self, shopper: Shopper, gateway: Gateway, post: Post, cardholder: Cardholder
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays(is_confirmed=False, saves_method=True)
        await cardholder.confirms(payment.processor_payment_id or "")
        await post.deliver_all()

        await gateway.same_cards.keep_newest(shopper.actor.known_id)

        [method] = await shopper.methods()
        assert (await shopper.payment(payment.id)).payment_method_id == method.id

    async def test_leaves_other_cards_alone(
        self, shopper: Shopper, gateway: Gateway, post: Post, cardholder: Cardholder
    ) -> None:
        other = await shopper.saves("pm_card_amex")
        await shopper.saves()
        setup = await started(shopper)
        await cardholder.confirms(setup.processor_setup_id or "")
        await post.deliver_all()

        await gateway.same_cards.keep_newest(shopper.actor.known_id)

        assert [(method.id == other, method.is_default) for method in await shopper.methods()] == [
            (True, True),
            (False, False),
        ]


class TestUnfinishedSetup:
    async def test_saves_no_card_while_the_bank_is_still_asking(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        setup = await started(shopper)

        await cardholder.confirms(setup.processor_setup_id or "", "pm_card_authenticationRequired")
        await post.deliver_all()

        assert (await setup_of(shopper, setup.id)).status is SetupStatus.REQUIRES_ACTION
        assert await shopper.methods() == []

    async def test_tells_why_the_bank_said_no(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        setup = await started(shopper)

        await cardholder.confirms(setup.processor_setup_id or "", "pm_card_chargeDeclined")
        await post.deliver_all()

        failed = await setup_of(shopper, setup.id)
        assert failed.status is SetupStatus.REQUIRES_METHOD
        assert failed.decline is not None
        assert failed.decline.code == "generic_decline"
        assert await shopper.methods() == []
