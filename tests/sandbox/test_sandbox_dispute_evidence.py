from typing import Any, cast

import pytest
from stripe import Dispute, InvalidRequestError, StripeClient
from stripe.params import DisputeUpdateParams

from sandbox import Sandbox
from tests.sandbox.payments import event_types, pay, previous_attributes
from tests.sandbox.test_sandbox_disputes import dispute_of


@pytest.fixture
async def dispute(client: StripeClient) -> Dispute:
    return await dispute_of(client, await pay(client, payment_method="pm_card_createDispute"))


@pytest.fixture
async def inquiry(client: StripeClient) -> Dispute:
    return await dispute_of(client, await pay(client, payment_method="pm_card_createDisputeInquiry"))


def words(text: str, **settings: Any) -> DisputeUpdateParams:
    return cast("DisputeUpdateParams", {"evidence": {"uncategorized_text": text}, **settings})


class TestSubmit:
    async def test_hands_the_evidence_to_the_bank(self, client: StripeClient, dispute: Dispute) -> None:
        submitted = await client.v1.disputes.update_async(
            dispute.id, {"evidence": {"customer_name": "Ada", "product_description": "A book"}}
        )

        assert submitted.status == "under_review"
        assert submitted.evidence.customer_name == "Ada"
        details = submitted.evidence_details
        assert (details.has_evidence, details.submission_count, details.past_due) == (True, 1, False)
        assert (await event_types(client))[-1] == "charge.dispute.updated"
        assert await previous_attributes(client, "charge.dispute.updated") == {
            "evidence": {"customer_name": None, "product_description": None},
            "evidence_details": {
                "has_evidence": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "status": "needs_response",
        }

    async def test_is_possible_once(self, client: StripeClient, dispute: Dispute) -> None:
        await client.v1.disputes.update_async(dispute.id, words("It arrived."))

        with pytest.raises(InvalidRequestError):
            await client.v1.disputes.update_async(dispute.id, words("It did."))

        again = await client.v1.disputes.retrieve_async(dispute.id)
        assert again.evidence.uncategorized_text == "It arrived."
        assert again.evidence_details.submission_count == 1

    async def test_is_refused_after_the_deadline(
        self, client: StripeClient, sandbox: Sandbox, dispute: Dispute
    ) -> None:
        assert dispute.evidence_details.due_by is not None
        sandbox.clock.advance(dispute.evidence_details.due_by - sandbox.clock.now() + 60)

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.disputes.update_async(dispute.id, words("winning_evidence"))

        assert refused.value.param == "evidence"
        assert (await client.v1.disputes.retrieve_async(dispute.id)).status == "needs_response"

    async def test_is_refused_once_it_is_decided(
        self, client: StripeClient, sandbox: Sandbox, dispute: Dispute
    ) -> None:
        sandbox.decide_dispute(dispute.id, "won")

        with pytest.raises(InvalidRequestError):
            await client.v1.disputes.update_async(dispute.id, words("It arrived."))

    async def test_takes_so_much_text_and_no_more(self, client: StripeClient, dispute: Dispute) -> None:
        long_fields = (
            "access_activity_log",
            "cancellation_policy_disclosure",
            "cancellation_rebuttal",
            "duplicate_charge_explanation",
            "product_description",
            "refund_policy_disclosure",
            "refund_refusal_explanation",
            "uncategorized_text",
        )
        evidence: Any = dict.fromkeys(long_fields, "x" * 20_000)

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.disputes.update_async(dispute.id, {"evidence": evidence})

        assert refused.value.param == "evidence"
        del evidence["uncategorized_text"]
        submitted = await client.v1.disputes.update_async(dispute.id, {"evidence": evidence})
        assert submitted.status == "under_review"


class TestStage:
    async def test_keeps_the_evidence_until_it_is_submitted(
        self, client: StripeClient, dispute: Dispute
    ) -> None:
        staged = await client.v1.disputes.update_async(dispute.id, words("It arrived.", submit=False))
        submitted = await client.v1.disputes.update_async(dispute.id, {"submit": True})

        assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
        assert staged.evidence_details.submission_count == 0
        assert (submitted.status, submitted.evidence.uncategorized_text) == ("under_review", "It arrived.")

    async def test_takes_evidence_back(self, client: StripeClient, dispute: Dispute) -> None:
        await client.v1.disputes.update_async(dispute.id, words("It arrived.", submit=False))

        emptied = await client.v1.disputes.update_async(dispute.id, words("", submit=False))

        assert emptied.evidence.uncategorized_text is None
        assert not emptied.evidence_details.has_evidence

    async def test_metadata_alone_submits_nothing(self, client: StripeClient, dispute: Dispute) -> None:
        updated = await client.v1.disputes.update_async(dispute.id, {"metadata": {"case": "17"}})

        assert (updated.status, updated.metadata["case"]) == ("needs_response", "17")


class TestTestEvidence:
    """The texts that decide a dispute in Stripe's test mode."""

    async def test_wins_and_brings_the_money_back_without_the_fee(
        self, client: StripeClient, dispute: Dispute
    ) -> None:
        answer = await client.v1.disputes.update_async(dispute.id, words("winning_evidence"))

        won = await client.v1.disputes.retrieve_async(dispute.id)
        assert (answer.status, won.status) == ("under_review", "won")
        assert [transaction.net for transaction in won.balance_transactions] == [-3500, 2000]
        assert (await event_types(client))[-3:] == [
            "charge.dispute.updated",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]

    async def test_a_won_charge_can_be_refunded_again(self, client: StripeClient, dispute: Dispute) -> None:
        await client.v1.disputes.update_async(dispute.id, words("winning_evidence"))

        refund = await client.v1.refunds.create_async({"charge": str(dispute.charge)})

        assert refund.amount == 2000
        assert (await client.v1.charges.retrieve_async(str(dispute.charge))).disputed

    async def test_loses(self, client: StripeClient, dispute: Dispute) -> None:
        await client.v1.disputes.update_async(dispute.id, words("losing_evidence"))

        lost = await client.v1.disputes.retrieve_async(dispute.id)
        assert (lost.status, len(lost.balance_transactions)) == ("lost", 1)

    @pytest.mark.parametrize("text", ["winning_evidence", "losing_evidence"])
    async def test_closes_an_inquiry(self, client: StripeClient, inquiry: Dispute, text: str) -> None:
        answer = await client.v1.disputes.update_async(inquiry.id, words(text))

        closed = await client.v1.disputes.retrieve_async(inquiry.id)
        assert (answer.status, closed.status) == ("warning_under_review", "warning_closed")
        assert closed.balance_transactions == []

    async def test_escalates_an_inquiry(self, client: StripeClient, inquiry: Dispute) -> None:
        await client.v1.disputes.update_async(inquiry.id, words("escalate_inquiry_evidence"))

        escalated = await client.v1.disputes.retrieve_async(inquiry.id)
        assert (escalated.status, escalated.is_charge_refundable) == ("needs_response", False)
        assert [transaction.net for transaction in escalated.balance_transactions] == [-3500]
        assert escalated.payment_method_details is not None
        assert escalated.payment_method_details.card is not None
        assert escalated.payment_method_details.card.case_type == "chargeback"
        assert escalated.payment_method_details.card.network_reason_code == "10.4"
