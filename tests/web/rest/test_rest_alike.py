"""For each command: GraphQL and REST decide alike, whatever the situation."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from tests.api import Api, fresh_key
from tests.parts import bearer
from tests.rest import Rest
from tests.web.rest.alike import Customer, Given, Shop, Situation, Wish, key_of, named, only
from tests.web.rest.conftest import Sells
from web.rest.table import ROUTES

DECLINED: Final = "pm_card_chargeCustomerFail"
GUARDED: Final = "pm_card_authenticationRequired"


def paying(**given: Any) -> Situation:
    """With a card that is saved."""

    async def prepared(customer: Customer) -> Given:
        await customer.card()
        return {"amount": 1250, "currency": "EUR", **given}

    return prepared


def paying_with(card: str) -> Situation:
    async def prepared(customer: Customer) -> Given:
        return {"amount": 1250, "currency": "EUR", "payment_method_id": await customer.card(card)}

    return prepared


async def without_card(customer: Customer) -> Given:
    return {"amount": 1250, "currency": "EUR"}


async def with_another_users_card(customer: Customer) -> Given:
    return {"amount": 1250, "currency": "EUR", "payment_method_id": await customer.shop.others_card()}


async def with_a_removed_card(customer: Customer) -> Given:
    return {"amount": 1250, "currency": "EUR", "payment_method_id": await customer.removed_card()}


async def with_a_used_key(customer: Customer) -> Given:
    await customer.card()
    key = fresh_key()
    await customer.rest.pay(key=key, amount=900)
    return {"amount": 1250, "currency": "EUR", "key": key}


async def once_more(customer: Customer) -> Given:
    given = {"amount": 1250, "currency": "EUR"}
    await customer.card()
    key = fresh_key()
    await customer.rest.post("", given, key=key)
    return {**given, "key": key}


CREATE_PAYMENT: Final = Wish(
    mutation="createPayment",
    input=lambda given: {
        "idempotencyKey": key_of(given),
        "charge": {"amount": {"minor": given["amount"], "currency": given["currency"]}},
        "paymentMethodId": named("mth", given.get("payment_method_id")),
        **only(given, "description", "metadata"),
    },
    selection="payment { status amount { minor currency } capturedAmount { minor } description metadata }",
    ask=lambda rest, given: rest.post(
        "",
        only(given, "amount", "currency", "payment_method_id", "description", "metadata"),
        key=given.get("key"),
    ),
    shown=lambda payment: {
        "status_detail": payment["status"],
        "amount": payment["amount"]["minor"],
        "currency": payment["amount"]["currency"],
        "amount_captured": payment["capturedAmount"]["minor"],
        "description": payment["description"],
        "metadata": payment["metadata"],
    },
)
PAYMENTS: Final[Mapping[str, Situation]] = {
    "without a card": without_card,
    "in order": paying(description="Film", metadata={"order": [1, None, "x"]}),
    "in yen": paying(amount=500, currency="JPY"),
    "too little": paying(amount=1),
    "too much": paying(amount=2**52),
    "a currency that nobody has": paying(currency="XXX"),
    "a currency that is not accepted": paying(currency="UGX", amount=100_000),
    "not a multiple": paying(currency="ISK", amount=5050),
    "a blank description": paying(description=" "),
    "a long description": paying(description="x" * 1001),
    "a control character": paying(description="a\x07b"),
    "metadata that is too deep": paying(metadata={"a": [[[[[[[[1]]]]]]]]}),
    "metadata that is too large": paying(metadata={"a": "x" * 8192}),
    "an unknown card": paying(payment_method_id=str(new_id())),
    "another user's card": with_another_users_card,
    "a removed card": with_a_removed_card,
    "a declined card": paying_with(DECLINED),
    "a card that asks its bank": paying_with(GUARDED),
    "a used key": with_a_used_key,
    "once more": once_more,
}


def refunding(*, by: str = "admin", **given: Any) -> Situation:
    async def prepared(customer: Customer) -> Given:
        return {"id": await customer.payment(), "reason": "goodwill", "by": by, **given}

    return prepared


def refunding_a_payment_with(card: str) -> Situation:
    async def prepared(customer: Customer) -> Given:
        body = (await customer.rest.pay(payment_method_id=await customer.card(card))).json()
        payment = body["data"] if "data" in body else body["error"]["resource"]
        return {"id": payment["id"], "reason": "goodwill", "by": "admin"}

    return prepared


REFUND_PAYMENT: Final = Wish(
    mutation="refundPayment",
    input=lambda given: {
        "idempotencyKey": key_of(given),
        "paymentId": named("pay", given["id"]),
        "amount": {"minor": given["amount"], "currency": "EUR"} if "amount" in given else None,
        "reason": given["reason"].upper(),
        **only(given, "note"),
    },
    selection="refund { status amount { minor currency } note }",
    ask=lambda rest, given: rest.post(f"/{given['id']}/refund", only(given, "amount", "reason", "note")),
    shown=lambda refund: {
        "status_detail": refund["status"],
        "amount": refund["amount"]["minor"],
        "currency": refund["amount"]["currency"],
        "note": refund["note"],
    },
)
REFUNDS: Final[Mapping[str, Situation]] = {
    "of nothing": refunding(id=str(new_id())),
    "by its payer": refunding(by="customer"),
    "a blank note": refunding(note=" "),
    "more than there is": refunding(amount=1251),
    "a part": refunding(amount=250, note="Cold coffee"),
    "more than is left": refunding(amount=1001),
    "the rest": refunding(),
    "what went back already": refunding(),
    "of what was declined": refunding_a_payment_with(DECLINED),
    "of what waits for the bank": refunding_a_payment_with(GUARDED),
}


def adding(stripe_id: str, **given: Any) -> Situation:
    async def prepared(_: Customer) -> Given:
        return {"stripe_payment_method_id": stripe_id, **given}

    return prepared


METHOD: Final = "paymentMethod { brand last4 expMonth expYear billingName isDefault state }"


def shown_method(method: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "brand": method["brand"],
        "last4": method["last4"],
        "exp_month": method["expMonth"],
        "exp_year": method["expYear"],
        "billing_name": method["billingName"],
        "is_default": method["isDefault"],
        "status_detail": method["state"],
    }


ADD_METHOD: Final = Wish(
    mutation="addPaymentMethod",
    input=lambda given: {
        "stripePaymentMethodId": given["stripe_payment_method_id"],
        "makeDefault": given.get("is_default"),
    },
    selection=METHOD,
    ask=lambda rest, given: rest.post("/payment-methods", given),
    shown=shown_method,
)
ADDITIONS: Final[Mapping[str, Situation]] = {
    "the first": adding("pm_card_visa"),
    "a second": adding("pm_card_mastercard"),
    "a third as the default": adding("pm_card_amex", is_default=True),
    "the same card again": adding("pm_card_visa"),
    "no id of Stripe's": adding("card_17"),
    "an empty text": adding(""),
    "an unknown id": adding("pm_nobodyKnowsIt"),
    "a declined card": adding("pm_card_chargeDeclined"),
}


def updating(**given: Any) -> Situation:
    """The second of two cards."""

    async def prepared(customer: Customer) -> Given:
        await customer.card()
        return {"id": await customer.card("pm_card_mastercard"), **given}

    return prepared


async def updating_another_users(customer: Customer) -> Given:
    return {"id": await customer.shop.others_card(), "billing_name": "Ada"}


async def updating_a_removed_one(customer: Customer) -> Given:
    return {"id": await customer.removed_card(), "billing_name": "Ada"}


UPDATE_METHOD: Final = Wish(
    mutation="updatePaymentMethod",
    input=lambda given: {
        "id": named("mth", given["id"]),
        "expMonth": given.get("exp_month"),
        "expYear": given.get("exp_year"),
        "billingName": given.get("billing_name"),
        "makeDefault": given.get("is_default"),
    },
    selection=METHOD,
    ask=lambda rest, given: rest.put(
        f"/payment-methods/{given['id']}", only(given, "exp_month", "exp_year", "billing_name", "is_default")
    ),
    shown=shown_method,
)
UPDATES: Final[Mapping[str, Situation]] = {
    "another expiry": updating(exp_month=7, exp_year=2031),
    "a name and the default": updating(billing_name="Ada", is_default=True),
    "nothing": updating(),
    "a month without its year": updating(exp_month=7),
    "a thirteenth month": updating(exp_month=13, exp_year=2031),
    "a year that is over": updating(exp_month=7, exp_year=2020),
    "a blank name": updating(billing_name=" "),
    "no longer the default": updating(is_default=False),
    "of nothing": updating(id=str(new_id()), billing_name="Ada"),
    "another user's": updating_another_users,
    "a removed one": updating_a_removed_one,
}


async def deleting(customer: Customer) -> Given:
    return {"id": await customer.card("pm_card_mastercard")}


async def deleting_a_removed_one(customer: Customer) -> Given:
    return {"id": await customer.removed_card()}


async def deleting_another_users(customer: Customer) -> Given:
    return {"id": await customer.shop.others_card()}


async def deleting_nothing(customer: Customer) -> Given:
    return {"id": str(new_id())}


async def deleting_what_is_needed(customer: Customer) -> Given:
    await customer.subscription()
    return {"id": await customer.card()}


async def replacing(customer: Customer) -> Given:
    needed = await deleting_what_is_needed(customer)
    return {**needed, "replace_with_id": await customer.card("pm_card_jcb")}


async def replacing_by_itself(customer: Customer) -> Given:
    needed = await deleting_what_is_needed(customer)
    return {**needed, "replace_with_id": needed["id"]}


DELETE_METHOD: Final = Wish(
    mutation="deletePaymentMethod",
    input=lambda given: {
        "id": named("mth", given["id"]),
        "replaceWithId": named("mth", given.get("replace_with_id")),
    },
    selection="deletedId",
    ask=lambda rest, given: rest.delete(f"/payment-methods/{given['id']}", **only(given, "replace_with_id")),
    shown=lambda method: {},
)
DELETIONS: Final[Mapping[str, Situation]] = {
    "in order": deleting,
    "a removed one": deleting_a_removed_one,
    "another user's": deleting_another_users,
    "of nothing": deleting_nothing,
    "one that is needed": deleting_what_is_needed,
    "one that replaces itself": replacing_by_itself,
    "one that is replaced": replacing,
}


def subscribing(*, amount: int = 1500, card: str | None = None) -> Situation:
    async def prepared(customer: Customer) -> Given:
        plan = {"plan_id": await customer.shop.plan(amount)}
        return {**plan, "payment_method_id": await customer.card(card)} if card else plan

    return prepared


async def subscribing_to_nothing(customer: Customer) -> Given:
    return {"plan_id": str(new_id())}


async def subscribing_with_another_users_card(customer: Customer) -> Given:
    return {"plan_id": await customer.shop.plan(), "payment_method_id": await customer.shop.others_card()}


SUBSCRIPTION: Final = "subscription { status cancelAtPeriodEnd metadata willChargeAgain version }"


def shown_subscription(subscription: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "status_detail": subscription["status"],
        "cancel_at_period_end": subscription["cancelAtPeriodEnd"],
        "metadata": subscription["metadata"],
        "will_charge_again": subscription["willChargeAgain"],
        "version": subscription["version"],
    }


CREATE_SUBSCRIPTION: Final = Wish(
    mutation="createSubscription",
    input=lambda given: {
        "idempotencyKey": key_of(given),
        "planId": named("pln", given["plan_id"]),
        "paymentMethodId": named("mth", given.get("payment_method_id")),
    },
    selection=SUBSCRIPTION,
    ask=lambda rest, given: rest.post("/subscriptions", given),
    shown=shown_subscription,
)
STARTS: Final[Mapping[str, Situation]] = {
    "for nothing and without a card": subscribing(amount=0),
    "without a card": subscribing(),
    "an unknown plan": subscribing_to_nothing,
    "another user's card": subscribing_with_another_users_card,
    "in order": subscribing(card="pm_card_visa"),
    "the same plan twice": subscribing(),
    "a declined card": subscribing(amount=700, card=DECLINED),
    "a card that asks its bank": subscribing(amount=800, card=GUARDED),
}


def changing(**given: Any) -> Situation:
    async def prepared(customer: Customer) -> Given:
        return {"id": await customer.subscription(), **given}

    return prepared


def changing_to(amount: int, *, currency: str = "usd", card: str | None = None) -> Situation:
    async def prepared(customer: Customer) -> Given:
        subscription = await customer.subscription()
        if card:
            paid_with = {"payment_method_id": await customer.card(card)}
            await customer.rest.put(f"/subscriptions/{subscription}", paid_with)
        return {"id": subscription, "plan_id": await customer.shop.plan(amount, currency)}

    return prepared


async def changing_to_what_another_has(customer: Customer) -> Given:
    given = {"id": await customer.subscription(), "plan_id": await customer.shop.plan(700)}
    await customer.rest.post("/subscriptions", only(given, "plan_id"))
    return given


async def ended(customer: Customer) -> dict[str, Any]:
    return {"id": await customer.ended_subscription()}


async def another_users(customer: Customer) -> dict[str, Any]:
    return {"id": await customer.shop.others_subscription()}


async def changing_what_has_ended(customer: Customer) -> Given:
    return {**await ended(customer), "plan_id": await customer.shop.plan(3000)}


async def changing_another_users(customer: Customer) -> Given:
    return {**await another_users(customer), "plan_id": await customer.shop.plan(3000)}


def putting(*names: str) -> Any:
    return lambda rest, given: rest.put(f"/subscriptions/{given['id']}", only(given, *names))


CHANGE_PLAN: Final = Wish(
    mutation="changePlan",
    input=lambda given: {
        "idempotencyKey": key_of(given),
        "subscriptionId": named("sbn", given["id"]),
        "planId": named("pln", given["plan_id"]),
    },
    selection=SUBSCRIPTION,
    ask=putting("plan_id"),
    shown=shown_subscription,
)
PLAN_CHANGES: Final[Mapping[str, Situation]] = {
    "of another user's": changing_another_users,
    "to an unknown one": changing(plan_id=str(new_id())),
    "to one in another currency": changing_to(900, currency="eur"),
    "to what another subscription is to": changing_to_what_another_has,
    "to a dearer one": changing_to(3000),
    "to a cheaper one": changing_to(500),
    "with a declined card": changing_to(4000, card=DECLINED),
    "with a card that asks its bank": changing_to(5000, card=GUARDED),
    "of what has ended": changing_what_has_ended,
}


async def repaying(customer: Customer) -> Given:
    return {
        "id": await customer.subscription(),
        "payment_method_id": await customer.card("pm_card_mastercard"),
    }


async def repaying_with_another_users(customer: Customer) -> Given:
    return {"id": await customer.subscription(), "payment_method_id": await customer.shop.others_card()}


async def describing_what_has_ended(customer: Customer) -> Given:
    return {**await ended(customer), "metadata": {"a": 1}}


async def describing_another_users(customer: Customer) -> Given:
    return {**await another_users(customer), "metadata": {"a": 1}}


UPDATE_SUBSCRIPTION: Final = Wish(
    mutation="updateSubscription",
    input=lambda given: {
        "id": named("sbn", given["id"]),
        "paymentMethodId": named("mth", given.get("payment_method_id")),
        **only(given, "metadata"),
    },
    selection=SUBSCRIPTION,
    ask=putting("payment_method_id", "metadata"),
    shown=shown_subscription,
)
DESCRIPTIONS: Final[Mapping[str, Situation]] = {
    "metadata": changing(metadata={"a": [1]}),
    "no metadata any more": changing(metadata={}),
    "nothing": changing(),
    "metadata that is too deep": changing(metadata={"a": [[[[[[[[1]]]]]]]]}),
    "another card": repaying,
    "an unknown card": changing(payment_method_id=str(new_id())),
    "another user's card": repaying_with_another_users,
    "of another user's": describing_another_users,
    "of what has ended": describing_what_has_ended,
}

CANCEL_SUBSCRIPTION: Final = Wish(
    mutation="cancelSubscription",
    input=lambda given: {
        "id": named("sbn", given["id"]),
        "timing": "PERIOD_END" if given.get("at_period_end") == "true" else "NOW",
    },
    selection=SUBSCRIPTION,
    ask=lambda rest, given: rest.delete(f"/subscriptions/{given['id']}", **only(given, "at_period_end")),
    shown=shown_subscription,
)


async def cancelling_what_is_unpaid(customer: Customer) -> Given:
    asked = {"plan_id": await customer.shop.plan(700), "payment_method_id": await customer.card(DECLINED)}
    unpaid = (await customer.rest.post("/subscriptions", asked)).json()["error"]["resource"]
    return {"id": unpaid["id"], "at_period_end": "true"}


CANCELLATIONS: Final[Mapping[str, Situation]] = {
    "of nothing": changing(id=str(new_id())),
    "of another user's": another_users,
    "of what is unpaid": cancelling_what_is_unpaid,
    "with the period": changing(at_period_end="true"),
    "with the period twice": changing(at_period_end="true"),
    "now": changing(),
    "of what has ended": changing(),
}


async def ending(customer: Customer) -> Given:
    given = {"id": await customer.subscription()}
    await customer.rest.delete(f"/subscriptions/{given['id']}", at_period_end="true")
    return {**given, "cancel_at_period_end": False}


async def keeping_another_users(customer: Customer) -> Given:
    return {**await another_users(customer), "cancel_at_period_end": False}


KEEP_SUBSCRIPTION: Final = Wish(
    mutation="keepSubscription",
    input=lambda given: {"idempotencyKey": key_of(given), "id": named("sbn", given["id"])},
    selection=SUBSCRIPTION,
    ask=putting("cancel_at_period_end"),
    shown=shown_subscription,
)
KEEPINGS: Final[Mapping[str, Situation]] = {
    "what ends": ending,
    "another user's": keeping_another_users,
    "nothing": changing(id=str(new_id()), cancel_at_period_end=False),
}


class TestAlike:
    """Two customers come into the same situations, one after the other: one asks by GraphQL, the other by REST."""

    @pytest.mark.parametrize(
        ("wish", "situations"),
        [
            (CREATE_PAYMENT, PAYMENTS),
            (REFUND_PAYMENT, REFUNDS),
            (ADD_METHOD, ADDITIONS),
            (UPDATE_METHOD, UPDATES),
            (DELETE_METHOD, DELETIONS),
            (CREATE_SUBSCRIPTION, STARTS),
            (CHANGE_PLAN, PLAN_CHANGES),
            (UPDATE_SUBSCRIPTION, DESCRIPTIONS),
            (CANCEL_SUBSCRIPTION, CANCELLATIONS),
            (KEEP_SUBSCRIPTION, KEEPINGS),
        ],
        ids=lambda value: value.mutation if isinstance(value, Wish) else "",
    )
    async def test_decides(
        self, http: httpx2.AsyncClient, sells: Sells, wish: Wish, situations: Mapping[str, Situation]
    ) -> None:
        shop = a_shop(http, sells)
        ones, others = a_customer(http, shop), a_customer(http, shop)

        by_graphql = {
            name: await wish.by_graphql(ones, await made(ones)) for name, made in situations.items()
        }
        by_rest = {name: await wish.by_rest(others, await made(others)) for name, made in situations.items()}

        assert by_rest == by_graphql
        codes = {decision.code for decision in by_rest.values()}
        assert None in codes
        assert len(codes) > 1

    def test_covers_every_command_of_the_table(self) -> None:
        wished = {
            CREATE_PAYMENT,
            REFUND_PAYMENT,
            ADD_METHOD,
            UPDATE_METHOD,
            DELETE_METHOD,
            CREATE_SUBSCRIPTION,
        }
        wished |= {CHANGE_PLAN, UPDATE_SUBSCRIPTION, CANCEL_SUBSCRIPTION, KEEP_SUBSCRIPTION}

        assert {wish.mutation for wish in wished} == {
            name for route in ROUTES if route.takes_key for name in route.graphql
        }


def someone(http: httpx2.AsyncClient, role: Role = Role.USER) -> tuple[Api, Rest]:
    headers = bearer(Actor(role=role, user_id=new_id()))
    return Api(http=http, headers=headers), Rest(http=http, headers=headers)


def a_shop(http: httpx2.AsyncClient, sells: Sells) -> Shop:
    admin_api, admin = someone(http, Role.ADMIN)
    _, other = someone(http)
    return Shop(sells=sells, other=other, admin_api=admin_api, admin=admin)


def a_customer(http: httpx2.AsyncClient, shop: Shop) -> Customer:
    api, rest = someone(http)
    return Customer(api=api, rest=rest, shop=shop)
