"""What happens outside the API: at the merchant's Dashboard, and at the cardholder's bank."""

from typing import Any

import httpx2
import pytest
from stripe import PaymentIntent, StripeClient

from sandbox import Sandbox
from sandbox.api.errors import StripeError
from tests.sandbox.payments import current_charge, event_types, pay
from tests.sandbox.test_sandbox_disputes import dispute_of


@pytest.fixture
async def intent(client: StripeClient) -> PaymentIntent:
    return await pay(client)


class TestRefund:
    async def test_is_made_without_our_metadata_and_under_no_key(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        intent = await pay(client, metadata={"payment": "17"})

        made = await http.post(
            "/_sandbox/refunds", json={"payment_intent": intent.id, "amount": 500, "reason": "duplicate"}
        )

        refund = await client.v1.refunds.retrieve_async(made.json()["id"])
        assert (refund.amount, refund.reason, refund.status) == (500, "duplicate", "succeeded")
        assert refund.metadata is not None
        assert refund.metadata.to_dict() == {}
        assert sandbox.ledger()["payment_intents"][0]["refunds"][0]["idempotency_keys"] == []
        event = (await client.v1.events.list_async({"type": "refund.created"})).data[0]
        assert event.request is not None
        assert event.request.id is None

    async def test_can_be_settled_at_will(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox
    ) -> None:
        intent = await pay(client, payment_method="pm_card_pendingRefund")
        refund = sandbox.refund(intent.id)
        assert refund["status"] == "pending"

        succeeded = await http.post(f"/_sandbox/refunds/{refund['id']}", json={"status": "succeeded"})
        failed = sandbox.decide_refund(refund["id"], "failed", failure_reason="lost_or_stolen_card")

        assert succeeded.json()["status"] == "succeeded"
        assert (failed["status"], failed["failure_reason"]) == ("failed", "lost_or_stolen_card")
        assert (await current_charge(client, intent)).amount_refunded == 0

    @pytest.mark.parametrize("status", ["failed", "succeeded", "canceled", "pending"])
    async def test_a_failed_one_stays_failed(
        self, sandbox: Sandbox, intent: PaymentIntent, status: str
    ) -> None:
        refund = sandbox.refund(intent.id)
        sandbox.decide_refund(refund["id"], "failed")

        with pytest.raises(StripeError):
            sandbox.decide_refund(refund["id"], status)

    async def test_is_refused_as_the_api_refuses_it(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        sandbox.refund(intent.id)

        again = await http.post("/_sandbox/refunds", json={"payment_intent": intent.id})
        unknown = await http.post("/_sandbox/refunds", json={"payment_intent": "pi_none"})

        assert (again.status_code, again.json()["error"]["code"]) == (400, "charge_already_refunded")
        assert unknown.status_code == 404


class TestGuards:
    async def test_over_refunds_go_through_once_the_guard_is_off(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        shown = await http.post("/_sandbox/guards", json={"over_refunds": False})
        for _ in range(2):
            await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1200})
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert shown.json() == {"over_refunds": False}
        assert sandbox.ledger()["totals"]["amount_refunded"] == {"usd": 4400}
        charge = await current_charge(client, intent)
        assert (charge.amount_refunded, charge.refunded) == (4400, True)

    async def test_are_on_unless_turned_off(self, sandbox: Sandbox, intent: PaymentIntent) -> None:
        sandbox.guards.over_refunds = False
        sandbox.guards.over_refunds = True

        with pytest.raises(StripeError):
            sandbox.refund(intent.id, amount=2001)


class TestDispute:
    async def test_is_opened_at_will(
        self, client: StripeClient, http: httpx2.AsyncClient, intent: PaymentIntent
    ) -> None:
        opened = await http.post(
            "/_sandbox/disputes",
            json={"payment_intent": intent.id, "reason": "duplicate", "amount": 700, "inquiry": False},
        )

        dispute = await dispute_of(client, intent)
        assert opened.json()["id"] == dispute.id
        assert (dispute.reason, dispute.amount, dispute.status) == ("duplicate", 700, "needs_response")
        assert (await event_types(client))[-2:] == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
        ]

    async def test_claims_what_was_not_refunded(self, sandbox: Sandbox, intent: PaymentIntent) -> None:
        sandbox.refund(intent.id, amount=500)

        assert sandbox.dispute(intent.id)["amount"] == 1500

    async def test_stops_a_refund_that_was_pending(self, client: StripeClient, sandbox: Sandbox) -> None:
        intent = await pay(client, payment_method="pm_card_pendingRefund")
        refund = sandbox.refund(intent.id, amount=500)

        sandbox.dispute(intent.id)

        stopped = await client.v1.refunds.retrieve_async(refund["id"])
        charge = await current_charge(client, intent)
        assert (stopped.status, stopped.failure_reason) == ("failed", "charge_for_pending_refund_disputed")
        assert (charge.amount_refunded, charge.disputed) == (0, True)

    async def test_is_flipped_and_the_money_follows(
        self, client: StripeClient, http: httpx2.AsyncClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        dispute = sandbox.dispute(intent.id)
        before = len(await event_types(client))

        for status in ("under_review", "won", "lost", "won"):
            answer = await http.post(f"/_sandbox/disputes/{dispute['id']}", json={"status": status})
            assert answer.json()["status"] == status

        assert (await event_types(client))[before:] == [
            "charge.dispute.updated",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.closed",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]
        nets = [transaction.net for transaction in (await dispute_of(client, intent)).balance_transactions]
        assert nets == [-3500, 2000, -2000, 2000]

    async def test_says_nothing_when_nothing_changes(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        dispute = sandbox.dispute(intent.id)
        sandbox.decide_dispute(dispute["id"], "won")
        before = await event_types(client)

        sandbox.decide_dispute(dispute["id"], "won")

        assert await event_types(client) == before

    async def test_an_inquiry_may_become_a_chargeback_and_not_return(
        self, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        inquiry = sandbox.dispute(intent.id, is_inquiry=True)
        assert inquiry["status"] == "warning_needs_response"

        assert sandbox.decide_dispute(inquiry["id"], "needs_response")["balance_transactions"]

        with pytest.raises(StripeError):
            sandbox.decide_dispute(inquiry["id"], "warning_closed")

    async def test_needs_a_captured_charge(self, client: StripeClient, sandbox: Sandbox) -> None:
        held = await pay(client, capture_method="manual")

        with pytest.raises(StripeError):
            sandbox.dispute(held.id)

    async def test_shows_in_the_ledger(self, sandbox: Sandbox, intent: PaymentIntent) -> None:
        dispute = sandbox.dispute(intent.id, reason="product_not_received")

        ledger = sandbox.ledger()

        assert ledger["totals"]["disputes"] == 1
        assert ledger["payment_intents"][0]["disputes"] == [
            {
                "id": dispute["id"],
                "amount": 2000,
                "status": "needs_response",
                "reason": "product_not_received",
                "balance": -3500,
            }
        ]


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("refunds", {}),
            ("refunds", {"payment_intent": 17}),
            ("refunds", {"payment_intent": "pi_1", "amount": 0}),
            ("refunds", {"payment_intent": "pi_1", "amount": "5"}),
            ("refunds", {"payment_intent": "pi_1", "tip": 5}),
            ("disputes", {"payment_intent": "pi_1", "reason": "bad_weather"}),
            ("disputes", {"payment_intent": "pi_1", "inquiry": "yes"}),
            ("disputes/du_1", {}),
            ("guards", {"over_refunds": 0}),
        ],
    )
    async def test_malformed_ones_are_refused(
        self, http: httpx2.AsyncClient, path: str, body: dict[str, Any]
    ) -> None:
        answer = await http.post(f"/_sandbox/{path}", json=body)

        assert answer.status_code == 400

    @pytest.mark.parametrize(("path", "status"), [("refunds/re_none", "failed"), ("disputes/du_none", "won")])
    async def test_unknown_objects_are_404(self, http: httpx2.AsyncClient, path: str, status: str) -> None:
        assert (await http.post(f"/_sandbox/{path}", json={"status": status})).status_code == 404

    async def test_unknown_statuses_are_refused(
        self, http: httpx2.AsyncClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        dispute = sandbox.dispute(intent.id)

        answer = await http.post(f"/_sandbox/disputes/{dispute['id']}", json={"status": "forgotten"})

        assert answer.status_code == 400
