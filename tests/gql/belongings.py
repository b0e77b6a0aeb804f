"""One object of each kind, and everything in the API that takes an id."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
)

from domain.dispute import Dispute
from domain.events import InboxEvent
from domain.payment import Payment
from domain.ports import Database
from domain.refund import Refund
from gql.ids import global_id, id_of
from gql.schema import printed
from tests.api import Api, fresh_key
from tests.gql.many_of_each import dispute_of, event_of, refund_of

PREVIEW: Final = "query($input: PreviewPlanChangeInput!) { previewPlanChange(input: $input) { id } }"
LATEST_INVOICE: Final = "query($id: ID!) { subscription(id: $id) { latestInvoice { id } } }"
Sells = Callable[..., Awaitable[str]]
"""Puts a plan on sale; its id."""
SCHEMA: Final = build_schema(printed())
FOREIGN_IDS: Final = {"userId", "onBehalfOfUserId", "mediaItemId"}
"""The ids of the User Service and of the Media Service, which name no object of ours."""
EVIDENCE: Final = {"customerName": "Somebody Else"}
FOR_ADMINS: Final = {
    "capturePayment",
    "refundPayment",
    "submitDisputeEvidence",
    "acceptDispute",
    "revokeAccess",
    "replayWebhookEvent",
    "resync",
}
PLAN_IDS: Final = {"planId"}
"""Plans are everybody's."""


UNSEEN: Final = {"preview", "subscribed_plan", "plan", "webhook_event"}
"""Previews cannot be looked up by id, plans are everybody's, and events only admins'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """The ids of a user's objects."""

    payment: str
    authorized: str
    waiting: str
    method: str
    spare_method: str
    setup: str
    account: str
    operation: str
    entitlement: str
    refund: str
    dispute: str
    subscription: str
    invoice: str
    owed: str
    preview: str
    subscribed_plan: str
    plan: str
    webhook_event: str

    @property
    def all(self) -> list[str]:
        """Those that are theirs alone, and can be looked up."""
        return [getattr(self, name) for name in self.__slots__ if name not in UNSEEN]


async def belongings(api: Api, database: Database, sells: Sells) -> Belongings:
    """Among them a subscription that is paid, another that is not, and a plan to which it might be changed."""
    method = await api.add_card()
    spare = await api.add_card("pm_card_mastercard")
    guarded = await api.add_card("pm_card_authenticationRequired")
    paid = await api.mutate(
        "createPayment",
        {
            "idempotencyKey": fresh_key(),
            "charge": {"amount": {"minor": 900, "currency": "EUR"}},
            "mediaItemId": "film-17",
        },
        "payment { id billingAccount { id entitlements { id } } } operation { id }",
    )
    setup = await api.mutate("startPaymentMethodSetup", {}, "setup { id }")
    refund, dispute = await taken_back(database, paid["payment"]["id"])
    failing = await api.add_card("pm_card_chargeCustomerFail")
    subscribed_plan, plan = await sells(), await sells(3000)
    subscription = await subscribed(api, subscribed_plan, method)
    invoice = (await api.run(LATEST_INVOICE, {"id": subscription}))["subscription"]["latestInvoice"]["id"]
    change = {"subscriptionId": subscription, "planId": plan}
    return Belongings(
        payment=paid["payment"]["id"],
        authorized=(await api.pay(captureMethod="MANUAL"))["id"],
        waiting=(await api.pay(paymentMethodId=guarded))["id"],
        method=method,
        spare_method=spare,
        setup=setup["setup"]["id"],
        account=paid["payment"]["billingAccount"]["id"],
        operation=paid["operation"]["id"],
        entitlement=paid["payment"]["billingAccount"]["entitlements"][0]["id"],
        refund=refund,
        dispute=dispute,
        subscription=subscription,
        invoice=invoice,
        owed=await subscribed(api, await sells(900), failing),
        preview=(await api.run(PREVIEW, {"input": change}))["previewPlanChange"]["id"],
        subscribed_plan=subscribed_plan,
        plan=plan,
        webhook_event=await told_of(database, paid["payment"]["id"]),
    )


async def taken_back(database: Database, payment_id: str) -> tuple[str, str]:
    """A refund and a dispute of the payment, which only staff and banks can make."""
    async with database.work() as work:
        payment = await work.payments.get(id_of(Payment, payment_id))
        assert payment is not None
        refund, dispute = refund_of(payment), dispute_of(payment)
        await work.refunds.add(refund)
        await work.disputes.add(dispute)
    return global_id(Refund, refund.id), global_id(Dispute, dispute.id)


async def told_of(database: Database, payment_id: str) -> str:
    """An event that tells of the payment, and waits."""
    async with database.work() as work:
        payment = await work.payments.get(id_of(Payment, payment_id))
        assert payment is not None
        event = event_of(payment)
        await work.inbox.add_all([event])
    return global_id(InboxEvent, event.id)


async def subscribed(api: Api, plan: str, method: str) -> str:
    given = {"idempotencyKey": fresh_key(), "planId": plan, "paymentMethodId": method}
    made = await api.mutate("createSubscription", given, "subscription { id }")
    subscription: str = made["subscription"]["id"]
    return subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A mutation that names somebody's object in one of its fields."""

    mutation: str
    field: str
    given: dict[str, Any]

    @property
    def coordinate(self) -> str:
        return f"{self.mutation}.{self.field}"


def attempts(theirs: Belongings, own: Belongings) -> list[Attempt]:
    """
    Every way to name their objects in a mutation.

    What else the mutation needs is `own`: the caller's, or theirs as well where the caller has none.
    """
    payment, method, plan = own.waiting, own.method, own.plan
    charge = {"amount": {"minor": 700, "currency": "EUR"}}
    named: list[tuple[str, str, dict[str, Any]]] = [
        ("createPayment", "paymentMethodId", {"charge": charge, "paymentMethodId": theirs.method}),
        ("confirmPayment", "paymentId", {"paymentId": theirs.waiting}),
        ("confirmPayment", "paymentMethodId", {"paymentId": payment, "paymentMethodId": theirs.method}),
        ("capturePayment", "paymentId", {"paymentId": theirs.authorized}),
        ("cancelPayment", "paymentId", {"paymentId": theirs.authorized, "reason": "because"}),
        ("refundPayment", "paymentId", {"paymentId": theirs.payment, "reason": "OTHER"}),
        ("submitDisputeEvidence", "disputeId", {"disputeId": theirs.dispute, "evidence": EVIDENCE}),
        ("acceptDispute", "id", {"id": theirs.dispute}),
        ("resync", "id", {"id": theirs.payment}),
        ("updatePaymentMethod", "id", {"id": theirs.method, "billingName": "Somebody Else"}),
        ("deletePaymentMethod", "id", {"id": theirs.method}),
        ("revokeAccess", "entitlementId", {"entitlementId": theirs.entitlement, "note": "because"}),
        ("deletePaymentMethod", "replaceWithId", {"id": method, "replaceWithId": theirs.spare_method}),
        ("createSubscription", "paymentMethodId", {"planId": plan, "paymentMethodId": theirs.method}),
        ("createSubscription", "previewId", {"planId": plan, "previewId": theirs.preview}),
        ("updateSubscription", "id", {"id": theirs.subscription, "metadata": {"seat": 1}}),
        ("updateSubscription", "paymentMethodId", {"id": own.subscription, "paymentMethodId": theirs.method}),
        ("changePlan", "subscriptionId", {"subscriptionId": theirs.subscription, "planId": plan}),
        (
            "changePlan",
            "previewId",
            {"subscriptionId": own.subscription, "planId": plan, "previewId": theirs.preview},
        ),
        ("cancelSubscription", "id", {"id": theirs.subscription}),
        ("keepSubscription", "id", {"id": theirs.subscription}),
        ("pauseSubscription", "id", {"id": theirs.subscription}),
        ("resumeSubscription", "id", {"id": theirs.subscription}),
        ("retryRenewal", "id", {"id": theirs.owed}),
        ("retryRenewal", "paymentMethodId", {"id": own.owed, "paymentMethodId": theirs.method}),
        ("replayWebhookEvent", "id", {"id": theirs.webhook_event}),
    ]
    return [
        Attempt(mutation=mutation, field=field, given={"idempotencyKey": fresh_key(), **given})
        for mutation, field, given in named
    ]


def id_fields() -> Iterator[str]:
    """Each field of a mutation's input that names an object of ours."""
    roots = SCHEMA.mutation_type
    assert isinstance(roots, GraphQLObjectType)
    for mutation, field in roots.fields.items():
        given = get_named_type(field.args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        for name, part in given.fields.items():
            if get_named_type(part.type).name == "ID" and name not in FOREIGN_IDS | PLAN_IDS:
                yield f"{mutation}.{name}"
