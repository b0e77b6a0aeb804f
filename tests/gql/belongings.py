"""One object of each kind, and everything in the API that takes an id."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLObjectType, build_schema, get_named_type

from domain.dispute import Dispute
from domain.payment import Payment
from domain.ports import Database
from domain.refund import Refund
from gql.ids import global_id, id_of
from gql.schema import printed
from tests.api import Api, fresh_key
from tests.gql.many_of_each import dispute_of, refund_of

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
}


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

    @property
    def all(self) -> list[str]:
        return [getattr(self, name) for name in self.__slots__]


async def belongings(api: Api, database: Database) -> Belongings:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A mutation that names somebody's object in one of its fields."""

    mutation: str
    field: str
    given: dict[str, Any]

    @property
    def coordinate(self) -> str:
        return f"{self.mutation}.{self.field}"


def attempts(theirs: Belongings, *, own_method: str = "", own_payment: str = "") -> list[Attempt]:
    """
    Every way to name their objects in a mutation.

    What else the mutation needs is the caller's own, or theirs as well where the caller has none.
    """
    payment, method = own_payment or theirs.waiting, own_method or theirs.method
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
        ("updatePaymentMethod", "id", {"id": theirs.method, "billingName": "Somebody Else"}),
        ("deletePaymentMethod", "id", {"id": theirs.method}),
        ("revokeAccess", "entitlementId", {"entitlementId": theirs.entitlement, "note": "because"}),
        ("deletePaymentMethod", "replaceWithId", {"id": method, "replaceWithId": theirs.spare_method}),
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
            if get_named_type(part.type).name == "ID" and name not in FOREIGN_IDS:
                yield f"{mutation}.{name}"
