from typing import Any

import pytest

from domain.actor import Actor
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.gql.disputing import disputed_by_its_bank
from tests.news import deliver_news

REFUND = """refund {
    id uuid status reason note failureReason origin revokesAccess createdAt updatedAt
    amount { minor currency } createdBy { kind id } payment { id }
}"""
PAYMENT = """payment {
    id status actions refundedAmount { minor } refundPendingAmount { minor } refundableAmount { minor }
    refunds { id } disputes { id }
}"""
ERRORS = """errors {
    __typename code retry path
    ... on AmountError { minimum { minor } maximum { minor } }
    ... on StateConflictError { current allowed }
    ... on ProviderError { outcomeKnown }
}"""
SEEN = """query($id: ID!) { payment(id: $id) {
    refunds { id status amount { minor } note failureReason createdBy { kind id } origin }
} }"""

TOLD = """query($id: ID!) { payment(id: $id) {
    refunds { timeline { nodes { type summary changes actor { kind id } } } }
} }"""


@pytest.fixture
async def paid(others: Api) -> str:
    """A user's payment of 12.50 EUR."""
    await others.add_card()
    identity: str = (await others.pay())["id"]
    return identity


def euros(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


async def refunded(admins: Api, payment: str, **given: Any) -> dict[str, Any]:
    wanted = {"idempotencyKey": fresh_key(), "paymentId": payment, "reason": "GOODWILL", **given}
    selection = f"{REFUND} {PAYMENT} {ERRORS} operation {{ state resource {{ id }} }}"
    return await admins.mutate("refundPayment", wanted, selection)


class TestRefundPayment:
    async def test_shows_the_refund_and_what_is_left(self, admins: Api, admin: Actor, paid: str) -> None:
        payload = await refunded(admins, paid, amount=euros(250), note="Cold coffee", revokeAccess=False)

        refund, payment = payload["refund"], payload["payment"]
        assert (refund["status"], refund["reason"]) == ("SUCCEEDED", "GOODWILL")
        assert (refund["origin"], refund["revokesAccess"]) == ("API", False)
        assert (refund["amount"], refund["note"]) == (euros(250), "Cold coffee")
        assert refund["createdBy"] == {"kind": "ADMIN", "id": str(admin.user_id)}
        assert refund["payment"] == {"id": paid}
        assert refund["id"] == f"rfd_{refund['uuid'].replace('-', '')}"
        assert (payment["status"], payment["actions"]) == ("PARTIALLY_REFUNDED", ["REFUND"])
        assert payment["refundedAmount"] == {"minor": 250}
        assert payment["refundableAmount"] == {"minor": 1000}
        assert payment["refunds"] == [{"id": refund["id"]}]
        assert payload["operation"] == {"state": "SUCCEEDED", "resource": {"id": refund["id"]}}
        assert payload["errors"] == []

    async def test_without_an_amount_gives_back_all_that_is_left(self, admins: Api, paid: str) -> None:
        await refunded(admins, paid, amount=euros(250))

        payload = await refunded(admins, paid)

        assert payload["refund"]["amount"] == euros(1000)
        assert (payload["payment"]["status"], payload["payment"]["actions"]) == ("REFUNDED", [])

    async def test_of_more_than_is_left_tells_how_much_that_is(self, admins: Api, paid: str) -> None:
        await refunded(admins, paid, amount=euros(250))

        payload = await refunded(admins, paid, amount=euros(1001))

        [error] = payload["errors"]
        assert (error["code"], error["retry"]) == ("AMOUNT_OUT_OF_RANGE", "SAME_KEY")
        assert error["path"] == ["input", "amount", "minor"]
        assert (error["minimum"], error["maximum"]) == ({"minor": 1}, {"minor": 1000})
        assert (payload["refund"], payload["payment"], payload["operation"]) == (None, None, None)

    async def test_in_another_currency_is_refused(self, admins: Api, paid: str) -> None:
        payload = await refunded(admins, paid, amount={"minor": 100, "currency": "USD"})

        assert [(each["code"], each["path"]) for each in payload["errors"]] == [
            ("CURRENCY_RULE", ["input", "amount", "currency"])
        ]

    async def test_of_an_open_payment_is_a_conflict(self, admins: Api, others: Api, paid: str) -> None:
        open_ = await others.pay(confirm=False)

        payload = await refunded(admins, open_["id"])

        [error] = payload["errors"]
        assert (error["code"], error["retry"]) == ("STATE_CONFLICT", "NEVER")
        assert (error["current"], error["allowed"]) == ("PENDING", ["CONFIRM", "CANCEL"])

    async def test_of_a_disputed_payment_says_so(
        self, admins: Api, paid: str, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await disputed_by_its_bank(gateway, sandbox, paid)

        payload = await refunded(admins, paid)

        assert [(each["code"], each["retry"]) for each in payload["errors"]] == [("DISPUTED", "NEVER")]

    async def test_that_stripe_refuses_is_failed_and_told(
        self, admins: Api, paid: str, sandbox: Sandbox
    ) -> None:
        [intent] = sandbox.objects.all("payment_intent")
        sandbox.dispute(intent["id"])  # We have not heard of it.

        payload = await refunded(admins, paid)

        [error] = payload["errors"]
        assert (error["code"], error["retry"], error["outcomeKnown"]) == ("PROVIDER_REFUSED", "NEW_KEY", True)
        assert payload["refund"]["status"] == "FAILED"
        assert payload["refund"]["failureReason"] == "charge_disputed"
        assert payload["payment"]["refundableAmount"] == {"minor": 1250}

    async def test_with_the_same_key_and_another_note_names_what_differs(
        self, admins: Api, paid: str
    ) -> None:
        key = fresh_key()
        await refunded(admins, paid, amount=euros(100), idempotencyKey=key)

        wanted = {
            "idempotencyKey": key,
            "paymentId": paid,
            "reason": "OTHER",
            "revokeAccess": False,
            "amount": euros(200),
        }
        payload = await admins.mutate(
            "refundPayment", wanted, "errors { code ... on IdempotencyError { differingFields } }"
        )

        [error] = payload["errors"]
        assert error["code"] == "KEY_REUSED"
        assert sorted(error["differingFields"]) == ["amount", "reason", "revokeAccess"]


class TestRefund:
    async def test_shows_its_owner_neither_notes_nor_staff(
        self, admins: Api, others: Api, paid: str, sandbox: Sandbox
    ) -> None:
        [intent] = sandbox.objects.all("payment_intent")
        await refunded(admins, paid, amount=euros(100), note="A thief, we think")
        sandbox.dispute(intent["id"])
        await refunded(admins, paid)

        seen = (await others.run(SEEN, {"id": paid}))["payment"]["refunds"]

        assert [refund["status"] for refund in seen] == ["SUCCEEDED", "FAILED"]
        assert {refund["note"] for refund in seen} == {None}
        assert {refund["failureReason"] for refund in seen} == {None}
        assert seen[0]["createdBy"] == {"kind": "ADMIN", "id": None}

    async def test_tells_its_story_and_its_owner_not_who_of_the_staff_or_what_they_said(
        self, admins: Api, others: Api, supports: Api, admin: Actor, paid: str
    ) -> None:
        await refunded(admins, paid, amount=euros(100), note="A thief, we think")

        [told] = (await others.run(TOLD, {"id": paid}))["payment"]["refunds"]
        [seen] = (await supports.run(TOLD, {"id": paid}))["payment"]["refunds"]

        asked, given = told["timeline"]["nodes"]
        assert [asked["type"], given["type"]] == ["refund.requested", "refund.succeeded"]
        assert asked["changes"]["reason"] == {"before": None, "after": "GOODWILL"}
        assert given["summary"] == "The money was given back."
        assert asked["actor"] == {"kind": "ADMIN", "id": None}
        assert "thief" not in str(told)
        first = seen["timeline"]["nodes"][0]
        assert (first["actor"]["id"], first["changes"]["note"]) == (str(admin.user_id), "A thief, we think")

    async def test_made_in_the_dashboard_was_created_by_nobody_here(
        self, supports: Api, paid: str, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        [intent] = sandbox.objects.all("payment_intent")
        sandbox.refund(intent["id"], amount=300)
        await deliver_news(sandbox, gateway)

        [refund] = (await supports.run(SEEN, {"id": paid}))["payment"]["refunds"]

        assert (refund["origin"], refund["createdBy"]) == ("STRIPE_DASHBOARD", None)
        assert refund["amount"] == {"minor": 300}
