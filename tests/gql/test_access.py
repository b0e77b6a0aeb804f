"""Another user's object looks exactly like one that does not exist."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLObjectType, assert_interface_type

from domain.actor import Actor
from domain.ports import Database
from sandbox import Sandbox
from tests.api import EURO, Api, fresh_key
from tests.gql.belongings import (
    FOR_ADMINS,
    SCHEMA,
    Belongings,
    Sells,
    attempts,
    belongings,
    id_fields,
)
from tests.gql.questions import EVERYBODYS, asked_ids, questions

NODE = "query($id: ID!) { node(id: $id) { id __typename } }"


NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"


FILTERED = "query($filter: PaymentFilter) { payments(filter: $filter) { totalCount nodes { id } } }"


UNKNOWN = f"pay_{uuid4().hex}"


class TestAnonymousCaller:
    async def test_reads_nothing_but_currencies_and_plans(self, anonymous: Api) -> None:
        assert isinstance(SCHEMA.query_type, GraphQLObjectType)
        arguments = {
            "node": f'(id: "{UNKNOWN}")',
            "nodes": f'(ids: ["{UNKNOWN}"])',
            "payment": f'(id: "{UNKNOWN}")',
            "paymentMethod": f'(id: "mth_{uuid4().hex}")',
            "refund": f'(id: "rfd_{uuid4().hex}")',
            "dispute": f'(id: "dsp_{uuid4().hex}")',
            "subscription": f'(id: "sbn_{uuid4().hex}")',
            "invoice": f'(id: "inv_{uuid4().hex}")',
            "operation": '(mutation: "createPayment", idempotencyKey: "order-17")',
            "billingAccount": f'(userId: "{uuid4()}")',
            "webhookEvent": f'(id: "whk_{uuid4().hex}")',
            "access": f'(userId: "{uuid4()}", targets: [])',
            "stats": '(input: {metrics: [MRR], from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z"})',
            "previewSubscription": f'(planId: "pln_{uuid4().hex}")',
            "previewPlanChange": f'(input: {{ subscriptionId: "sbn_{uuid4().hex}", planId: "pln_{uuid4().hex}" }})',
            "previewCancellation": f'(subscriptionId: "sbn_{uuid4().hex}", timing: NOW)',
        }
        codes = {}

        for field in SCHEMA.query_type.fields:
            asked = f"{{ {field}{arguments.get(field, '')} {{ __typename }} }}"
            codes[field] = await anonymous.refusals(asked)

        assert codes.pop("currencies") == codes.pop("plans") == []
        assert codes == {field: ["UNAUTHENTICATED"] for field in codes}

    async def test_changes_nothing(
        self, anonymous: Api, theirs: Belongings, contents: Callable[[], Any]
    ) -> None:
        before = await contents()
        tried = {each.mutation: each.given for each in attempts(theirs, theirs)}
        tried |= {
            "startPaymentMethodSetup": {},
            "addPaymentMethod": {"stripePaymentMethodId": "pm_card_visa"},
            "grantAccess": {"userId": str(uuid4()), "target": {"feature": "hd"}, "note": "because"},
            "createPortalLink": {"returnUrl": "https://shop.example"},
            "reconcile": {"since": "2026-01-01T00:00:00Z"},
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
            assert await stranger.refusals(NODE, {"id": identity}) == ["NOT_FOUND"], identity

    async def test_finds_nothing_by_naming_it_anywhere(
        self, api: Api, theirs: Belongings, other_actor: Actor
    ) -> None:
        asked = questions(theirs, str(other_actor.user_id))

        for question in asked:
            body = await api.answer(question.document, {"it": question.it})
            codes = [error["extensions"]["code"] for error in body.get("errors", ())]
            assert codes == ([question.hears] if question.hears else []), question.coordinate
            assert '"id"' not in json.dumps(body["data"]), question.coordinate

        assert {question.coordinate for question in asked} == set(asked_ids()) - EVERYBODYS

    async def test_hears_the_same_as_of_an_object_that_does_not_exist(
        self, api: Api, theirs: Belongings
    ) -> None:
        answers = [await api.answer(NODE, {"id": id_}) for id_ in (theirs.payment, UNKNOWN)]

        for answer in answers:
            del answer["errors"][0]["extensions"]["requestId"]
        assert answers[0] == answers[1]

    async def test_finds_only_what_is_theirs_among_nodes(
        self, api: Api, theirs: Belongings, database: Database, sells: Sells
    ) -> None:
        mine = await belongings(api, database, sells)
        asked = [theirs.payment, mine.payment, theirs.method, mine.setup, UNKNOWN, "nonsense"]

        body = await api.answer(NODES, {"ids": asked})

        assert [node and node["id"] for node in body["data"]["nodes"]] == [
            None, mine.payment, None, mine.setup, None, None,
        ]  # fmt: skip
        assert {error["extensions"]["code"] for error in body["errors"]} == {"NOT_FOUND"}
        assert [error["path"] for error in body["errors"]] == [["nodes", at] for at in (0, 2, 4, 5)]

    async def test_finds_every_kind_of_object_of_their_own(
        self, api: Api, database: Database, sells: Sells
    ) -> None:
        mine = await belongings(api, database, sells)

        data = await api.run(NODES, {"ids": mine.all})

        assert [node["id"] for node in data["nodes"]] == mine.all
        kinds = {
            kind.name for kind in SCHEMA.get_possible_types(assert_interface_type(SCHEMA.type_map["Node"]))
        }
        assert {node["__typename"] for node in data["nodes"]} == kinds - {
            "Plan",
            "AuditEntry",
            "WebhookEvent",
            "ReconciliationRun",
        }

    async def test_changes_nothing_by_naming_it_anywhere(
        self, api: Api, theirs: Belongings, contents: Callable[[], Any], database: Database, sells: Sells
    ) -> None:
        mine = await belongings(api, database, sells)
        tried = attempts(theirs, mine)
        before = await contents()

        for attempt in tried:
            wanted = ["FORBIDDEN"] if attempt.mutation in FOR_ADMINS else ["NOT_FOUND"]
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

    async def test_may_filter_by_their_own_id(
        self, api: Api, actor: Actor, database: Database, sells: Sells
    ) -> None:
        mine = await belongings(api, database, sells)

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
