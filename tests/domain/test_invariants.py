"""A whole story breaks no money invariant; each that is broken behind our back is found, and nothing else is."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from domain.actor import Actor
from domain.errors import Forbidden
from domain.invariant_service import InvariantService
from domain.invariants import YOUNG, InvariantName, MoneyInvariant, Subject
from domain.ports import Database
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, Shopper

I = InvariantName  # noqa: E741 - the tables below are read by it.

BREAKAGES = {
    "a refunded amount without its refund": (
        "UPDATE payments SET refunded_amount = refunded_amount + 1 WHERE refunded_amount > 0",
        {I.PAYMENT_SUMS: Subject.PAYMENT},
    ),
    "a disputed amount without its dispute": (
        "UPDATE payments SET disputed_amount = disputed_amount - 1 WHERE disputed_amount > 0",
        {I.PAYMENT_SUMS: Subject.PAYMENT},
    ),
    "a dispute of more than was collected": (
        """
        WITH larger AS (UPDATE disputes SET amount = amount + 1)
        UPDATE payments SET disputed_amount = disputed_amount + 1 WHERE disputed_amount > 0
        """,
        {I.MONEY_BACK: Subject.PAYMENT, I.STATISTICS_ADD_UP: None},
    ),
    "an invoice that nothing has paid": (
        "UPDATE payments SET invoice_id = NULL WHERE invoice_id IS NOT NULL",
        {I.INVOICES_PAID: Subject.INVOICE},
    ),
    "an invoice that was paid twice": (
        "UPDATE payments SET invoice_id = (SELECT id FROM invoices) WHERE refunded_amount > 0",
        {I.INVOICES_PAID: Subject.INVOICE},
    ),
    "a purchase that gives no access": (
        "DELETE FROM entitlements WHERE revoked_reason IS NULL AND payment_id IS NOT NULL",
        {I.ACCESS_BY_PURCHASE: Subject.PAYMENT},
    ),
    "a purchase that gives access although it is disputed": (
        "UPDATE entitlements SET revoked_reason = NULL, revoked_at = NULL WHERE revoked_reason = 'DISPUTED'",
        {I.ACCESS_BY_PURCHASE: Subject.PAYMENT},
    ),
    "a purchase that gives access to something else": (
        "UPDATE entitlements SET media_item_id = 'film-1' WHERE revoked_reason IS NULL AND payment_id IS NOT NULL",
        {I.ACCESS_BY_PURCHASE: Subject.PAYMENT},
    ),
    "a subscription that gives access for longer than was paid for": (
        "UPDATE entitlements SET ends_at = ends_at + interval '1 month' WHERE feature = 'films'",
        {I.ACCESS_BY_SUBSCRIPTION: Subject.SUBSCRIPTION},
    ),
    "a subscription that gives no access": (
        "DELETE FROM entitlements WHERE feature = 'films'",
        {I.ACCESS_BY_SUBSCRIPTION: Subject.SUBSCRIPTION},
    ),
    "an operation that does not end": (
        "UPDATE operations SET state = 'OUTCOME_UNKNOWN', finished_at = NULL WHERE mutation = 'refundPayment'",
        {I.OPERATIONS_END: Subject.OPERATION},
    ),
    "an event that is not handled": (
        "UPDATE inbox_events SET status = 'FAILED' WHERE type = 'charge.dispute.created'",
        {I.EVENTS_HANDLED: Subject.WEBHOOK_EVENT},
    ),
    "sums of something that never was": (
        """
        UPDATE statistics_quarters SET made = coalesce(made, 0) + 1
        WHERE at = (SELECT max(at) FROM statistics_quarters)
        """,
        {I.STATISTICS_ADD_UP: None},
    ),
    "a status that nobody has recorded": (
        "UPDATE disputes SET status = 'UNDER_REVIEW'",
        {I.AUDIT_TRAIL_AGREES: Subject.DISPUTE},
    ),
}

AFTER_AN_END = {
    "access that lasts although nothing was ever paid": (
        "UPDATE subscriptions SET status = 'EXPIRED', ended_at = now(), paid_through = NULL, trial_ends_at = NULL",
        True,
    ),
    "access to what the plan no longer has": (
        """
        WITH ended AS (UPDATE subscriptions SET status = 'CANCELLED', ended_at = now())
        UPDATE plans SET features = '[]'
        """,
        True,
    ),
    "an end that took access along": (
        """
        WITH ended AS (UPDATE subscriptions SET status = 'CANCELLED', ended_at = now())
        UPDATE entitlements SET ends_at = now() WHERE feature IS NOT NULL
        """,
        False,
    ),
    "access that was taken away before the plan had it again": (
        """
        WITH ended AS (UPDATE subscriptions SET status = 'CANCELLED', ended_at = now())
        UPDATE entitlements SET revoked_at = now(), revoked_reason = 'SUBSCRIPTION_ENDED' WHERE feature IS NOT NULL
        """,
        False,
    ),
    "features that the plan got afterwards": (
        """
        WITH ended AS (UPDATE subscriptions SET status = 'CANCELLED', ended_at = now()),
        over AS (UPDATE entitlements SET ends_at = now() WHERE feature IS NOT NULL)
        UPDATE plans SET features = '["games"]'
        """,
        False,
    ),
}


@pytest.fixture
async def story(
    gateway: Gateway, sandbox: Sandbox, shopper: Shopper, clerk: Shopper, post: Post, dashboard: Dashboard
) -> None:
    """A purchase that is kept, one of which a part is refunded, one that is disputed, and a subscription."""
    await shopper.saves(makes_default=True)
    await shopper.pays(media_item_id="film-17")
    returned = await shopper.pays()
    await clerk.gives_back(returned, 100)
    disputed = await shopper.pays(media_item_id="film-18")
    sandbox.dispute(disputed.processor_payment_id or "")
    customer = await shopper.gateway.services.customers.with_customer(
        shopper.actor.known_id, by=shopper.actor
    )
    await dashboard.subscribes(customer.customer_id, await dashboard.sells())
    await post.deliver_all()
    await gateway.services.statistics.fold()


@pytest.fixture
def later(gateway: Gateway) -> InvariantService:
    """Looks when nothing is young any more."""
    clock = gateway.services.clock
    return replace(gateway.services.invariants, clock=lambda: clock() + 2 * YOUNG)


async def broken(invariants: InvariantService) -> Mapping[InvariantName, MoneyInvariant]:
    return {each.name: each for each in await invariants.check() if not each.holds}


async def behind_our_back(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        assert (await connection.execute(text(statement))).rowcount > 0


class TestInvariants:
    async def test_of_nothing_hold(self, later: InvariantService) -> None:
        found = await later.check()

        assert [each.name for each in found if each.holds] == list(InvariantName)

    @pytest.mark.usefixtures("story")
    async def test_hold_of_a_whole_story(self, later: InvariantService) -> None:
        assert await broken(later) == {}

    @pytest.mark.usefixtures("story")
    @pytest.mark.parametrize(("statement", "breaks"), BREAKAGES.values(), ids=BREAKAGES)
    async def test_that_are_broken_are_found_and_nothing_else_is(
        self,
        gateway: Gateway,
        later: InvariantService,
        statement: str,
        breaks: Mapping[InvariantName, Subject | None],
    ) -> None:
        await behind_our_back(gateway, statement)

        found = await broken(later)

        assert {name: each.violations[0].subject for name, each in found.items()} == breaks
        assert all("{" not in violation.message for each in found.values() for violation in each.violations)

    @pytest.mark.usefixtures("story")
    @pytest.mark.parametrize(("statement", "is_broken"), AFTER_AN_END.values(), ids=AFTER_AN_END)
    async def test_of_a_subscription_that_has_ended_are_broken_where_access_outlasts_it(
        self, gateway: Gateway, later: InvariantService, *, statement: str, is_broken: bool
    ) -> None:
        await behind_our_back(gateway, statement)

        found = await broken(later)

        assert (I.ACCESS_BY_SUBSCRIPTION in found) is is_broken

    @pytest.mark.usefixtures("story")
    async def test_are_given_time(self, gateway: Gateway) -> None:
        await behind_our_back(gateway, "UPDATE operations SET state = 'RUNNING', finished_at = NULL")
        await behind_our_back(gateway, "UPDATE inbox_events SET status = 'RECEIVED'")
        await behind_our_back(gateway, "UPDATE payments SET invoice_id = NULL WHERE invoice_id IS NOT NULL")
        await behind_our_back(gateway, "UPDATE plans SET features = '[]', updated_at = now()")

        assert await broken(gateway.services.invariants) == {}

    @pytest.mark.usefixtures("story")
    async def test_give_a_payment_time_to_hear_of_its_refunds_and_disputes(self, gateway: Gateway) -> None:
        statement, _ = BREAKAGES["a dispute of more than was collected"]
        await behind_our_back(gateway, statement)

        assert I.MONEY_BACK not in await broken(gateway.services.invariants)

    async def test_find_a_second_subscription_to_a_plan(
        self, actor: Actor, dashboard: Dashboard, post: Post, later: InvariantService
    ) -> None:
        price, customer = await dashboard.sells(), await dashboard.customer_of(actor)
        await dashboard.subscribes(customer, price)
        await post.deliver_all()
        surplus = await dashboard.subscribes(customer, price)
        await post.deliver_all()

        found = await broken(later)

        assert found.keys() == {I.ONE_SUBSCRIPTION_PER_PLAN}
        [violation] = found[I.ONE_SUBSCRIPTION_PER_PLAN].violations
        assert violation.object_id == (await dashboard.subscription(surplus.id)).id

    async def test_name_the_first_few_and_count_all(
        self, gateway: Gateway, shopper: Shopper, later: InvariantService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.invariant_service.SHOWN", 2)
        await shopper.saves()
        for _ in range(3):
            await shopper.pays()
        await behind_our_back(
            gateway,
            "UPDATE operations SET state = 'RUNNING', finished_at = NULL WHERE mutation = 'createPayment'",
        )

        found = (await broken(later))[I.OPERATIONS_END]

        assert (found.violation_count, len(found.violations)) == (3, 2)

    @pytest.mark.usefixtures("story")
    async def test_say_what_is_wrong(self, gateway: Gateway, later: InvariantService) -> None:
        await behind_our_back(
            gateway, "UPDATE payments SET refunded_amount = 101 WHERE refunded_amount = 100"
        )

        [violation] = (await broken(later))[I.PAYMENT_SUMS].violations

        assert violation.message == (
            "It is PARTIALLY_REFUNDED with 101 refunded, 0 on its way back and 0 disputed; "
            "its refunds and disputes come to 100, 0 and 0 (minor units of EUR)."
        )


class TestRecord:
    async def test_is_of_the_last_check(self, gateway: Gateway) -> None:
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        invariants = gateway.services.invariants
        await replace(invariants, clock=lambda: noon).check()

        await replace(invariants, clock=lambda: noon + timedelta(days=1)).check()

        async with gateway.services.database.reads() as reads:
            checks = await reads.invariants.checks()
        assert {(each.invariant, each.violations, each.checked_at) for each in checks} == {
            (name.value, 0, noon + timedelta(days=1)) for name in InvariantName
        }


class TestReport:
    async def test_is_for_admins_and_leaves_no_record(
        self, gateway: Gateway, admin: Actor, actor: Actor
    ) -> None:
        invariants = gateway.services.invariants

        report = await invariants.report(admin)
        with pytest.raises(Forbidden):
            await invariants.report(actor)

        assert [each.name for each in report] == list(InvariantName)
        async with gateway.services.database.reads() as reads:
            assert await reads.invariants.checks() == []

    async def test_of_many_who_ask_at_once_is_one(
        self, gateway: Gateway, admin: Actor, database: Database
    ) -> None:
        invariants = gateway.services.invariants
        await invariants.report(admin)
        with database.counted() as of_one:
            await invariants.report(admin)

        with database.counted() as of_many:
            reports = await asyncio.gather(*(invariants.report(admin) for _ in range(20)))

        assert of_many == of_one
        assert all(report == reports[0] for report in reports)

    async def test_goes_on_for_others_where_one_goes_away(self, gateway: Gateway, admin: Actor) -> None:
        invariants = gateway.services.invariants
        gone, staying = (asyncio.create_task(invariants.report(admin)) for _ in range(2))
        await asyncio.sleep(0.01)

        gone.cancel()

        assert [each.name for each in await staying] == list(InvariantName)
