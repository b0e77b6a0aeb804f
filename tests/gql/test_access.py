"""Who may see and change what. Another user's object looks exactly like one that does not exist."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from graphql import GraphQLObjectType

from domain.actor import Actor
from gateway.wiring import Gateway
from persistence.tables import metadata
from sandbox import Sandbox, SandboxSettings
from tests.api import EURO, Api, fresh_key
from tests.gql.belongings import SCHEMA, Belongings, attempts, belongings, id_fields
from tests.news import deliver_news
from tests.parts import RunningSandbox
from tests.tables import contents_of

BY_ID = {
    "payment": "query($id: ID!) { payment(id: $id) { id } }",
    "paymentMethod": "query($id: ID!) { paymentMethod(id: $id) { id } }",
    "node": "query($id: ID!) { node(id: $id) { id __typename } }",
}
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
FILTERED = "query($filter: PaymentFilter) { payments(filter: $filter) { totalCount nodes { id } } }"
STRIPE = "query($id: ID!) { payment(id: $id) { stripe { objectId customerId dashboardUrl source } } }"
NEXT = "query($id: ID!) { payment(id: $id) { nextAction { kind clientSecret redirectUrl } } }"
DECLINE = "query($id: ID!) { payment(id: $id) { decline { code category customerMessage fixableBy } } }"
CARDS = {
    "stolen_card": "pm_card_visa_chargeDeclinedStolenCard",
    "lost_card": "pm_card_visa_chargeDeclinedLostCard",
    "fraudulent": "pm_card_visa_chargeDeclinedFraudulent",
}
PUBLISHABLE_KEY = SandboxSettings().publishable_key
UNKNOWN = f"pay_{uuid4().hex}"


@pytest.fixture
async def theirs(others: Api) -> Belongings:
    return await belongings(others)


@pytest.fixture
def contents(database_url: str) -> Callable[[], Any]:
    """Everything that is stored, to tell that nothing was changed."""
    return lambda: contents_of(database_url, metadata)


class TestAnonymousCaller:
    async def test_reads_nothing_but_the_currencies(self, anonymous: Api) -> None:
        assert isinstance(SCHEMA.query_type, GraphQLObjectType)
        arguments = {
            "node": f'(id: "{UNKNOWN}")',
            "nodes": f'(ids: ["{UNKNOWN}"])',
            "payment": f'(id: "{UNKNOWN}")',
            "paymentMethod": f'(id: "mth_{uuid4().hex}")',
            "operation": '(mutation: "createPayment", idempotencyKey: "order-17")',
        }
        codes = {}

        for field in SCHEMA.query_type.fields:
            asked = f"{{ {field}{arguments.get(field, '')} {{ __typename }} }}"
            codes[field] = await anonymous.refusals(asked)

        assert codes.pop("currencies") == []
        assert codes == {field: ["UNAUTHENTICATED"] for field in codes}

    async def test_changes_nothing(
        self, anonymous: Api, theirs: Belongings, contents: Callable[[], Any]
    ) -> None:
        before = await contents()
        tried = {each.mutation: each.given for each in attempts(theirs)}
        tried |= {
            "startPaymentMethodSetup": {},
            "addPaymentMethod": {"stripePaymentMethodId": "pm_card_visa"},
        }

        for mutation, given in tried.items():
            kind = SCHEMA.mutation_type and SCHEMA.mutation_type.fields[mutation].args["input"].type
            document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
            assert await anonymous.refusals(document, {"input": given}) == ["UNAUTHENTICATED"], mutation

        assert SCHEMA.mutation_type is not None
        assert tried.keys() == SCHEMA.mutation_type.fields.keys()
        assert await contents() == before


class TestAnotherUser:
    @pytest.mark.parametrize("caller", ["api", "services"])
    async def test_finds_nothing_by_id(
        self, caller: str, theirs: Belongings, request: pytest.FixtureRequest
    ) -> None:
        stranger: Api = request.getfixturevalue(caller)

        for identity in theirs.all:
            assert await stranger.refusals(BY_ID["node"], {"id": identity}) == ["NOT_FOUND"], identity
        assert await stranger.refusals(BY_ID["payment"], {"id": theirs.payment}) == ["NOT_FOUND"]
        assert await stranger.refusals(BY_ID["paymentMethod"], {"id": theirs.method}) == ["NOT_FOUND"]

    async def test_hears_the_same_as_of_an_object_that_does_not_exist(
        self, api: Api, theirs: Belongings
    ) -> None:
        answers = [await api.answer(BY_ID["payment"], {"id": id_}) for id_ in (theirs.payment, UNKNOWN)]

        for answer in answers:
            del answer["errors"][0]["extensions"]["requestId"]
        assert answers[0] == answers[1]

    async def test_finds_only_what_is_theirs_among_nodes(self, api: Api, theirs: Belongings) -> None:
        mine = await belongings(api)
        asked = [theirs.payment, mine.payment, theirs.method, mine.setup, UNKNOWN, "nonsense"]

        body = await api.answer(NODES, {"ids": asked})

        assert [node and node["id"] for node in body["data"]["nodes"]] == [
            None, mine.payment, None, mine.setup, None, None,
        ]  # fmt: skip
        assert {error["extensions"]["code"] for error in body["errors"]} == {"NOT_FOUND"}
        assert [error["path"] for error in body["errors"]] == [["nodes", at] for at in (0, 2, 4, 5)]

    async def test_finds_every_kind_of_object_of_their_own(self, api: Api) -> None:
        mine = await belongings(api)

        data = await api.run(NODES, {"ids": mine.all})

        assert [node["id"] for node in data["nodes"]] == mine.all
        assert {node["__typename"] for node in data["nodes"]} == {
            "Payment", "PaymentMethod", "PaymentMethodSetup", "BillingAccount", "Operation",
        }  # fmt: skip

    async def test_changes_nothing_by_naming_it_anywhere(
        self, api: Api, theirs: Belongings, contents: Callable[[], Any]
    ) -> None:
        mine = await belongings(api)
        tried = attempts(theirs, own_method=mine.method, own_payment=mine.waiting)
        before = await contents()

        for attempt in tried:
            wanted = ["FORBIDDEN"] if attempt.mutation == "capturePayment" else ["NOT_FOUND"]
            assert await api.codes(attempt.mutation, attempt.given) == wanted, attempt.coordinate

        assert {attempt.coordinate for attempt in tried} == set(id_fields())
        assert await contents() == before

    @pytest.mark.parametrize(
        "names", [{"ids": ["payment"]}, {"paymentMethodId": "method"}, {}, {"status": ["COMPLETED"]}]
    )
    async def test_lists_nothing_of_it(self, names: dict[str, Any], api: Api, theirs: Belongings) -> None:
        wanted = {
            name: getattr(theirs, value)
            if name.endswith("Id")
            else [getattr(theirs, part, part) for part in value]
            for name, value in names.items()
        }

        assert await api.run(FILTERED, {"filter": wanted}) == {"payments": {"totalCount": 0, "nodes": []}}

    async def test_may_not_filter_by_another_user(
        self, api: Api, services: Api, theirs: Belongings, other_actor: Actor
    ) -> None:
        wanted = {"filter": {"userId": str(other_actor.user_id)}}

        assert await api.refusals(FILTERED, wanted) == ["FORBIDDEN"]
        assert await services.refusals(FILTERED, wanted) == ["FORBIDDEN"]

    async def test_may_filter_by_their_own_id(self, api: Api, actor: Actor) -> None:
        mine = await belongings(api)

        data = await api.run(FILTERED, {"filter": {"userId": str(actor.user_id)}})

        assert mine.payment in [node["id"] for node in data["payments"]["nodes"]]

    async def test_may_not_pay_on_behalf_of_anybody(
        self,
        api: Api,
        services: Api,
        supports: Api,
        theirs: Belongings,
        other_actor: Actor,
        sandbox: Sandbox,
        contents: Callable[[], Any],
    ) -> None:
        before, captured = await contents(), sandbox.ledger()

        given = {"idempotencyKey": fresh_key(), "charge": EURO, "onBehalfOfUserId": str(other_actor.user_id)}
        for caller in (api, services, supports):
            assert await caller.codes("createPayment", given) == ["FORBIDDEN"]

        assert await contents() == before
        assert sandbox.ledger() == captured

    async def test_learns_nothing_of_a_key_that_is_not_theirs(self, api: Api, others: Api) -> None:
        key = fresh_key()
        await others.add_card(idempotencyKey=key)
        asked = "query($key: IdempotencyKey!) { operation(mutation: %s, idempotencyKey: $key) { id } }"

        document = asked % '"addPaymentMethod"'
        assert (await others.run(document, {"key": key}))["operation"] is not None
        assert (await api.run(document, {"key": key}))["operation"] is None


class TestSupport:
    async def test_sees_everybodys_objects(self, supports: Api, theirs: Belongings) -> None:
        for identity in theirs.all:
            data = await supports.run(BY_ID["node"], {"id": identity})
            assert data["node"]["id"] == identity

    async def test_finds_a_users_payments(
        self, supports: Api, theirs: Belongings, other_actor: Actor, api: Api
    ) -> None:
        await belongings(api)

        data = await supports.run(FILTERED, {"filter": {"userId": str(other_actor.user_id)}})

        found = {node["id"] for node in data["payments"]["nodes"]}
        assert found == {theirs.payment, theirs.authorized, theirs.waiting}

    async def test_changes_nothing(
        self, supports: Api, theirs: Belongings, contents: Callable[[], Any]
    ) -> None:
        before = await contents()

        for attempt in attempts(theirs):
            if attempt.mutation != "createPayment":
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


class TestConcealedDecline:
    """https://docs.stripe.com/declines/codes: never tell a customer of loss, theft or suspicion."""

    @pytest.mark.parametrize("code", ["stolen_card", "lost_card", "fraudulent"])
    async def test_of_a_payment_looks_like_any_refusal_to_its_payer_and_is_told_to_support(
        self, code: str, others: Api, supports: Api, running_sandbox: RunningSandbox, gateway: Gateway
    ) -> None:
        payment = await others.pay("id nextAction { clientSecret }", confirm=False)
        await confirm_in_the_app(running_sandbox, payment["nextAction"]["clientSecret"], CARDS[code])
        await deliver_news(running_sandbox.sandbox, gateway)

        told = (await others.run(DECLINE, {"id": payment["id"]}))["payment"]["decline"]
        seen = (await supports.run(DECLINE, {"id": payment["id"]}))["payment"]["decline"]

        assert (told["code"], told["category"], told["fixableBy"]) == ("generic_decline", "GENERIC", "ISSUER")
        assert seen["code"] == code

    async def test_of_a_method_looks_like_any_refusal_and_so_does_its_operation(
        self, others: Api, supports: Api
    ) -> None:
        errors = "errors { message retry ... on DeclinedError { decline { code category } } }"
        given = {"stripePaymentMethodId": CARDS["stolen_card"]}

        payload = await others.mutate("addPaymentMethod", given, f"{errors} operation {{ id {errors} }}")

        operation = payload["operation"]
        assert payload["errors"] == operation["errors"]
        assert payload["errors"][0]["decline"] == {"code": "generic_decline", "category": "GENERIC"}
        assert "stolen" not in str(payload)
        asked = f"query($id: ID!) {{ node(id: $id) {{ ... on Operation {{ {errors} }} }} }}"
        seen = (await supports.run(asked, {"id": operation["id"]}))["node"]["errors"][0]
        assert seen["decline"]["code"] == "stolen_card"


async def confirm_in_the_app(running: RunningSandbox, client_secret: str, card: str) -> None:
    """What Stripe's library does in the customer's hands: confirm with the publishable key."""
    intent = client_secret.partition("_secret_")[0]
    async with httpx2.AsyncClient(base_url=running.url, auth=(PUBLISHABLE_KEY, "")) as app:
        answer = await app.post(
            f"/v1/payment_intents/{intent}/confirm",
            data={"client_secret": client_secret, "payment_method": card},
        )
    assert answer.status_code == 402, answer.text
