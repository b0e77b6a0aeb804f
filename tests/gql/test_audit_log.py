"""What admins see of everybody's doings."""

from typing import Any

import pytest

from domain.actor import Actor
from domain.audit import GENESIS
from tests.api import Api
from tests.gql.belongings import Belongings

ENTRIES = """query($objectId: ID, $actorId: ID, $first: Int, $after: String) {
    auditLog(objectId: $objectId, actorId: $actorId, first: $first, after: $after) {
        nodes {
            id action note requestId ip at hash previousHash before after
            actor { kind id } object { __typename id }
        }
        edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage endCursor }
    }
}"""
NODE = "query($id: ID!) { node(id: $id) { id ... on AuditEntry { action } } }"


async def log(admins: Api, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await admins.run(ENTRIES, asked))["auditLog"]
    return found


class TestAuditLog:
    async def test_tells_who_did_what_to_which_object_from_where(
        self, admins: Api, others: Api, other_actor: Actor
    ) -> None:
        await others.add_card()
        payment = await others.pay()

        settled, created = (await log(admins, objectId=payment["id"]))["nodes"]

        assert [created["action"], settled["action"]] == ["payment.created", "payment.completed"]
        assert created["actor"] == {"kind": "USER", "id": str(other_actor.user_id)}
        assert created["object"] == {"__typename": "Payment", "id": payment["id"]}
        assert (created["ip"], len(created["requestId"])) == ("127.0.0.1", 36)
        assert (created["before"], created["after"]["amount"]) == (None, 1250)
        assert settled["before"]["status"] == "PENDING"
        assert settled["after"]["status"] == "COMPLETED"
        assert created["previousHash"] == GENESIS
        assert settled["previousHash"] == created["hash"]

    async def test_spells_names_as_the_api_does(self, admins: Api, others: Api) -> None:
        await others.add_card("pm_card_chargeCustomerFail")
        payment = await others.pay()

        [failed, _] = (await log(admins, objectId=payment["id"]))["nodes"]

        assert failed["before"]["declineCode"] is None
        [failure] = failed["after"]["failures"]
        assert failure["code"] == failed["after"]["declineCode"] == "generic_decline"
        assert failure["chargeId"] == failed["after"]["processorChargeId"]

    async def test_keeps_what_was_said(self, admins: Api, others: Api) -> None:
        await others.add_card()
        payment = await others.pay(confirm=False)
        given = {"idempotencyKey": "key-12345", "paymentId": payment["id"], "reason": "Ordered twice"}
        await others.mutate("cancelPayment", given, "errors { code }")

        entries = (await log(admins, objectId=payment["id"]))["nodes"]

        [said] = [entry for entry in entries if entry["action"] == "payment.cancelling"]
        assert (said["note"], said["before"], said["after"]) == ("Ordered twice", {}, {})

    async def test_of_an_account_tells_how_it_came_to_be(
        self, admins: Api, theirs: Belongings, other_actor: Actor
    ) -> None:
        entries = (await log(admins, objectId=theirs.account))["nodes"]

        [opened] = entries
        assert opened["action"] == "billing_account.opened"
        assert opened["actor"]["id"] == str(other_actor.user_id)
        assert opened["object"]["id"] == theirs.account
        assert opened["after"]["processorCustomerId"].startswith("cus_")

    async def test_pages_from_the_newest_to_the_oldest(self, admins: Api, theirs: Belongings) -> None:
        everything = (await log(admins, first=100))["nodes"]

        seen: list[str] = []
        page = await log(admins, first=5)
        while True:
            seen += [edge["node"]["id"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            page = await log(admins, first=5, after=page["pageInfo"]["endCursor"])

        assert seen == [entry["id"] for entry in everything]
        assert len(seen) > 10
        assert everything[-1]["action"] == "billing_account.opened"

    async def test_of_an_actor_is_what_they_did(
        self, admins: Api, api: Api, actor: Actor, theirs: Belongings
    ) -> None:
        await api.add_card()

        entries = (await log(admins, actorId=str(actor.user_id)))["nodes"]

        assert {entry["actor"]["id"] for entry in entries} == {str(actor.user_id)}
        assert [entry["action"] for entry in entries] == [
            "payment_method.made_default",
            "payment_method.added",
            "billing_account.opened",
        ]

    async def test_entry_is_found_again_by_its_id(self, admins: Api, theirs: Belongings) -> None:
        [entry] = (await log(admins, first=1))["nodes"]

        assert entry["id"].startswith("evt_")
        found = (await admins.run(NODE, {"id": entry["id"]}))["node"]
        assert found == {"id": entry["id"], "action": entry["action"]}

    @pytest.mark.parametrize("caller", ["others", "supports", "services"])
    async def test_is_for_admins_only(
        self, caller: str, admins: Api, theirs: Belongings, request: pytest.FixtureRequest
    ) -> None:
        other: Api = request.getfixturevalue(caller)
        [entry] = (await log(admins, first=1))["nodes"]

        assert await other.refusals(ENTRIES) == ["FORBIDDEN"]
        assert await other.refusals(NODE, {"id": entry["id"]}) == ["FORBIDDEN"]

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"objectId": "opr_" + "0" * 32}, "NOT_FOUND"),
            ({"objectId": "nonsense"}, "NOT_FOUND"),
            ({"actorId": "nobody"}, "NOT_FOUND"),
            ({"first": 101}, "INVALID_INPUT"),
            ({"after": "nonsense"}, "INVALID_INPUT"),
        ],
    )
    async def test_refuses_what_names_nothing(self, admins: Api, asked: dict[str, Any], code: str) -> None:
        assert await admins.refusals(ENTRIES, asked) == [code]
