"""One object of each kind, and everything in the API that takes an id."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLObjectType, build_schema, get_named_type

from gql.schema import printed
from tests.api import Api, fresh_key

SCHEMA: Final = build_schema(printed())
FOREIGN_IDS: Final = {"userId", "onBehalfOfUserId", "mediaItemId"}
"""The ids of the User Service and of the Media Service, which name no object of ours."""


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

    @property
    def all(self) -> list[str]:
        return [getattr(self, name) for name in self.__slots__]


async def belongings(api: Api) -> Belongings:
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
    )


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
