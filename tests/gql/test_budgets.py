"""What has a budget of its own needs nearly all of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import pytest

from domain.actor import Actor, Role
from domain.events import InboxEvent
from domain.identity import new_id
from domain.ports import Database
from gateway.wiring import Gateway
from gql.ids import global_id
from sandbox import Sandbox
from tests.api import EURO, Api, fresh_key, mutation_document
from tests.budgets import BUDGETS, SCHEMA, budget_of, field_budget, keep_budget, statements_of
from tests.dashboard import DAY
from tests.gql.belongings import Sells
from tests.gql.conftest import Caller
from tests.gql.disputing import disputed_by_its_bank
from tests.gql.many_of_each import household
from tests.news import shown as as_sent
from tests.news import signed

SLACK: Final = 2
STATS: Final = """{ stats(input: { metrics: [MRR], from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" }) {
    totals { count } } }"""
PREVIEW_START: Final = "query($planId: ID!) { previewSubscription(planId: $planId) { id } }"
PREVIEW_CHANGE: Final = "query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) { id } }"
MANUALLY: Final[Mapping[str, Any]] = {"charge": EURO, "captureMethod": "MANUAL"}


def fresh() -> dict[str, str]:
    return {"idempotencyKey": fresh_key()}


@dataclass(frozen=True, kw_only=True)
class Dearest:
    """The dearest use of each thing, and how many statements it took."""

    by: Caller
    user: Api
    admin: Api
    gateway: Gateway
    sandbox: Sandbox
    database: Database
    sells: Sells
    spent: dict[str, int] = field(default_factory=dict)

    @property
    def newcomer(self) -> Api:
        """Whose account is yet to be opened."""
        return self.by(Actor(role=Role.USER, user_id=new_id()))

    async def all(self) -> Mapping[str, int]:
        await self.methods()
        await self.payments()
        await self.disputes()
        await self.subscriptions()
        await self.subscribing()
        await self.previews()
        await self.queries()
        await self.events()
        await self.access()
        await self.resuming()
        await self.reconciling()
        return self.spent

    async def reconciling(self) -> None:
        """A subscription is the dearest to read anew: it names a plan and a method, and has an invoice."""
        await self.mutation(self.admin, "reconcile", since="2026-01-01T00:00:00Z")
        await self.user.add_card()
        given = {"idempotencyKey": fresh_key(), "planId": await self.sells(4100)}
        made = await self.user.mutate("createSubscription", given, "subscription { id }")
        await self.mutation(self.admin, "resync", id=made["subscription"]["id"])

    async def methods(self) -> None:
        await self.mutation(self.newcomer, "startPaymentMethodSetup")
        await self.mutation(self.newcomer, "addPaymentMethod", stripePaymentMethodId="pm_card_visa")
        first, second = await self.user.add_card(), await self.user.add_card("pm_card_mastercard")
        changes = {"expMonth": 12, "expYear": 2032, "makeDefault": True}
        await self.mutation(self.user, "updatePaymentMethod", id=second, **changes)
        await self.mutation(self.user, "deletePaymentMethod", id=second, replaceWithId=first)

    async def payments(self) -> None:
        card = await self.user.add_card()
        await self.mutation(self.newcomer, "createPayment", charge=EURO, confirm=False)
        open_ = (await self.user.pay(confirm=False))["id"]
        await self.mutation(self.user, "confirmPayment", paymentId=open_, paymentMethodId=card)
        held, other = [(await self.user.pay(**MANUALLY))["id"] for _ in range(2)]
        await self.mutation(self.admin, "capturePayment", paymentId=held)
        await self.mutation(self.user, "cancelPayment", paymentId=other)

    async def disputes(self) -> None:
        await self.user.add_card()
        paid, disputed, accepted = [(await self.user.pay(mediaItemId=f"film-{n}"))["id"] for n in range(3)]
        for payment in (disputed, accepted):
            await disputed_by_its_bank(self.gateway, self.sandbox, payment)
        await self.mutation(self.admin, "refundPayment", paymentId=paid, reason="OTHER")
        listed = await self.admin.run("{ disputes { nodes { id } } }")
        first, second = [dispute["id"] for dispute in listed["disputes"]["nodes"]]
        evidence = {"customerName": "Ada"}
        await self.mutation(
            self.admin, "submitDisputeEvidence", disputeId=first, evidence=evidence, final=True
        )
        await self.mutation(self.admin, "acceptDispute", id=second)

    async def subscriptions(self) -> None:
        subscription = (await household(self.database, 1))["Subscription"]
        for field_, shown in (("dunning", "dunning { attempt }"), ("nextAction", "nextAction { kind }")):
            document = f'{{ subscription(id: "{subscription}") {{ id {shown} }} }}'
            self.spent[f"Subscription.{field_}"] = await self.statements(self.admin, document) - 1
        delinquent = f'{{ node(id: "{subscription}") {{ ... on Subscription {{ billingAccount {{ delinquent }} }} }} }}'
        self.spent["BillingAccount.delinquent"] = await self.statements(self.admin, delinquent) - 2
        total = await self.statements(self.admin, "{ subscriptions { totalCount } }")
        self.spent["SubscriptionConnection.totalCount"] = total - 1

    async def subscribing(self) -> None:
        """On a fresh card, since the subscriptions may not need those that other uses remove."""
        plan, dear = await self.sells(), await self.sells(2500)
        user = self.newcomer
        card = await user.add_card("pm_card_chargeCustomerFail")
        good = await user.add_card()
        preview = await user.run(PREVIEW_START, {"planId": plan})
        given = {"planId": plan, "paymentMethodId": good, "previewId": preview["previewSubscription"]["id"]}
        await self.mutation(user, "createSubscription", **given)
        ref = {"id": await self.latest_of(user)}
        change = {"subscriptionId": ref["id"], "planId": dear, "proration": "INVOICE_NOW"}
        shown = await user.run(PREVIEW_CHANGE, {"input": change})
        await self.mutation(user, "changePlan", **change, previewId=shown["previewPlanChange"]["id"])
        await self.mutation(user, "updateSubscription", **ref, paymentMethodId=good, metadata={"seat": 1})
        await self.mutation(user, "cancelSubscription", **ref, comment="No films.")
        await self.mutation(user, "keepSubscription", **ref)
        monthly = {**fresh(), "planId": await self.sells(), "paymentMethodId": good}
        await user.mutate("createSubscription", monthly, "errors { code }")
        ref = {"id": await self.latest_of(user)}
        await self.mutation(user, "pauseSubscription", **ref)
        incomplete = {**fresh(), "planId": await self.sells(900), "paymentMethodId": card}
        await user.mutate("createSubscription", incomplete, "errors { code }")
        owed = await self.latest_of(user)
        await self.mutation(user, "retryRenewal", id=owed, paymentMethodId=good)
        await user.mutate("updateSubscription", {**ref, "paymentMethodId": card}, "errors { code }")
        await self.mutation(user, "deletePaymentMethod", id=card, replaceWithId=good)
        link = mutation_document("createPortalLink", "errors { code }")
        await self.use(
            "Mutation.createPortalLink", self.newcomer, link, {"input": {"returnUrl": "https://shop.example"}}
        )

    async def previews(self) -> None:
        user = self.newcomer
        await user.add_card()
        plan, dear = await self.sells(), await self.sells(3000)
        trial = {"interval": "month", "trial_period_days": 7}
        tried = {"planId": await self.sells(recurring=trial)}
        await self.use("Query.previewSubscription", self.newcomer, PREVIEW_START, tried)
        await user.mutate("createSubscription", {**fresh(), "planId": plan}, "errors { code }")
        subscription = await self.latest_of(user)
        change = {"input": {"subscriptionId": subscription, "planId": dear}}
        await self.use("Query.previewPlanChange", user, PREVIEW_CHANGE, change)
        document = (
            f'{{ previewCancellation(subscriptionId: "{subscription}", timing: NOW) {{ stopsRetries }} }}'
        )
        await self.use("Query.previewCancellation", user, document)
        await self.stale_preview(user, subscription, change["input"])

    async def stale_preview(self, user: Api, subscription: str, change: dict[str, str]) -> None:
        shown = await user.run(PREVIEW_CHANGE, {"input": change})
        renamed = {"id": subscription, "metadata": {"seat": 1}}
        await user.mutate("updateSubscription", renamed, "errors { code }")
        given = {"input": {**fresh(), **change, "previewId": shown["previewPlanChange"]["id"]}}
        spent = [
            statements_of((await user.post(mutation_document("changePlan", selection), given)).json())
            for selection in ("errors { code }", "errors { ... on PreviewStaleError { fresh { id } } }")
        ]
        self.spent["PreviewStaleError.fresh"] = spent[1] - spent[0]

    async def latest_of(self, user: Api) -> str:
        found = await user.run("{ subscriptions(first: 1) { nodes { id } } }")
        latest: str = found["subscriptions"]["nodes"][0]["id"]
        return latest

    async def queries(self) -> None:
        payment = (await self.user.pay())["id"]
        await self.use("Query.viewer", self.newcomer, "{ viewer { createdAt } }")
        await self.use("Query.stats", self.admin, STATS)
        await self.use("Query.moneyInvariants", self.admin, "{ moneyInvariants { holds } }")
        await self.use("Query.node", self.user, f'{{ node(id: "{payment}") {{ id }} }}')
        total = await self.statements(self.user, "{ payments { totalCount } }")
        self.spent["PaymentConnection.totalCount"] = total - await self.statements(
            self.user, "{ payments { nodes { id } } }"
        )

    async def events(self) -> None:
        """News of what a subscription has cost, first in a dry run."""
        user = self.newcomer
        await user.add_card()
        given = {**fresh(), "planId": await self.sells()}
        await user.mutate("createSubscription", given, "errors { code }")
        subscription = await self.latest_of(user)
        [event] = [each for each in self.sandbox.objects.all("event") if each["type"] == "invoice.paid"][-1:]
        body = orjson.dumps(as_sent(event))
        stored = global_id(InboxEvent, (await self.gateway.webhooks.receive(body, signed(body))).id)
        await self.mutation(self.admin, "replayWebhookEvent", id=stored, dryRun=True)
        await self.mutation(self.admin, "replayWebhookEvent", id=stored)
        told = f'{{ webhookEvents(filter: {{objectId: "{subscription}"}}) {{ nodes {{ id }} }} }}'
        await self.use("Query.webhookEvents", self.admin, told)

    async def access(self) -> None:
        film, somebody = {"mediaItemId": "film-17"}, str(new_id())
        await self.mutation(self.admin, "grantAccess", userId=somebody, target=film, note="An apology.")
        await self.mutation(self.user, "createPayment", charge=EURO, **film)
        bought = (await self.user.pay(**film))["id"]
        granted = await self.admin.mutate(
            "grantAccess", {"userId": somebody, "target": film, "note": "Again."}, "entitlement { id }"
        )
        entitlement = granted["entitlement"]["id"]
        await self.mutation(self.admin, "revokeAccess", entitlementId=entitlement, note="A mistake.")
        asked = '(target: {mediaItemId: "film-17"}) { allowed }'
        await self.use(
            "Query.access",
            self.admin,
            f'{{ access(userId: "{somebody}", targets: [{{mediaItemId: "film-17"}}]) {{ allowed }} }}',
        )
        await self.more("BillingAccount.access", "{ viewer { %s } }", "id", f"id access{asked}")
        document = f'{{ payment(id: "{bought}") {{ mediaItem {{ %s }} }} }}'
        await self.more("MediaItem.access", document, "id", "id access { allowed }")

    async def resuming(self) -> None:
        """Last, since it takes the time at Stripe away from ours."""
        user = self.newcomer
        await user.add_card()
        await user.mutate("createSubscription", {**fresh(), "planId": await self.sells()}, "errors { code }")
        ref = {"id": await self.latest_of(user)}
        await user.mutate("pauseSubscription", {**fresh(), **ref}, "errors { code }")
        self.sandbox.advance(45 * DAY)
        await self.mutation(user, "resumeSubscription", **ref)

    async def more(self, what: str, document: str, without: str, with_: str) -> None:
        """What the answer takes with it beyond what it takes without it."""
        taken = [await self.statements(self.user, document % selected) for selected in (without, with_)]
        self.spent[what] = taken[1] - taken[0]

    async def mutation(self, api: Api, name: str, **given: Any) -> None:
        document = mutation_document(name, "errors { code }")
        variables = {"input": {"idempotencyKey": fresh_key(), **given}}
        await self.use(f"Mutation.{name}", api, document, variables)

    async def use(
        self, what: str, api: Api, document: str, variables: Mapping[str, Any] | None = None
    ) -> None:
        taken = await self.statements(api, document, variables)
        self.spent[what] = max(taken, self.spent.get(what, 0))

    async def statements(self, api: Api, document: str, variables: Mapping[str, Any] | None = None) -> int:
        body = (await api.post(document, variables)).json()
        assert "errors" not in body, body
        assert "userErrors" not in body["extensions"], body
        return statements_of(body)


class TestBudgets:
    async def test_are_needed(
        self,
        by: Caller,
        api: Api,
        admins: Api,
        gateway: Gateway,
        sandbox: Sandbox,
        database: Database,
        sells: Sells,
    ) -> None:
        dearest = Dearest(
            by=by,
            user=api,
            admin=admins,
            gateway=gateway,
            sandbox=sandbox,
            database=database,
            sells=sells,
        )

        spent = await dearest.all()

        assert spent.keys() == BUDGETS.keys()
        assert {what: spent[what] for what in BUDGETS if BUDGETS[what] > spent[what] + SLACK} == {}


class TestAnswer:
    def test_that_takes_more_than_its_fields_may_fails(self) -> None:
        document = "{ payments { nodes { id paymentMethod { id } } totalCount } }"

        keep_budget(document, answer_after(3))
        with pytest.raises(AssertionError, match="More than 3 statements"):
            keep_budget(document, answer_after(4))

    def test_that_was_refused_takes_none(self) -> None:
        refused = {"errors": [], "extensions": {"debug": {"statements": 1}}}

        with pytest.raises(AssertionError, match="More than 0 statements"):
            keep_budget("{ nothing }", refused)

    def test_may_take_one_for_each_kind_of_object_and_each_mention_of_a_fragment(self) -> None:
        document = """query($ids: [ID!]!) { viewer { ...all } nodes(ids: $ids) { ...all ... on Payment {
            edges: paymentMethod { last4 } amount { minor } } } }
            fragment all on BillingAccount { defaultPaymentMethod { id } }"""

        kinds = len(SCHEMA.get_possible_types(SCHEMA.type_map["Node"]))  # type: ignore[arg-type]
        assert budget_of(document) == BUDGETS["Query.viewer"] + 1 + kinds + 1 + 1

    def test_to_a_mutation_without_a_budget_fails(self) -> None:
        with pytest.raises(AssertionError, match=r"no budget for Mutation\.refund"):
            field_budget("Mutation.refund")

    def test_to_every_mutation_has_a_budget(self) -> None:
        mutations = {f"Mutation.{name}" for name in SCHEMA.mutation_type.fields}  # type: ignore[union-attr]

        assert mutations <= BUDGETS.keys()


def answer_after(statements: int) -> dict[str, Any]:
    return {"data": {}, "extensions": {"debug": {"statements": statements}}}
