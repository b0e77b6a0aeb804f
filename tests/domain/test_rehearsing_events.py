"""A rehearsal tells exactly what the replay then changes, and changes nothing itself."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from inspect import signature
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text

from domain.account import BillingAccount
from domain.actor import SYSTEM, Actor
from domain.audit import AuditRecord
from domain.audit_log import OLDEST_FIRST, AuditFilter
from domain.commands.payment_methods import StartPaymentMethodSetup
from domain.customers import open_account
from domain.errors import Busy, EventNotApplied, ProcessorUnavailable
from domain.identity import new_id
from domain.paging import FixedOrder, Slice
from domain.plan import PlanFacts
from domain.ports import Database, PaymentProcessor
from domain.rehearsal import QUESTIONS, Rehearsal
from gateway.settings import Settings
from gateway.wiring import Gateway, now, wire
from persistence.tables import metadata
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.audit import verified
from tests.dashboard import Dashboard
from tests.domain.faults import spoil
from tests.domain.shopping import Cardholder, Post, Shopper
from tests.tables import contents_of
from tests.watched_processor import WatchedProcessor

Contents: TypeAlias = Callable[[], Awaitable[Any]]

A_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """At one moment throughout, so that what is done twice is the same to the microsecond."""
    moment = now()
    gateway = wire(settings, connect=WatchedProcessor.connected, clock=lambda: moment)
    yield gateway
    await gateway.close()


class Life:
    """Things that happen at Stripe, each of which leaves events that nobody has handled yet."""

    def __init__(
        self,
        shopper: Shopper,
        clerk: Shopper,
        dashboard: Dashboard,
        post: Post,
        sandbox: Sandbox,
        cardholder: Cardholder,
    ) -> None:
        self.shopper, self.clerk, self.dashboard = shopper, clerk, dashboard
        self.post, self.sandbox, self.cardholder = post, sandbox, cardholder

    async def a_payment_succeeded(self) -> None:
        await self.shopper.saves()
        payment = await self.shopper.pays(is_confirmed=False, media_item_id="film-17")
        await self.dashboard.client.v1.payment_intents.confirm_async(
            payment.processor_payment_id or "",
            {"payment_method": "pm_card_mastercard", "return_url": "https://shop.example"},
        )

    async def a_refund_was_made_elsewhere(self) -> None:
        await self.shopper.saves()
        payment = await self.shopper.pays(media_item_id="film-17")
        self.sandbox.refund(payment.processor_payment_id or "", reason="duplicate")

    async def a_dispute_was_opened_and_lost(self) -> None:
        await self.shopper.saves()
        payment = await self.shopper.pays(media_item_id="film-17")
        dispute = self.sandbox.dispute(payment.processor_payment_id or "")
        self.sandbox.decide_dispute(str(dispute["id"]), "lost")

    async def a_subscription_was_made_elsewhere(self) -> None:
        await self.dashboard.subscribes(
            await self.dashboard.customer_of(self.shopper.actor), await self.dashboard.sells()
        )

    async def a_subscription_was_renewed(self) -> None:
        await self.a_subscription_was_made_elsewhere()
        await self.post.deliver_all()
        self.dashboard.passes(32)

    async def a_renewal_failed(self) -> None:
        await self.a_subscription_was_made_elsewhere()
        await self.post.deliver_all()
        customer = await self.dashboard.customer_without_card(self.shopper.actor)
        await self.dashboard.gives_card(customer, "pm_card_chargeCustomerFail")
        self.dashboard.passes(32)

    async def a_method_was_attached(self) -> None:
        customer = await self.dashboard.customer_without_card(self.shopper.actor)
        await self.dashboard.gives_card(customer, "pm_card_visa")
        await self.dashboard.gives_card(customer, "pm_card_visa")

    async def a_set_up_has_succeeded(self) -> None:
        await self.shopper.saves("pm_card_mastercard")
        setup_id = (await self.shopper.does(StartPaymentMethodSetup(makes_default=True))).operation.subject
        async with self.shopper.gateway.services.database.reads() as reads:
            setup = await reads.setups.get(setup_id)
        assert setup is not None
        await self.cardholder.confirms(setup.processor_setup_id or "")

    async def a_plan_was_changed(self) -> None:
        price = await self.dashboard.sells()
        await self.dashboard.subscribes(await self.dashboard.customer_of(self.shopper.actor), price)
        await self.post.deliver_all()
        await self.dashboard.client.v1.products.update_async(
            str(price.product), {"name": "Cinema", "metadata": {"features": "concerts"}}
        )

    async def something_of_a_stranger_happened(self) -> None:
        price = await self.dashboard.sells()
        customer = await self.dashboard.client.v1.customers.create_async({})
        await self.dashboard.gives_card(customer.id, "pm_card_visa")
        await self.dashboard.subscribes(customer.id, price)


LIFE = [name for name in vars(Life) if not name.startswith("_")]


@pytest.fixture
def life(
    shopper: Shopper,
    clerk: Shopper,
    dashboard: Dashboard,
    post: Post,
    sandbox: Sandbox,
    cardholder: Cardholder,
) -> Life:
    return Life(shopper, clerk, dashboard, post, sandbox, cardholder)


@pytest.fixture
def contents(database_url: str, gateway: Gateway) -> Contents:
    """Every row, those of PgQueuer's included."""

    async def all_rows() -> Any:
        async with gateway.engine.connect() as connection:
            jobs = await connection.scalars(text("SELECT t::text FROM pgqueuer t ORDER BY id"))
            return await contents_of(database_url, metadata), jobs.all()

    return all_rows


def comparable(records: Sequence[AuditRecord], known: str) -> Any:
    """What they say, with the ids that were not known before by the order in which they come."""
    told = json.dumps(
        [[each.action, each.object_kind, str(each.object_id), each.before, each.after, each.request_id,
          each.occurred_at and each.occurred_at.isoformat()] for each in records]
    )  # fmt: skip
    fresh: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return found[0] if found[0] in known else fresh.setdefault(found[0], f"new {len(fresh)}")

    return json.loads(A_UUID.sub(named, told))


async def trail(database: Database) -> list[AuditRecord]:
    oldest: FixedOrder[Any] = OLDEST_FIRST
    async with database.reads() as reads:
        return list(await reads.audit.listed(AuditFilter(), oldest, Slice(limit=1000)))


class TestRehearsal:
    @pytest.mark.parametrize("happens", LIFE)
    async def test_tells_what_the_replay_then_changes_and_changes_nothing(
        self,
        happens: str,
        life: Life,
        post: Post,
        gateway: Gateway,
        admin: Actor,
        contents: Contents,
    ) -> None:
        await getattr(life, happens)()
        events, database = gateway.services.events, gateway.services.database
        differing, changed = {}, 0
        for happened in [each for each in post.events() if each["id"] not in post.carried]:
            received = await post.receive(happened)
            before, known = await contents(), len(await trail(database))

            rehearsed = await events.rehearse(admin, received.id)

            after = await contents()
            assert after == before, happened["type"]
            replayed = await events.replay(admin, received.id)
            written = [each for each in (await trail(database))[known:] if each.object_id != received.id]
            planned, real = [comparable(each, str(before)) for each in (rehearsed.changes, written)]
            changed += len(written)
            if (planned, str(rehearsed.failure)) != (real, str(replayed.failure)):
                differing[happened["type"]] = planned, real
            assert list(replayed.changes) == written
        assert differing == {}
        assert changed > 0 or "stranger" in happens

    async def test_of_an_event_that_fails_tells_the_error_and_what_stays_of_it(
        self,
        dashboard: Dashboard,
        post: Post,
        gateway: Gateway,
        actor: Actor,
        admin: Actor,
        sandbox: Sandbox,
        contents: Contents,
        impatient: None,
    ) -> None:
        """The plan is learnt before the method that pays cannot be read."""
        price, customer = await dashboard.sells(), await dashboard.customer_of(actor)
        card = await dashboard.gives_card(customer, "pm_card_mastercard")
        await dashboard.subscribes(customer, price, default_payment_method=card)
        received = await post.receive(*post.events("customer.subscription.created"))
        spoil(sandbox, "/payment_methods", Kind.ERROR_BEFORE, method="GET")
        before = await contents()

        rehearsed = await gateway.services.events.rehearse(admin, received.id)

        assert await contents() == before
        replayed = await gateway.services.events.replay(admin, received.id)
        assert [each.action for each in rehearsed.changes] == ["plan.added"]
        assert [each.action for each in replayed.changes] == ["plan.added"]
        assert isinstance(rehearsed.failure, EventNotApplied)
        assert str(rehearsed.failure) == str(replayed.failure)

    async def test_names_the_jobs_that_would_follow(
        self, life: Life, post: Post, gateway: Gateway, admin: Actor
    ) -> None:
        await life.a_method_was_attached()
        first, second = [await post.receive(each) for each in post.events("payment_method.attached")]

        one = await gateway.services.events.rehearse(admin, first.id)
        await gateway.webhooks.handle(first.id)
        other = await gateway.services.events.rehearse(admin, second.id)

        assert (one.jobs, other.jobs) == (("keep_default_in_step",), ("keep_newest_of_same_cards",))

    async def test_leaves_the_audit_trail_whole_and_sealable(
        self, life: Life, post: Post, gateway: Gateway, admin: Actor
    ) -> None:
        await life.a_payment_succeeded()
        received = await post.receive(*post.events("payment_intent.succeeded"))

        await gateway.services.events.rehearse(admin, received.id)
        await post.deliver_all()

        assert await gateway.services.audit.seal() is not None
        verification, wrong = await verified(gateway.services.database)
        assert (wrong, verification.unsealed) == ([], 0)

    async def test_gives_way_to_who_is_changing_the_same(
        self, life: Life, post: Post, gateway: Gateway, admin: Actor
    ) -> None:
        """Before the other one could be ended for standing in a circle with it."""
        await life.a_payment_succeeded()
        received = await post.receive(*post.events("payment_intent.succeeded"))
        begun = asyncio.get_running_loop().time()

        async with gateway.engine.begin() as other:
            await other.execute(text("SELECT * FROM payments FOR UPDATE"))
            with pytest.raises(Busy):
                await gateway.services.events.rehearse(admin, received.id)

        assert asyncio.get_running_loop().time() - begun < 1


class TestAnyAction:
    @pytest.fixture
    def rehearsal(self, gateway: Gateway) -> Rehearsal:
        return gateway.services.events.rehearsal

    async def test_cannot_have_the_processor_do_anything(
        self, rehearsal: Rehearsal, sandbox: Sandbox
    ) -> None:
        async def opens_a_customer(_: Database, processor: PaymentProcessor) -> None:
            await processor.create_customer(new_id(), key="customer-17")

        with pytest.raises(RuntimeError, match="create_customer"):
            await rehearsal.of(opens_a_customer)

        assert list(sandbox.objects.all("customer")) == []

    async def test_hears_each_answer_once_asked_for(
        self, rehearsal: Rehearsal, sandbox: Sandbox, dashboard: Dashboard
    ) -> None:
        price, asked = await dashboard.sells(), []

        async def reads_twice(_: Database, processor: PaymentProcessor) -> list[PlanFacts | None]:
            asked.append(1)
            return [await processor.read_plan(price.id) for _ in range(2)]

        first, second = (await rehearsal.of(reads_twice)).result

        assert first is not None
        assert first is second
        assert len(asked) == 2

    async def test_meets_a_processor_that_is_away(
        self, rehearsal: Rehearsal, sandbox: Sandbox, impatient: None
    ) -> None:
        spoil(sandbox, "/v1/", Kind.ERROR_BEFORE, method=None)

        async def reads(_: Database, processor: PaymentProcessor) -> None:
            await processor.read_plan("price_1")

        with pytest.raises(ProcessorUnavailable):
            await rehearsal.of(reads)

    async def test_takes_back_what_a_part_of_it_took_back(
        self, rehearsal: Rehearsal, life: Life, post: Post
    ) -> None:
        thing = BillingAccount(user_id=new_id(), created_at=now(), updated_at=now())

        async def half(database: Database, _: PaymentProcessor) -> None:
            with suppress(LookupError):
                async with database.work() as work:
                    await open_account(work, thing, by=SYSTEM)
                    await work.jobs.keep_default_in_step(thing.user_id)
                    raise LookupError

        rehearsed = await rehearsal.of(half)

        assert (rehearsed.changes, rehearsed.jobs) == ((), ())

    def test_may_ask_only_what_moves_nothing(self) -> None:
        """Whatever takes an idempotency key does something, or might."""
        assert all(hasattr(PaymentProcessor, name) for name in QUESTIONS)
        assert [
            name for name in QUESTIONS if "key" in signature(getattr(PaymentProcessor, name)).parameters
        ] == []
