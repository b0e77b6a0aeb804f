"""What support and admins may see and do, and what stays the owner's."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from domain.actor import Actor
from domain.ports import Database
from tests.api import EURO, Api, fresh_key
from tests.gql.belongings import Belongings, Sells, attempts, belongings

BY_ID = {
    "payment": "query($id: ID!) { payment(id: $id) { id } }",
    "paymentMethod": "query($id: ID!) { paymentMethod(id: $id) { id } }",
    "node": "query($id: ID!) { node(id: $id) { id __typename } }",
}


FILTERED = "query($filter: PaymentFilter) { payments(filter: $filter) { totalCount nodes { id } } }"


STRIPE = "query($id: ID!) { payment(id: $id) { stripe { objectId customerId dashboardUrl source } } }"


NEXT = "query($id: ID!) { payment(id: $id) { nextAction { kind clientSecret redirectUrl } } }"


class TestSupport:
    async def test_sees_everybodys_objects(self, supports: Api, theirs: Belongings) -> None:
        for identity in theirs.all:
            data = await supports.run(BY_ID["node"], {"id": identity})
            assert data["node"]["id"] == identity

    async def test_finds_a_users_payments(
        self,
        supports: Api,
        theirs: Belongings,
        other_actor: Actor,
        api: Api,
        database: Database,
        sells: Sells,
    ) -> None:
        await belongings(api, database, sells)

        data = await supports.run(FILTERED, {"filter": {"userId": str(other_actor.user_id)}})

        found = {node["id"] for node in data["payments"]["nodes"]}
        assert found >= {theirs.payment, theirs.authorized, theirs.waiting}
        assert len(found) == 5  # Two were made by subscriptions.

    async def test_changes_nothing(
        self, supports: Api, theirs: Belongings, contents: Callable[[], Any]
    ) -> None:
        before = await contents()

        for attempt in attempts(theirs, theirs):
            if attempt.mutation not in {"createPayment", "createSubscription"}:
                assert await supports.codes(attempt.mutation, attempt.given) == ["FORBIDDEN"], (
                    attempt.coordinate
                )

        assert await contents() == before


class TestAdmin:
    async def test_captures_what_a_user_authorised(self, admins: Api, theirs: Belongings) -> None:
        given = {"idempotencyKey": fresh_key(), "paymentId": theirs.authorized}

        payload = await admins.mutate("capturePayment", given, "payment { status } errors { code }")

        assert payload == {"payment": {"status": "COMPLETED"}, "errors": []}

    async def test_pays_for_a_user_with_the_users_card(
        self, admins: Api, others: Api, theirs: Belongings, other_actor: Actor
    ) -> None:
        payment = await admins.pay(
            "id trigger billingAccount { user { id } } paymentMethod { id }",
            onBehalfOfUserId=str(other_actor.user_id),
        )

        assert payment["trigger"] == "ADMIN"
        assert payment["billingAccount"]["user"]["id"] == str(other_actor.user_id)
        assert payment["paymentMethod"]["id"] == theirs.method
        assert (await others.run(BY_ID["payment"], {"id": payment["id"]}))["payment"]["id"] == payment["id"]

    async def test_does_not_pay_for_a_user_with_a_card_of_their_own(
        self, admins: Api, theirs: Belongings, other_actor: Actor
    ) -> None:
        card = await admins.add_card()
        given = {
            "idempotencyKey": fresh_key(),
            "charge": EURO,
            "onBehalfOfUserId": str(other_actor.user_id),
            "paymentMethodId": card,
        }

        assert await admins.codes("createPayment", given) == ["NOT_FOUND"]


class TestStripeLink:
    async def test_is_for_support_and_admins(self, supports: Api, admins: Api, theirs: Belongings) -> None:
        for caller in (supports, admins):
            link = (await caller.run(STRIPE, {"id": theirs.payment}))["payment"]["stripe"]
            assert link["objectId"].startswith("pi_")
            assert link["dashboardUrl"] == f"https://dashboard.stripe.com/test/payments/{link['objectId']}"
            assert link["source"] == "API_CALL"

    async def test_is_refused_to_the_owner_who_still_gets_the_rest(
        self, others: Api, theirs: Belongings
    ) -> None:
        body = await others.answer(
            "query($id: ID!) { payment(id: $id) { id stripe { objectId } } }", {"id": theirs.payment}
        )

        assert body["data"]["payment"] == {"id": theirs.payment, "stripe": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


class TestNextAction:
    async def test_gives_its_client_secret_to_the_owner(self, others: Api, theirs: Belongings) -> None:
        action = (await others.run(NEXT, {"id": theirs.waiting}))["payment"]["nextAction"]

        assert action["clientSecret"].startswith("pi_")
        assert "_secret_" in action["clientSecret"]

    @pytest.mark.parametrize("caller", ["supports", "admins"])
    async def test_gives_its_client_secret_to_nobody_else(
        self, caller: str, theirs: Belongings, request: pytest.FixtureRequest
    ) -> None:
        staff: Api = request.getfixturevalue(caller)

        action = (await staff.run(NEXT, {"id": theirs.waiting}))["payment"]["nextAction"]

        assert action["kind"] == "USE_STRIPE_SDK"
        assert (action["clientSecret"], action["redirectUrl"]) == (None, None)

    async def test_is_null_once_nothing_is_left_to_do(self, others: Api, theirs: Belongings) -> None:
        assert (await others.run(NEXT, {"id": theirs.payment}))["payment"]["nextAction"] is None

    async def test_secret_of_a_setup_is_the_owners_alone(
        self, others: Api, admins: Api, theirs: Belongings
    ) -> None:
        asked = "query($id: ID!) { node(id: $id) { ... on PaymentMethodSetup { clientSecret } } }"

        seen = await asyncio.gather(*(caller.run(asked, {"id": theirs.setup}) for caller in (others, admins)))

        assert seen[0]["node"]["clientSecret"].startswith("seti_")
        assert seen[1]["node"]["clientSecret"] is None
