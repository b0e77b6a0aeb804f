"""grantAccess and revokeAccess, as admins send them."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.actor import Actor
from domain.identity import new_id
from tests.api import Api, fresh_key

ENTITLEMENT = """entitlement { id reason feature mediaItem { id access { allowed } } endsAt revokedReason
                               granter { id kind } note }
                 operation { state replayed } errors { code path }"""
NODE = "query($id: ID!) { node(id: $id) { id ... on Entitlement { reason note granter { id } } } }"


def a_grant(user: Actor, **given: Any) -> dict[str, Any]:
    return {
        "userId": str(user.user_id),
        "target": {"mediaItemId": "film-17"},
        "note": "An apology.",
        **given,
    }


@pytest.fixture
async def granted(admins: Api, actor: Actor) -> str:
    """The id of a grant to the user."""
    payload = await admins.mutate("grantAccess", a_grant(actor), "entitlement { id }")
    found: str = payload["entitlement"]["id"]
    return found


class TestGrantAccess:
    async def test_lets_the_user_in(self, admins: Api, admin: Actor, actor: Actor) -> None:
        payload = await admins.mutate("grantAccess", a_grant(actor), ENTITLEMENT)

        assert payload["errors"] == []
        assert payload["operation"] == {"state": "SUCCEEDED", "replayed": False}
        entitlement = payload["entitlement"]
        assert entitlement["mediaItem"] == {"id": "film-17", "access": {"allowed": True}}
        assert entitlement["granter"] == {"id": str(admin.user_id), "kind": "ADMIN"}
        assert (entitlement["reason"], entitlement["note"]) == ("GRANTED", "An apology.")

    async def test_with_the_same_key_does_it_once(self, admins: Api, actor: Actor) -> None:
        grant = a_grant(actor, idempotencyKey=fresh_key())

        payloads = [await admins.mutate("grantAccess", grant, ENTITLEMENT) for _ in range(2)]

        assert [each["operation"]["replayed"] for each in payloads] == [False, True]
        assert payloads[0]["entitlement"] == payloads[1]["entitlement"]

    async def test_of_another_target_under_the_same_key_names_the_field(
        self, admins: Api, actor: Actor
    ) -> None:
        key = fresh_key()
        await admins.mutate("grantAccess", a_grant(actor, idempotencyKey=key), "errors { code }")
        other = a_grant(actor, idempotencyKey=key, target={"feature": "hd"})

        payload = await admins.mutate(
            "grantAccess", other, "errors { code ... on IdempotencyError { differingFields } }"
        )

        assert payload["errors"] == [{"code": "KEY_REUSED", "differingFields": ["target"]}]

    async def test_until_a_time_that_is_over_names_the_field(self, admins: Api, actor: Actor) -> None:
        grant = a_grant(actor, endsAt="2020-01-01T00:00:00Z")

        payload = await admins.mutate("grantAccess", grant, ENTITLEMENT)

        assert payload["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "endsAt"]}]

    async def test_of_a_name_that_nothing_has_names_the_field(self, admins: Api, actor: Actor) -> None:
        grant = a_grant(actor, target={"mediaItemId": "x" * 65})

        payload = await admins.mutate("grantAccess", grant, ENTITLEMENT)

        assert payload["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "target", "mediaItemId"]}]

    async def test_is_for_admins(
        self, api: Api, supports: Api, services: Api, actor: Actor, contents: Callable[[], Any]
    ) -> None:
        before = await contents()

        for caller in (api, supports, services):
            assert await caller.codes("grantAccess", a_grant(actor)) == ["FORBIDDEN"]

        assert await contents() == before


class TestRevokeAccess:
    async def test_shuts_the_user_out(self, admins: Api, granted: str) -> None:
        given = {"entitlementId": granted, "note": "A mistake."}

        payload = await admins.mutate("revokeAccess", given, ENTITLEMENT)

        assert payload["errors"] == []
        assert payload["entitlement"]["revokedReason"] == "NOT_PURCHASED"
        assert payload["entitlement"]["mediaItem"]["access"] == {"allowed": False}

    async def test_leaves_what_was_bought(self, admins: Api, api: Api) -> None:
        await api.add_card()
        await api.pay(mediaItemId="film-17")
        owned = await api.run("{ viewer { entitlements { id } } }")
        [entitlement] = owned["viewer"]["entitlements"]

        payload = await admins.mutate(
            "revokeAccess",
            {"entitlementId": entitlement["id"], "note": "Because."},
            "entitlement { id } errors { code path ... on StateConflictError { current allowed } }",
        )

        assert payload == {
            "entitlement": None,
            "errors": [
                {
                    "code": "STATE_CONFLICT",
                    "path": ["input", "entitlementId"],
                    "current": "PURCHASE",
                    "allowed": [],
                }
            ],
        }

    async def test_is_for_admins(self, api: Api, supports: Api, services: Api, granted: str) -> None:
        given = {"entitlementId": granted, "note": "Because."}

        for caller in (api, supports, services):
            assert await caller.codes("revokeAccess", given) == ["FORBIDDEN"]

    async def test_of_nothing_is_not_found(self, admins: Api) -> None:
        for unknown in (f"ent_{new_id().hex}", f"pay_{new_id().hex}", "nonsense"):
            given = {"entitlementId": unknown, "note": "Because."}
            assert await admins.codes("revokeAccess", given) == ["NOT_FOUND"]


class TestNode:
    async def test_shows_the_user_their_own_and_not_who_gave_it(self, api: Api, granted: str) -> None:
        data = await api.run(NODE, {"id": granted})

        assert data["node"] == {"id": granted, "reason": "GRANTED", "note": None, "granter": None}

    async def test_of_another_user_is_not_found(self, others: Api, services: Api, granted: str) -> None:
        assert await others.refusals(NODE, {"id": granted}) == ["NOT_FOUND"]
        assert await services.refusals(NODE, {"id": granted}) == ["NOT_FOUND"]

    async def test_of_anybody_is_shown_to_support(self, supports: Api, admin: Actor, granted: str) -> None:
        node = (await supports.run(NODE, {"id": granted}))["node"]

        assert node["granter"] == {"id": str(admin.user_id)}
        assert node["note"] == "An apology."
