from typing import Any

import pytest

from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.gql.disputing import disputed_by_its_bank
from tests.gql.many_of_each import MANY, many_of_each

DISPUTE = """id status reason evidenceDueBy evidenceSubmittedAt accessSuspended createdAt
    amount { minor } payment { id refundableAmount { minor } } history { status at }"""
OF_PAYMENT = f"query($id: ID!) {{ payment(id: $id) {{ disputes {{ {DISPUTE} }} }} }}"
DRAFT = "query($id: ID!) { dispute(id: $id) { id evidenceDraft } }"
TOLD = "query($id: ID!) { dispute(id: $id) { timeline { nodes { type summary changes } } } }"
LISTED = """query($status: [DisputeStatus!], $first: Int, $after: String) {
    disputes(status: $status, first: $first, after: $after) {
        nodes { id status } pageInfo { hasNextPage endCursor }
    }
}"""
DISPUTED = "query { payments(filter: { disputed: true }) { nodes { id } } }"
ERRORS = "errors { code path retry ... on SimpleError { constraint } ... on StateConflictError { current } }"


@pytest.fixture
async def paid(others: Api) -> str:
    """A user's payment of 12.50 EUR."""
    await others.add_card()
    identity: str = (await others.pay(description="Film: The Quiet Harbour"))["id"]
    return identity


@pytest.fixture
async def dispute(others: Api, paid: str, gateway: Gateway, sandbox: Sandbox) -> str:
    await disputed_by_its_bank(gateway, sandbox, paid)
    identity: str = (await others.run(OF_PAYMENT, {"id": paid}))["payment"]["disputes"][0]["id"]
    return identity


async def answered(admins: Api, dispute: str, evidence: dict[str, Any], **given: Any) -> dict[str, Any]:
    wanted = {"disputeId": dispute, "evidence": evidence, **given}
    selection = f"dispute {{ {DISPUTE} evidenceDraft }} {ERRORS} operation {{ resource {{ id }} }}"
    return await admins.mutate("submitDisputeEvidence", wanted, selection)


class TestDispute:
    async def test_is_seen_by_its_payer(self, others: Api, paid: str, dispute: str) -> None:
        [seen] = (await others.run(OF_PAYMENT, {"id": paid}))["payment"]["disputes"]

        assert (seen["id"], seen["status"], seen["reason"]) == (dispute, "NEEDS_RESPONSE", "fraudulent")
        assert (seen["amount"], seen["accessSuspended"]) == ({"minor": 1250}, True)
        assert seen["payment"] == {"id": paid, "refundableAmount": {"minor": 0}}
        assert [change["status"] for change in seen["history"]] == ["NEEDS_RESPONSE"]
        assert seen["evidenceDueBy"] > seen["createdAt"]

    async def test_tells_its_story(self, others: Api, admins: Api, dispute: str) -> None:
        await answered(admins, dispute, {"customerName": "Ann Reader"}, final=True)

        events = (await others.run(TOLD, {"id": dispute}))["dispute"]["timeline"]["nodes"]

        assert events[0]["type"] == "dispute.needs_response"
        assert events[0]["changes"]["reason"] == {"before": None, "after": "fraudulent"}
        assert events[-1]["type"] == "dispute.under_review"
        assert events[-1]["summary"] == "The payer's bank is looking at the evidence."
        assert events[-1]["changes"]["evidenceSubmittedAt"]["after"] is not None
        assert "Reader" not in str(events)

    async def test_is_found_among_the_disputed_payments(
        self, others: Api, admins: Api, paid: str, dispute: str
    ) -> None:
        await others.pay()

        for caller in (others, admins):
            assert (await caller.run(DISPUTED))["payments"]["nodes"] == [{"id": paid}]

    async def test_shows_its_evidence_to_admins(self, admins: Api, dispute: str) -> None:
        draft = (await admins.run(DRAFT, {"id": dispute}))["dispute"]["evidenceDraft"]

        assert draft["productDescription"] == "Film: The Quiet Harbour"
        assert draft["customerPurchaseIp"] == "127.0.0.1"
        assert draft.keys() == {
            "customerPurchaseIp",
            "productDescription",
            "serviceDate",
            "uncategorizedText",
        }

    @pytest.mark.parametrize("caller", ["others", "supports"])
    async def test_shows_its_evidence_to_nobody_else(
        self, caller: str, dispute: str, request: pytest.FixtureRequest
    ) -> None:
        body = await request.getfixturevalue(caller).answer(DRAFT, {"id": dispute})

        assert body["data"]["dispute"] == {"id": dispute, "evidenceDraft": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


class TestDisputes:
    async def test_are_for_support_and_admins(
        self, supports: Api, admins: Api, others: Api, services: Api, dispute: str
    ) -> None:
        for caller in (supports, admins):
            nodes = (await caller.run(LISTED))["disputes"]["nodes"]
            assert nodes == [{"id": dispute, "status": "NEEDS_RESPONSE"}]
        for caller in (others, services):
            assert await caller.refusals(LISTED) == ["FORBIDDEN"]

    async def test_are_narrowed_by_status(self, supports: Api, dispute: str) -> None:
        for status, number in ((["NEEDS_RESPONSE", "LOST"], 1), (["WON"], 0), ([], 0)):
            found = await supports.run(LISTED, {"status": status})
            assert len(found["disputes"]["nodes"]) == number

    async def test_come_in_pages_the_newest_first(self, supports: Api, gateway: Gateway) -> None:
        made = (await many_of_each(gateway.services.database))["Dispute"]
        seen: list[str] = []
        page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}

        while page["pageInfo"]["hasNextPage"]:
            asked = {"first": 7, "after": page["pageInfo"]["endCursor"], "status": ["WON"]}
            page = (await supports.run(LISTED, asked))["disputes"]
            seen += [node["id"] for node in page["nodes"]]

        assert len(seen) == MANY
        assert seen == sorted(made, reverse=True)  # Made at once, so that ids decide.


class TestSubmitDisputeEvidence:
    @pytest.mark.parametrize("name", ["customerName", "customer_name"])
    async def test_takes_both_spellings_and_shows_one(
        self, admins: Api, dispute: str, sandbox: Sandbox, name: str
    ) -> None:
        payload = await answered(admins, dispute, {name: "Ada"})

        assert payload["errors"] == []
        assert payload["dispute"]["evidenceDraft"]["customerName"] == "Ada"
        assert payload["dispute"]["evidenceSubmittedAt"] is None
        assert payload["operation"] == {"resource": {"id": dispute}}
        [stripes] = sandbox.objects.all("dispute")
        assert stripes["evidence"]["customer_name"] == "Ada"

    async def test_that_is_final_goes_to_the_bank(self, admins: Api, dispute: str) -> None:
        payload = await answered(admins, dispute, {}, final=True)

        assert payload["dispute"]["status"] == "UNDER_REVIEW"
        assert payload["dispute"]["evidenceSubmittedAt"] is not None
        again = await answered(admins, dispute, {"customerName": "Ada"})
        assert [(each["code"], each["current"]) for each in again["errors"]] == [
            ("STATE_CONFLICT", "UNDER_REVIEW")
        ]

    @pytest.mark.parametrize(
        ("evidence", "path", "constraint"),
        [
            ({"favouriteColour": "blue"}, ["input", "evidence"], "oneOf"),
            ({"customerName": ["Ada"]}, ["input", "evidence", "customerName"], "text"),
            ({"customerPurchaseIp": "home"}, ["input", "evidence", "customerPurchaseIp"], "ipAddress"),
            ({"customerName": "4242424242424242"}, ["input", "evidence", "customerName"], "noCardNumber"),
            ({"customerName": "\0"}, ["input", "evidence", "customerName"], "noControlCharacters"),
        ],
    )
    async def test_of_what_is_no_evidence_is_refused(
        self, admins: Api, dispute: str, evidence: dict[str, Any], path: list[str], constraint: str
    ) -> None:
        [error] = (await answered(admins, dispute, evidence))["errors"]

        assert (error["code"], error["path"], error["constraint"]) == ("INVALID_INPUT", path, constraint)


class TestAcceptDispute:
    async def test_loses_it(self, admins: Api, dispute: str) -> None:
        payload = await admins.mutate(
            "acceptDispute", {"id": dispute}, f"dispute {{ status accessSuspended }} {ERRORS}"
        )

        assert payload == {"dispute": {"status": "LOST", "accessSuspended": True}, "errors": []}

    async def test_of_a_lost_one_names_its_own_field(self, admins: Api, dispute: str) -> None:
        await admins.mutate("acceptDispute", {"id": dispute}, "errors { code }")

        payload = await admins.mutate("acceptDispute", {"id": dispute, "idempotencyKey": fresh_key()}, ERRORS)

        [error] = payload["errors"]
        assert (error["code"], error["path"], error["current"]) == (
            "STATE_CONFLICT",
            ["input", "id"],
            "LOST",
        )
