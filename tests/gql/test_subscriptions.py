"""Subscriptions, plans and invoices as apps see them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.account import BillingAccount
from domain.actor import Actor
from domain.identity import new_id
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.ports import Database
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from gql.ids import global_id
from sandbox import Sandbox
from tests.api import Api
from tests.dashboard import Dashboard
from tests.gql.many_of_each import plan_of, subscription_to
from tests.gql.many_payments import START, method_of
from tests.news import deliver_news

EVERYTHING = """{ subscriptions(first: 10) { totalCount nodes {
    id status actions livemode willChargeAgain cancelAtPeriodEnd cancelAt cancelledAt pausedUntil trialEndsAt metadata
    plan { id code name price { minor currency } interval intervalCount trialDays features active }
    pendingPlan { id } paymentMethod { last4 usedBy { id } } dunning { attempt }
    latestInvoice { id number status reason total { minor } amountDue { minor } amountPaid { minor }
        lines { label amount { minor } proration } payments { id } subscription { id } hostedUrl pdfUrl }
    payments { totalCount nodes { id status trigger amount { minor } invoice { id } subscription { id } } }
    billingAccount { delinquent subscriptions { nodes { id } } invoices { nodes { id } } }
    nextAction { kind }
} } }"""
DUNNING = """{ subscriptions { nodes { status billingAccount { delinquent }
    dunning { startedAt attempt maxAttempts nextAttemptAt accessUntil lastDecline { code } } } } }"""
PAGE = """query($filter: SubscriptionFilter, $first: Int, $after: String, $last: Int, $before: String) {
    subscriptions(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } totalCount
    } }"""
BELOW_ACCOUNT = """query($filter: SubscriptionFilter) {
    viewer { subscriptions(filter: $filter) { totalCount nodes { id } } } }"""
BY_ID = "query($id: ID!) { subscription(id: $id) { id } }"
INVOICE = "query($id: ID!) { invoice(id: $id) { id } }"
NODE = "query($id: ID!) { node(id: $id) { id __typename } }"


@pytest.fixture
async def subscribed(dashboard: Dashboard, actor: Actor, sandbox: Sandbox, gateway: Gateway) -> Subscription:
    """The actor's, at 15 dollars a month, on a card of its own; made and paid for at Stripe."""
    price = await dashboard.sells(lookup_key="films-monthly")
    customer = await dashboard.customer_of(actor)
    card = await dashboard.gives_card(customer, "pm_card_visa")
    made = await dashboard.subscribes(customer, price, default_payment_method=card)
    await deliver_news(sandbox, gateway)
    return await dashboard.subscription(made.id)


class TestSubscription:
    async def test_shows_all_that_belongs_to_it(self, api: Api, subscribed: Subscription) -> None:
        [shown] = (await api.run(EVERYTHING))["subscriptions"]["nodes"]

        assert shown["id"] == global_id(Subscription, subscribed.id)
        assert shown["status"] == "ACTIVE"
        assert shown["actions"] == ["CHANGE_PLAN", "CANCEL", "PAUSE", "UPDATE"]
        assert (shown["willChargeAgain"], shown["dunning"], shown["nextAction"]) == (True, None, None)
        assert shown["plan"] == {
            "id": shown["plan"]["id"],
            "code": "films-monthly",
            "name": "Films",
            "price": {"minor": 1500, "currency": "USD"},
            "interval": "MONTH",
            "intervalCount": 1,
            "trialDays": 0,
            "features": ["films", "downloads"],
            "active": True,
        }
        assert shown["paymentMethod"] == {"last4": "4242", "usedBy": [{"id": shown["id"]}]}
        invoice = shown["latestInvoice"]
        assert (invoice["status"], invoice["reason"]) == ("PAID", "SUBSCRIPTION_START")
        assert [line["amount"]["minor"] for line in invoice["lines"]] == [1500]
        assert invoice["subscription"] == {"id": shown["id"]}
        [payment] = shown["payments"]["nodes"]
        assert shown["payments"]["totalCount"] == 1
        assert (payment["status"], payment["trigger"]) == ("COMPLETED", "SUBSCRIPTION_START")
        assert payment["invoice"] == {"id": invoice["id"]}
        assert payment["subscription"] == {"id": shown["id"]}
        assert invoice["payments"] == [{"id": payment["id"]}]
        assert shown["billingAccount"] == {
            "delinquent": False,
            "subscriptions": {"nodes": [{"id": shown["id"]}]},
            "invoices": {"nodes": [{"id": invoice["id"]}]},
        }

    async def test_tells_how_the_collection_of_a_renewal_goes(
        self,
        api: Api,
        dashboard: Dashboard,
        subscribed: Subscription,
        sandbox: Sandbox,
        gateway: Gateway,
    ) -> None:
        for each in list(sandbox.objects.all("payment_method")):
            sandbox.spoil_card(each["id"], "insufficient_funds")
        dashboard.passes(days=32)
        await deliver_news(sandbox, gateway)

        [shown] = (await api.run(DUNNING))["subscriptions"]["nodes"]

        assert shown["status"] == "PAST_DUE"
        assert shown["billingAccount"] == {"delinquent": True}
        dunning = shown["dunning"]
        assert (dunning["attempt"], dunning["maxAttempts"]) == (1, 4)
        assert dunning["lastDecline"] == {"code": "insufficient_funds"}
        assert dunning["startedAt"] < dunning["nextAttemptAt"] < dunning["accessUntil"]

    async def test_names_what_the_app_must_do_for_its_first_payment(
        self, api: Api, others: Api, dashboard: Dashboard, actor: Actor, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor, "pm_card_authenticationRequired")
        await dashboard.subscribes(customer, price, payment_behavior="allow_incomplete")
        await deliver_news(sandbox, gateway)

        asked = "{ subscriptions { nodes { status nextAction { kind clientSecret } } } }"
        [shown] = (await api.run(asked))["subscriptions"]["nodes"]

        assert shown["status"] == "INCOMPLETE"
        assert shown["nextAction"]["kind"] == "USE_STRIPE_SDK"
        assert shown["nextAction"]["clientSecret"].startswith("pi_")
        assert (await others.run(asked))["subscriptions"]["nodes"] == []

    async def test_tells_staff_where_it_is_at_stripe(
        self, api: Api, supports: Api, subscribed: Subscription
    ) -> None:
        document = "query($id: ID!) { subscription(id: $id) { stripe { objectId dashboardUrl source } } }"
        named = {"id": global_id(Subscription, subscribed.id)}

        link = (await supports.run(document, named))["subscription"]["stripe"]

        assert link["objectId"] == subscribed.processor_subscription_id
        assert link["dashboardUrl"].endswith(f"/test/subscriptions/{link['objectId']}")
        assert await api.refusals(document, named) == ["FORBIDDEN"]


class TestAnotherUsersSubscription:
    async def test_is_not_there(self, others: Api, services: Api, subscribed: Subscription) -> None:
        subscription = {"id": global_id(Subscription, subscribed.id)}
        invoice = {"id": f"inv_{subscribed.latest_invoice_id.hex}" if subscribed.latest_invoice_id else ""}

        for stranger in (others, services):
            assert await stranger.refusals(BY_ID, subscription) == ["NOT_FOUND"]
            assert await stranger.refusals(INVOICE, invoice) == ["NOT_FOUND"]
            assert await stranger.refusals(NODE, subscription) == ["NOT_FOUND"]
            assert await stranger.refusals(NODE, invoice) == ["NOT_FOUND"]
            assert (await stranger.run(PAGE))["subscriptions"]["totalCount"] == 0

    async def test_cannot_be_asked_for_by_its_user(
        self, others: Api, supports: Api, subscribed: Subscription, actor: Actor
    ) -> None:
        wanted = {"filter": {"userId": str(actor.user_id)}}

        assert await others.refusals(PAGE, wanted) == ["FORBIDDEN"]
        assert (await supports.run(PAGE, wanted))["subscriptions"]["totalCount"] == 1

    async def test_and_its_invoice_are_found_by_their_owner(self, api: Api, subscribed: Subscription) -> None:
        for kind, identity in (
            ("sbn", subscribed.id),
            ("inv", subscribed.latest_invoice_id),
            ("pln", subscribed.plan_id),
        ):
            assert identity is not None
            named = f"{kind}_{identity.hex}"
            assert (await api.run(NODE, {"id": named}))["node"]["id"] == named

    async def test_that_never_was_is_not_there(self, api: Api) -> None:
        assert await api.refusals(BY_ID, {"id": f"sbn_{uuid4().hex}"}) == ["NOT_FOUND"]
        assert await api.refusals(INVOICE, {"id": f"pay_{uuid4().hex}"}) == ["NOT_FOUND"]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Five subscriptions of the actor, the oldest first, an hour apart."""

    subscriptions: list[Subscription]
    plan: Plan

    def ids(self, *places: int) -> list[str]:
        return [global_id(Subscription, self.subscriptions[place].id) for place in places]


@pytest.fixture
async def shelf(database: Database, actor: Actor) -> Shelf:
    plans = [plan_of(f"price_{number}") for number in range(5)]
    method = method_of(actor, name="pm_1", is_default=True)
    states: list[dict[str, Any]] = [
        {"status": SubscriptionStatus.ACTIVE, "past_due_since": None},
        {"status": SubscriptionStatus.ACTIVE, "past_due_since": None, "cancel_at_period_end": True},
        {"status": SubscriptionStatus.PAST_DUE},
        {"status": SubscriptionStatus.CANCELLED, "past_due_since": None, "ended_at": START},
        {
            "status": SubscriptionStatus.TRIALING,
            "past_due_since": None,
            "current_period_end": START + timedelta(days=90),
        },
    ]
    subscriptions = [
        replace(
            subscription_to(plan, plan, method),
            pending_plan_id=None,
            created_at=START + timedelta(hours=number),
            **state,
        )
        for number, (plan, state) in enumerate(zip(plans, states, strict=True))
    ]
    await kept(database, actor, plans, method, subscriptions)
    return Shelf(subscriptions=subscriptions, plan=plans[0])


async def kept(
    database: Database,
    owner: Actor,
    plans: list[Plan],
    method: PaymentMethod,
    subscriptions: list[Subscription],
) -> None:
    account = BillingAccount(user_id=owner.known_id, created_at=START, updated_at=START)
    async with database.work() as work:
        await work.accounts.ensure(account)
        await work.payment_methods.add(method)
        for plan in plans:
            await work.plans.add(plan)
        for subscription in subscriptions:
            await work.subscriptions.add(subscription)


class TestSubscriptions:
    async def test_come_with_the_newest_first_page_by_page(self, api: Api, shelf: Shelf) -> None:
        first = (await api.run(PAGE, {"first": 2}))["subscriptions"]
        after = {"first": 2, "after": first["pageInfo"]["endCursor"]}
        second = (await api.run(PAGE, after))["subscriptions"]
        last = (await api.run(PAGE, {"last": 2}))["subscriptions"]

        assert [node["id"] for node in first["nodes"]] == shelf.ids(4, 3)
        assert [node["id"] for node in second["nodes"]] == shelf.ids(2, 1)
        assert [node["id"] for node in last["nodes"]] == shelf.ids(1, 0)
        assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (5, True)
        assert last["pageInfo"]["hasPreviousPage"]

    @pytest.mark.parametrize(
        ("wanted", "places"),
        [
            ({"status": ["ACTIVE"]}, (1, 0)),
            ({"status": []}, ()),
            ({"cancelAtPeriodEnd": True}, (1,)),
            ({"renewsBefore": (START + timedelta(days=32)).isoformat()}, (2, 0)),
            ({"renewsBefore": (START + timedelta(days=91)).isoformat()}, (4, 2, 0)),
            ({"renewsBefore": START.isoformat()}, ()),
        ],
    )
    async def test_are_filtered(
        self, api: Api, shelf: Shelf, wanted: dict[str, Any], places: tuple[int, ...]
    ) -> None:
        found = (await api.run(PAGE, {"filter": wanted}))["subscriptions"]

        assert [node["id"] for node in found["nodes"]] == shelf.ids(*places)
        assert found["totalCount"] == len(places)

    async def test_of_one_user_are_filtered_by_status(
        self, api: Api, supports: Api, shelf: Shelf, actor: Actor
    ) -> None:
        wanted = {"status": ["ACTIVE", "CANCELLED"]}
        theirs = {"filter": wanted | {"userId": str(actor.user_id)}}

        own = (await api.run(BELOW_ACCOUNT, {"filter": wanted}))["viewer"]["subscriptions"]
        found = (await supports.run(PAGE, theirs))["subscriptions"]

        assert [node["id"] for node in own["nodes"]] == shelf.ids(3, 1, 0)
        assert [node["id"] for node in found["nodes"]] == shelf.ids(3, 1, 0)
        assert (own["totalCount"], found["totalCount"]) == (3, 3)

    async def test_are_filtered_by_plan(self, api: Api, shelf: Shelf) -> None:
        wanted = {"planId": global_id(Plan, shelf.plan.id)}

        found = (await api.run(PAGE, {"filter": wanted}))["subscriptions"]

        assert [node["id"] for node in found["nodes"]] == shelf.ids(0)

    async def test_refuse_the_cursor_of_another_list(self, api: Api, shelf: Shelf) -> None:
        other = (await api.run("{ payments { pageInfo { endCursor } } }"))["payments"]
        assert other["pageInfo"]["endCursor"] is None

        assert await api.refusals(PAGE, {"after": "bm9uc2Vuc2U"}) == ["INVALID_INPUT"]
        assert await api.refusals(PAGE, {"first": 101}) == ["INVALID_INPUT"]


class TestPlans:
    async def test_are_open_to_everybody_the_cheapest_first(self, anonymous: Api, database: Database) -> None:
        dear = replace(plan_of("price_dear"), amount=2000)
        cheap = replace(plan_of("price_cheap"), amount=100)
        retired = replace(plan_of("price_old"), amount=50, active=False)
        real = replace(plan_of("price_real"), amount=70, livemode=True, id=new_id())
        async with database.work() as work:
            for plan in (dear, cheap, retired, real):
                await work.plans.add(plan)

        sold = (await anonymous.run("{ plans { code } }"))["plans"]
        ever = (await anonymous.run("{ plans(activeOnly: false) { code } }"))["plans"]

        assert [plan["code"] for plan in sold] == ["price_cheap", "price_dear"]
        assert [plan["code"] for plan in ever] == ["price_old", "price_cheap", "price_dear"]
