"""A person is forgotten: what told of them is nowhere any more, and the books say what they said."""

from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.account import BillingAccount
from domain.actor import Actor
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.disputes import AcceptDispute, SubmitDisputeEvidence
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.customers import Customers
from domain.errors import Busy, NotFound, ProcessorUnavailable, StateConflict
from domain.forgetting import Forgetting
from domain.identity import new_id
from domain.invariant_service import InvariantService
from domain.invariants import YOUNG
from domain.operation import ObjectKind
from domain.payment_status import CaptureMethod, PaymentStatus
from gateway.wiring import Gateway
from persistence.tables import BLOCKS, QUARTERS, metadata
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.audit import tamper, verified
from tests.dashboard import Dashboard
from tests.domain.faults import spoil
from tests.domain.shopping import Post, Shopper
from tests.domain.subscriptions.subscribing import Subscriber
from tests.tables import contents_of

NAME, ADDRESS = "Ada Augusta King", "203.0.113.77"
PERSONAL = (NAME, ADDRESS, "beans for Ada", "Ada is ill", "lovelace@example.com", "table by the window")
BOOKS = {
    "payments": "id, user_id, status, amount, currency, captured_amount, refunded_amount, disputed_amount, "
    "media_item_id, created_at, completed_at, method_brand, method_country, method_last4, processor_payment_id",
    "refunds": "id, status, amount, currency, reason, created_at, processor_refund_id",
    "disputes": "id, status, amount, currency, reason, created_at, processor_dispute_id",
    "invoices": "id, status, total, amount_paid, currency, number, created_at",
    "entitlements": "id, source, media_item_id, feature, starts_at, revoked_reason",
    "audit_records": "id, sequence, at, action, object_id, changes, hash, previous_hash",
    "audit_seals": "*",
}


@dataclass(frozen=True, kw_only=True)
class Person:
    shopper: Subscriber
    clerk: Shopper
    gateway: Gateway
    sandbox: Sandbox
    dashboard: Dashboard
    post: Post

    @property
    def forgetting(self) -> Forgetting:
        return self.gateway.forgetting

    async def books(self) -> dict[str, list[str]]:
        """Without the account's own records, of which one is made when the person is forgotten."""
        kept = {}
        async with self.gateway.engine.connect() as connection:
            for table, columns in BOOKS.items():
                among = "WHERE object_kind <> 'BILLING_ACCOUNT'" if table == "audit_records" else ""
                rows = await connection.execute(
                    text(f"SELECT {columns} FROM {table} {among} ORDER BY 1")  # noqa: S608
                )
                kept[table] = [str(row) for row in rows]
        return kept

    async def traces(self) -> set[str]:
        """The tables where any of what is personal can be read."""
        tables = await contents_of(self.gateway.settings.database_url, metadata)
        return {
            name for name, rows in tables.items() for row in rows if any(part in row for part in PERSONAL)
        }

    async def lives(self) -> None:
        """Buys, gets a part back, disputes, and leaves their name everywhere."""
        [card] = await self.shopper.methods()
        await self.shopper.does(UpdatePaymentMethod(method_id=card.id, billing_name=NAME))
        payment = await self.shopper.pays(
            description="beans for Ada", details={"mail": "lovelace@example.com"}, media_item_id="film-1"
        )
        await self.clerk.gives_back(payment, 100, note="Ada is ill")
        disputed = await self.shopper.pays()
        self.sandbox.dispute(disputed.processor_payment_id or "")
        await self.post.deliver_all()
        [dispute] = await self.shopper.disputes(disputed)
        await self.clerk.does(SubmitDisputeEvidence(dispute_id=dispute.id, evidence={"customer_name": NAME}))
        await self.clerk.does(AcceptDispute(dispute_id=dispute.id))
        await self.post.deliver_all()
        await self.gateway.services.statistics.fold()

    async def subscribes(self) -> None:
        subscription = await self.shopper.subscribes(await self.shopper.plan())
        await self.shopper.does(
            UpdateSubscription(subscription_id=subscription.id, details={"seat": "table by the window"})
        )
        await self.post.deliver_all()


@pytest.fixture
async def newcomer(
    gateway: Gateway, actor: Actor, clerk: Shopper, sandbox: Sandbox, dashboard: Dashboard, post: Post
) -> Person:
    shopper = Subscriber(gateway=gateway, actor=replace(actor, ip=ADDRESS), dashboard=dashboard)
    await shopper.saves(makes_default=True)
    return Person(
        shopper=shopper, clerk=clerk, gateway=gateway, sandbox=sandbox, dashboard=dashboard, post=post
    )


@pytest.fixture
async def person(newcomer: Person) -> Person:
    """Who has lived here for a while."""
    await newcomer.lives()
    return newcomer


@dataclass(frozen=True)
class Remembered(Customers):
    """Whose account is as it was read before."""

    account_then: BillingAccount

    async def with_customer(self, user_id: UUID, *, by: Actor) -> BillingAccount:
        return self.account_then


async def sums(person: Person) -> dict[str, list[str]]:
    tables = await contents_of(person.gateway.settings.database_url, metadata)
    return {name: tables[name] for name in (QUARTERS.name, BLOCKS.name)}


class TestForgetting:
    async def test_leaves_no_trace_but_the_books(self, person: Person, actor: Actor) -> None:
        assert await person.traces() >= {
            "payment_methods",
            "payments",
            "refunds",
            "audit_records",
            "inbox_events",
        }
        books = await person.books()
        account = await person.gateway.services.customers.account(actor.known_id, by=actor)

        done = await person.forgetting.forget(actor.known_id)

        assert await person.traces() == set()
        still = await person.books()
        assert {name: rows[: len(books[name])] for name, rows in still.items()} == books
        assert (done.methods_removed, done.is_customer_deleted, done.is_complete) == (1, True, True)
        customer = person.sandbox.objects.find("customer", account.customer_id)
        assert customer is not None
        assert customer["deleted"] is True

    async def test_leaves_money_statistics_and_the_trail_as_they_were(
        self, person: Person, actor: Actor
    ) -> None:
        await person.gateway.services.statistics.rebuild()
        before, clock = await sums(person), person.gateway.services.clock

        await person.forgetting.forget(actor.known_id)

        later: InvariantService = replace(
            person.gateway.services.invariants, clock=lambda: clock() + 2 * YOUNG
        )
        assert [each.name for each in await later.check() if not each.holds] == []
        await person.gateway.services.statistics.rebuild()
        assert await sums(person) == before
        verification, wrong = await verified(person.gateway.services.database)
        assert wrong == []
        assert verification.forgotten > 0

    async def test_takes_out_what_stripe_tells_afterwards_when_it_is_repeated(
        self, person: Person, actor: Actor
    ) -> None:
        await person.forgetting.forget(actor.known_id)
        await person.post.deliver_all()
        assert await person.traces() == {"inbox_events"}

        again = await person.forgetting.forget(actor.known_id)

        assert again.events_emptied > 0
        told = (await contents_of(person.gateway.settings.database_url, metadata))["inbox_events"]
        assert [row for row in told if "customer.deleted" in row and "emptied" not in row] == []
        assert await person.traces() == set()
        assert (again.rows, again.methods_removed, again.is_customer_deleted) == ({}, 0, False)
        async with person.gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.BILLING_ACCOUNT, actor.known_id)
        assert [each.action for each in trail].count("billing_account.forgotten") == 1

    async def test_waits_for_what_is_not_applied_yet(self, person: Person, actor: Actor) -> None:
        await person.shopper.pays()
        for event in person.post.events("payment_intent.succeeded")[-1:]:
            received = await person.post.receive(event)

        done = await person.forgetting.forget(actor.known_id)
        await person.gateway.webhooks.handle(received.id)
        again = await person.forgetting.forget(actor.known_id)

        assert (done.events_waiting, done.is_complete) == (1, False)
        assert (again.events_emptied, again.is_complete) == (1, True)

    async def test_goes_on_where_it_was_cut_short(self, person: Person, actor: Actor) -> None:
        spoil(person.sandbox, "/v1/customers", Kind.RESET_AFTER, method="DELETE")
        with pytest.raises(ProcessorUnavailable):
            await person.forgetting.forget(actor.known_id)
        person.sandbox.faults.clear()

        await person.forgetting.forget(actor.known_id)

        assert await person.traces() == set()

    async def test_leaves_others_alone(self, person: Person, actor: Actor, stranger: Shopper) -> None:
        card = await stranger.saves()
        await stranger.does(UpdatePaymentMethod(method_id=card, billing_name="Charles"))
        paid = await stranger.pays(description="for Charles", details={"a": 1})

        await person.forgetting.forget(actor.known_id)

        assert await stranger.payment(paid.id) == paid
        assert (await stranger.method(card)).billing_name == "Charles"

    async def test_of_staff_leaves_what_they_noted_of_others(self, person: Person, admin: Actor) -> None:
        await person.clerk.saves()

        await person.forgetting.forget(admin.known_id)

        async with person.gateway.services.database.snapshot() as reads:
            notes = [each.note async for each in reads.audit.in_chains() if each.actor_id == admin.user_id]
        assert "Ada is ill" in notes

    async def test_empties_events_that_then_change_nothing_when_they_are_applied_again(
        self, person: Person, actor: Actor, admin: Actor
    ) -> None:
        books = await person.books()
        await person.forgetting.forget(actor.known_id)

        async with person.gateway.engine.connect() as connection:
            events = await connection.scalars(
                text("SELECT id FROM inbox_events WHERE payload LIKE '%emptied%'")
            )
            for event_id in list(events):
                replay = await person.gateway.services.events.replay_from_shell(admin, event_id)
                assert (replay.failure, list(replay.changes)) == (None, [])

        assert await person.books() | {"audit_records": []} == books | {"audit_records": []}


class TestWhoComesBack:
    async def test_pays_with_a_new_card_as_a_new_customer(self, newcomer: Person, actor: Actor) -> None:
        former = await newcomer.gateway.services.customers.account(actor.known_id, by=actor)
        await newcomer.forgetting.forget(actor.known_id)

        await newcomer.shopper.saves()
        paid = await newcomer.shopper.pays()

        assert paid.status is PaymentStatus.COMPLETED
        assert paid.processor_customer_id != former.processor_customer_id

    async def test_is_not_forgotten_by_a_repetition_unless_that_is_meant(
        self, newcomer: Person, actor: Actor
    ) -> None:
        await newcomer.forgetting.forget(actor.known_id)
        await newcomer.shopper.saves()

        with pytest.raises(StateConflict, match="have come back; --anew"):
            await newcomer.forgetting.forget(actor.known_id)
        assert len(await newcomer.shopper.methods()) == 1
        anew = await newcomer.forgetting.forget(actor.known_id, is_meant_anew=True)

        assert (anew.methods_removed, anew.is_customer_deleted) == (1, True)


class TestClosedAccount:
    async def test_begins_nothing_until_the_person_is_forgotten(self, newcomer: Person, actor: Actor) -> None:
        spoil(newcomer.sandbox, "/v1/customers", Kind.RESET_AFTER, method="DELETE")
        with pytest.raises(ProcessorUnavailable):
            await newcomer.forgetting.forget(actor.known_id)

        for begins in (newcomer.shopper.pays, newcomer.shopper.saves):
            with pytest.raises(Busy, match="is being forgotten"):
                await begins()

        newcomer.sandbox.faults.clear()
        await newcomer.forgetting.forget(actor.known_id)
        assert await newcomer.shopper.saves()

    async def test_lets_who_has_read_it_before_begin_nothing_either(
        self, newcomer: Person, actor: Actor
    ) -> None:
        customers = newcomer.gateway.services.customers
        account = await customers.with_customer(actor.known_id, by=actor)
        await newcomer.forgetting.forget(actor.known_id)
        then = Remembered(customers.database, customers.processor, customers.clock, account)
        commands = replace(newcomer.gateway.services.commands, customers=then)

        with pytest.raises(Busy, match="forgotten just now"):
            await commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))

    async def test_is_open_again_after_a_refusal(self, newcomer: Person, actor: Actor) -> None:
        await newcomer.shopper.pays(capture_method=CaptureMethod.MANUAL)

        with pytest.raises(StateConflict, match="AUTHORIZED"):
            await newcomer.forgetting.forget(actor.known_id)

        assert (await newcomer.shopper.pays()).status is PaymentStatus.COMPLETED


class TestRefusal:
    async def test_of_somebody_unknown(self, gateway: Gateway) -> None:
        with pytest.raises(NotFound):
            await gateway.forgetting.forget(new_id())

    async def test_while_a_subscription_goes_on_unless_it_is_to_be_cancelled(
        self, newcomer: Person, actor: Actor
    ) -> None:
        await newcomer.subscribes()

        with pytest.raises(StateConflict, match="Subscriptions go on"):
            await newcomer.forgetting.forget(actor.known_id)
        assert len(await newcomer.shopper.methods()) == 1
        done = await newcomer.forgetting.forget(actor.known_id, cancels_subscriptions=True)

        assert done.subscriptions_cancelled == 1
        assert await newcomer.traces() == set()

    async def test_while_a_payment_is_under_way(self, newcomer: Person, actor: Actor) -> None:
        waiting = await newcomer.shopper.pays(capture_method=CaptureMethod.MANUAL)

        with pytest.raises(StateConflict, match=f"{waiting.id} \\(AUTHORIZED\\)"):
            await newcomer.forgetting.forget(actor.known_id)

    async def test_while_a_dispute_is_undecided(self, newcomer: Person, actor: Actor) -> None:
        disputed = await newcomer.shopper.pays()
        newcomer.sandbox.dispute(disputed.processor_payment_id or "")
        await newcomer.post.deliver_all()

        with pytest.raises(StateConflict, match="NEEDS_RESPONSE"):
            await newcomer.forgetting.forget(actor.known_id)


class TestTrail:
    async def test_shows_personal_values_that_were_changed(self, newcomer: Person) -> None:
        await tamper(
            newcomer.gateway,
            "UPDATE audit_records SET personal = personal || '{\"ip\": \"198.51.100.1\"}' WHERE personal ? 'ip'",
        )

        _, wrong = await verified(newcomer.gateway.services.database)

        assert {each.check for each in wrong} == {"personal"}

    async def test_shows_personal_values_that_were_taken_away_of_nobody_who_was_forgotten(
        self, newcomer: Person, actor: Actor, stranger: Shopper
    ) -> None:
        theirs = await stranger.saves()
        await newcomer.forgetting.forget(actor.known_id)
        assert (await verified(newcomer.gateway.services.database))[1] == []
        await tamper(newcomer.gateway, "UPDATE audit_records SET personal = NULL WHERE personal IS NOT NULL")

        _, wrong = await verified(newcomer.gateway.services.database)

        assert {(each.check, each.object_id) for each in wrong} == {("personal", theirs)}

    async def test_shows_personal_values_that_were_taken_away_after_the_person_came_back(
        self, newcomer: Person, actor: Actor
    ) -> None:
        await newcomer.forgetting.forget(actor.known_id)
        again = await newcomer.shopper.saves()
        await tamper(newcomer.gateway, "UPDATE audit_records SET personal = NULL WHERE personal IS NOT NULL")

        _, wrong = await verified(newcomer.gateway.services.database)

        assert again in {each.object_id for each in wrong}
        assert {each.check for each in wrong} == {"personal"}

    async def test_shows_personal_values_that_were_slipped_in(self, newcomer: Person) -> None:
        await newcomer.clerk.saves()
        await tamper(
            newcomer.gateway,
            'UPDATE audit_records SET personal = \'{"note": "fraud!"}\' WHERE personal_digest IS NULL',
        )

        _, wrong = await verified(newcomer.gateway.services.database)

        assert {each.check for each in wrong} == {"personal"}
