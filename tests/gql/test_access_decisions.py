"""Who may use what, as apps and other services ask it."""

from collections.abc import Mapping
from typing import Any

import pytest
from jose import jwt
from pydantic import SecretStr

from domain.actor import Actor
from domain.identity import new_id
from gateway.development_key import new_key
from gateway.settings import Settings
from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.budgets import statements_of

ACCESS = """query($userId: ID!, $targets: [AccessTarget!]!) { access(userId: $userId, targets: $targets) {
    allowed reason explanation until remedies evaluatedAt
} }"""
SOURCES = """query($userId: ID!, $targets: [AccessTarget!]!) { access(userId: $userId, targets: $targets) {
    reason source { __typename ... on Payment { id } ... on Entitlement { id } }
} }"""
TOKENS = """query($userId: ID!, $targets: [AccessTarget!]!) { access(userId: $userId, targets: $targets) {
    allowed token
} }"""
MINE = """query($target: AccessTarget!) { viewer {
    access(target: $target) { allowed reason until remedies source { __typename } }
    entitlements { id reason feature mediaItem { id access { reason } } startsAt endsAt revokedReason
                   revokedAt granter { id kind } note }
} }"""
FILM: Mapping[str, str] = {"mediaItemId": "film-17"}
HD: Mapping[str, str] = {"feature": "hd"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access_statement_keys": SecretStr(new_key())})


@pytest.fixture
async def bought(api: Api) -> dict[str, Any]:
    """Film 17, paid for by the user."""
    await api.add_card()
    return await api.pay(
        "id status mediaItem { id access { allowed reason until remedies source { __typename } } }",
        mediaItemId="film-17",
    )


def about(actor: Actor, *targets: Mapping[str, str]) -> dict[str, Any]:
    return {"userId": str(actor.user_id), "targets": list(targets)}


class TestUser:
    async def test_owns_what_they_have_just_paid_for(self, bought: dict[str, Any]) -> None:
        assert bought["status"] == "COMPLETED"
        assert bought["mediaItem"] == {
            "id": "film-17",
            "access": {
                "allowed": True,
                "reason": "OWNED",
                "until": None,
                "remedies": [],
                "source": {"__typename": "Payment"},
            },
        }

    async def test_sees_their_entitlements_and_decisions(self, api: Api, bought: dict[str, Any]) -> None:
        viewer = (await api.run(MINE, {"target": FILM}))["viewer"]

        assert viewer["access"]["reason"] == "OWNED"
        [entitlement] = viewer["entitlements"]
        assert entitlement["mediaItem"] == {"id": "film-17", "access": {"reason": "OWNED"}}
        assert entitlement["id"].startswith("ent_")
        assert (entitlement["endsAt"], entitlement["revokedReason"], entitlement["note"]) == (
            None,
            None,
            None,
        )

    async def test_learns_what_would_help(self, api: Api) -> None:
        film = (await api.run(MINE, {"target": FILM}))["viewer"]["access"]
        hd = (await api.run(MINE, {"target": HD}))["viewer"]["access"]

        assert film == {
            "allowed": False, "reason": "NOT_PURCHASED", "until": None, "remedies": ["BUY"], "source": None,
        }  # fmt: skip
        assert hd["remedies"] == ["SUBSCRIBE"]

    async def test_is_sent_to_their_bank_where_it_asks_for_them(self, api: Api) -> None:
        guarded = await api.add_card("pm_card_authenticationRequired")
        waiting = await api.pay("status", paymentMethodId=guarded, mediaItemId="film-17")

        access = (await api.run(MINE, {"target": FILM}))["viewer"]["access"]

        assert waiting["status"] == "REQUIRES_ACTION"
        assert (access["allowed"], access["remedies"]) == (False, ["AUTHENTICATE"])

    async def test_finds_their_payments_for_an_item(self, api: Api, bought: dict[str, Any]) -> None:
        document = "query($id: ID) { payments(filter: {mediaItemId: $id}) { nodes { id } } }"

        found = await api.run(document, {"id": "film-17"})
        none = await api.run(document, {"id": "film-18"})

        assert found["payments"]["nodes"] == [{"id": bought["id"]}]
        assert none["payments"]["nodes"] == []

    async def test_gets_no_statement(self, api: Api) -> None:
        document = 'query { viewer { access(target: {feature: "hd"}) { allowed token } } }'

        data = await api.run(document)

        assert data["viewer"]["access"] == {"allowed": False, "token": None}

    async def test_asks_for_nobody_else(
        self, api: Api, supports: Api, anonymous: Api, other_actor: Actor
    ) -> None:
        asked = about(other_actor, FILM)

        assert await api.refusals(ACCESS, asked) == ["FORBIDDEN"]
        assert await supports.refusals(ACCESS, asked) == ["FORBIDDEN"]
        assert await anonymous.refusals(ACCESS, asked) == ["UNAUTHENTICATED"]

    async def test_may_not_buy_what_cannot_be_an_item(self, api: Api, sandbox: Sandbox) -> None:
        await api.add_card()
        given = {
            "idempotencyKey": fresh_key(),
            "charge": {"amount": {"minor": 900, "currency": "EUR"}},
            "mediaItemId": "x" * 65,
        }

        payload = await api.mutate("createPayment", given, "payment { id } errors { code path }")

        assert payload == {
            "payment": None, "errors": [{"code": "INVALID_INPUT", "path": ["input", "mediaItemId"]}],
        }  # fmt: skip
        assert sandbox.ledger()["totals"]["payment_intents"] == 0


class TestService:
    async def test_hears_about_each_target_in_order(
        self, services: Api, admins: Api, actor: Actor, bought: dict[str, Any]
    ) -> None:
        asked = about(actor, HD, FILM, {"mediaItemId": "film-18"})

        decisions = (await services.run(ACCESS, asked))["access"]

        assert [each["reason"] for each in decisions] == ["NOT_PURCHASED", "OWNED", "NOT_PURCHASED"]
        assert [each["allowed"] for each in decisions] == [False, True, False]
        assert all(each["explanation"].endswith(".") for each in decisions)
        assert [each["reason"] for each in (await admins.run(ACCESS, asked))["access"]] == [
            each["reason"] for each in decisions
        ]

    async def test_hears_of_a_stranger_that_they_have_bought_nothing(self, services: Api) -> None:
        stranger = {"userId": str(new_id()), "targets": [FILM]}

        [decision] = (await services.run(ACCESS, stranger))["access"]

        assert (decision["allowed"], decision["reason"]) == (False, "NOT_PURCHASED")

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"userId": "nobody", "targets": [FILM]}, "NOT_FOUND"),
            ({"userId": str(new_id()), "targets": [{"mediaItemId": ""}]}, "INVALID_INPUT"),
            ({"userId": str(new_id()), "targets": [{"feature": "x" * 101}]}, "INVALID_INPUT"),
            ({"userId": str(new_id()), "targets": [FILM] * 101}, "INVALID_INPUT"),
        ],
    )
    async def test_is_told_what_is_wrong_with_a_question(
        self, services: Api, asked: dict[str, Any], code: str
    ) -> None:
        assert await services.refusals(ACCESS, asked) == [code]

    @pytest.mark.parametrize("targets", [[{}], [{**FILM, **HD}], [{"mediaItemId": None}]])
    async def test_names_one_thing_per_target(self, services: Api, targets: list[Any]) -> None:
        body = (await services.post(ACCESS, {"userId": str(new_id()), "targets": targets})).json()

        assert body["errors"]
        assert not body.get("data")

    async def test_costs_two_statements_however_much_it_asks(
        self, services: Api, actor: Actor, bought: dict[str, Any]
    ) -> None:
        numbers = {}
        for count in (1, 100):
            targets = [{"mediaItemId": f"film-{number}"} for number in range(count)]
            body = (await services.post(ACCESS, about(actor, *targets))).json()
            numbers[count] = statements_of(body)
            assert len(body["data"]["access"]) == count

        assert numbers == {1: 2, 100: 2}

    async def test_sees_the_entitlement_behind_a_decision_and_no_payment(
        self, services: Api, admins: Api, actor: Actor, bought: dict[str, Any]
    ) -> None:
        body = (await services.post(SOURCES, about(actor, FILM))).json()
        [by_admin] = (await admins.run(SOURCES, about(actor, FILM)))["access"]

        [seen] = body["data"]["access"]
        assert seen["source"]["__typename"] == "Entitlement"
        assert statements_of(body) == 3
        assert by_admin["source"] == {"__typename": "Payment", "id": bought["id"]}

    async def test_gets_statements_that_the_published_keys_prove(
        self, services: Api, actor: Actor, bought: dict[str, Any]
    ) -> None:
        asked = about(actor, FILM, HD)

        decisions = (await services.run(TOKENS, asked))["access"]

        keys = (await services.http.get("/.well-known/jwks.json")).json()
        owned, refused = (
            jwt.decode(each["token"], keys, algorithms=["ES256"], audience="media-service")
            for each in decisions
        )
        assert (owned["allowed"], owned["media_item_id"], owned["sub"]) == (
            True,
            "film-17",
            str(actor.user_id),
        )
        assert (refused["allowed"], refused["feature"], refused["reason"]) == (False, "hd", "NOT_PURCHASED")

    async def test_gets_a_hundred_statements_at_once(self, services: Api, actor: Actor) -> None:
        targets = [{"mediaItemId": f"film-{number}"} for number in range(100)]

        data = await services.run(TOKENS, about(actor, *targets))

        assert len({each["token"] for each in data["access"]}) == 100


class TestGatewayWithoutKeys:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"access_statement_keys": SecretStr("")})

    async def test_decides_and_signs_nothing(self, services: Api, actor: Actor) -> None:
        [decision] = (await services.run(TOKENS, about(actor, FILM)))["access"]

        assert decision == {"allowed": False, "token": None}
        assert (await services.http.get("/.well-known/jwks.json")).json() == {"keys": []}
