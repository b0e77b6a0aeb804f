from datetime import timedelta
from typing import Any

import pytest

from domain.actor import Role
from domain.commands.disputes import AcceptDispute, SubmitDisputeEvidence
from domain.dispute import Dispute, DisputeStatus
from domain.errors import Busy, Forbidden, InvalidInput, NotFound, ProcessorRefused, StateConflict
from domain.identity import new_id
from domain.operation import OperationState
from domain.payment import Payment
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import resumed_later, spoil
from tests.domain.shopping import Post, Shopper

KEY = "dispute-17"
LOST = [Kind.ERROR_AFTER, Kind.RESET_AFTER]
"""Once stored by Stripe as its answer for ever, once on the way."""


@pytest.fixture
async def paid(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays(description="One hundred grams of beans")


@pytest.fixture
async def dispute(shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post) -> Dispute:
    sandbox.dispute(paid.processor_payment_id or "")
    await post.deliver_all()
    [dispute] = await shopper.disputes(paid)
    return dispute


@pytest.fixture
async def inquiry(shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post) -> Dispute:
    sandbox.dispute(paid.processor_payment_id or "", is_inquiry=True)
    await post.deliver_all()
    [dispute] = await shopper.disputes(paid)
    return dispute


def answer(dispute: Dispute, *, is_final: bool = False, **evidence: Any) -> SubmitDisputeEvidence:
    return SubmitDisputeEvidence(dispute_id=dispute.id, evidence=evidence, is_final=is_final)


async def now(clerk: Shopper, dispute: Dispute) -> Dispute:
    async with clerk.gateway.services.database.reads() as reads:
        found = await reads.disputes.get(dispute.id)
    assert found is not None
    return found


def at_stripe(sandbox: Sandbox, dispute: Dispute) -> dict[str, Any]:
    found = sandbox.objects.find("dispute", dispute.processor_dispute_id)
    assert found is not None
    return found


class TestSubmitDisputeEvidence:
    async def test_keeps_a_draft_here_and_at_stripe(
        self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox
    ) -> None:
        await clerk.does(answer(dispute, customer_name="Ada", access_activity_log="She drank it."))

        drafted, stripes = await now(clerk, dispute), at_stripe(sandbox, dispute)
        assert drafted.evidence_draft["customer_name"] == "Ada"
        assert drafted.evidence_draft["product_description"] == "One hundred grams of beans"
        assert (drafted.status, drafted.evidence_submitted_at) == (DisputeStatus.NEEDS_RESPONSE, None)
        assert stripes["evidence"]["customer_name"] == "Ada"
        assert stripes["evidence"]["product_description"] == "One hundred grams of beans"
        assert stripes["status"] == "needs_response"

    async def test_takes_a_text_away(self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox) -> None:
        await clerk.does(answer(dispute, customer_name="Ada"))

        await clerk.does(answer(dispute, customer_name=None))

        assert (await now(clerk, dispute)).evidence_draft["customer_name"] is None
        assert not at_stripe(sandbox, dispute)["evidence"]["customer_name"]

    async def test_hands_all_of_it_to_the_bank_when_it_is_final(
        self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox
    ) -> None:
        await clerk.does(answer(dispute, customer_name="Ada"))

        await clerk.does(answer(dispute, is_final=True))

        submitted, stripes = await now(clerk, dispute), at_stripe(sandbox, dispute)
        assert submitted.status is DisputeStatus.UNDER_REVIEW
        assert submitted.evidence_submitted_at is not None
        assert stripes["status"] == "under_review"
        assert stripes["evidence"]["customer_name"] == "Ada"

    async def test_that_convinces_the_bank_gives_the_money_back_to_us(
        self, clerk: Shopper, dispute: Dispute, post: Post, paid: Payment
    ) -> None:
        await clerk.does(answer(dispute, is_final=True, uncategorized_text="winning_evidence"))
        await post.deliver_all()

        assert (await now(clerk, dispute)).status is DisputeStatus.WON
        assert (await clerk.payment(paid.id)).refundable_amount == 450

    async def test_does_not_overwrite_what_was_read_meanwhile(
        self, clerk: Shopper, dispute: Dispute, post: Post, gateway: Gateway
    ) -> None:
        """The bank decided, and we heard of it, before the answer to our own call was written down."""
        command = answer(dispute, is_final=True, uncategorized_text="winning_evidence")
        told = await gateway.processor.submit_evidence(
            dispute.drafted(command.evidence, at=dispute.updated_at), is_final=True, key="opr_17"
        )
        await post.deliver_all()

        async with gateway.services.database.work() as work:
            step = gateway.services.commands.attempts.step(work, clerk.actor, dispute.updated_at)
            await command.conclude(step, dispute, told)

        assert told.status is DisputeStatus.UNDER_REVIEW
        assert (await now(clerk, dispute)).status is DisputeStatus.WON

    async def test_answers_an_inquiry_and_then_its_chargeback(
        self, clerk: Shopper, inquiry: Dispute, sandbox: Sandbox, post: Post
    ) -> None:
        await clerk.does(answer(inquiry, is_final=True))
        answered = await now(clerk, inquiry)
        with pytest.raises(StateConflict):
            await clerk.does(answer(inquiry, is_final=True))
        sandbox.decide_dispute(inquiry.processor_dispute_id, "needs_response")
        await post.deliver_all()

        await clerk.does(answer(inquiry, is_final=True))

        assert answered.status is DisputeStatus.INQUIRY
        assert answered.evidence_submitted_at is not None
        assert (await now(clerk, inquiry)).status is DisputeStatus.UNDER_REVIEW

    @pytest.mark.parametrize(
        ("evidence", "path", "constraint"),
        [
            ({"receipt": "file_1"}, ("evidence",), "oneOf"),
            ({"4242424242424242": "x"}, ("evidence",), "oneOf"),
            ({"customer_name": 17}, ("evidence", "customer_name"), "text"),
            ({"customer_name": "x" * 1001}, ("evidence", "customer_name"), "maxLength"),
            ({"uncategorized_text": "x" * 20_001}, ("evidence", "uncategorized_text"), "maxLength"),
            (
                {"uncategorized_text": "4242 4242 4242 4242"},
                ("evidence", "uncategorized_text"),
                "noCardNumber",
            ),
            ({"customer_purchase_ip": "home"}, ("evidence", "customer_purchase_ip"), "ipAddress"),
        ],
    )
    async def test_of_what_is_no_evidence_is_refused(
        self,
        clerk: Shopper,
        dispute: Dispute,
        evidence: dict[str, Any],
        path: tuple[str, ...],
        constraint: str,
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await clerk.does(answer(dispute, **evidence))

        assert (refused.value.path, refused.value.constraint) == (path, constraint)
        assert await now(clerk, dispute) == dispute

    async def test_of_nothing_is_refused(self, clerk: Shopper, dispute: Dispute) -> None:
        nothing: dict[str, Any] = dict.fromkeys(dispute.evidence_draft)

        with pytest.raises(InvalidInput) as refused:
            await clerk.does(answer(dispute, is_final=True, **nothing))

        assert refused.value.constraint == "maxLength"

    async def test_of_more_than_stripe_takes_in_all_is_refused(
        self, clerk: Shopper, dispute: Dispute
    ) -> None:
        long: dict[str, Any] = dict.fromkeys(
            (
                "access_activity_log",
                "cancellation_policy_disclosure",
                "cancellation_rebuttal",
                "duplicate_charge_explanation",
                "product_description",
                "refund_policy_disclosure",
                "refund_refusal_explanation",
                "uncategorized_text",
            ),
            "x" * 20000,
        )

        with pytest.raises(InvalidInput) as refused:
            await clerk.does(answer(dispute, **long))

        assert (refused.value.path, refused.value.constraint) == (("evidence",), "maxLength")

    async def test_after_the_deadline_is_a_conflict(
        self, clerk: Shopper, dispute: Dispute, gateway: Gateway
    ) -> None:
        late = (dispute.evidence_due_by or dispute.created_at) + timedelta(seconds=1)
        async with gateway.services.database.work() as work:
            step = gateway.services.commands.attempts.step(work, clerk.actor, late)
            with pytest.raises(StateConflict) as refused:
                await answer(dispute, customer_name="Ada").intend(step)

        assert refused.value.current == "OVERDUE"

    @pytest.mark.parametrize("status", ["under_review", "won", "lost"])
    async def test_of_a_dispute_that_awaits_none_is_a_conflict(
        self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox, post: Post, status: str
    ) -> None:
        sandbox.decide_dispute(dispute.processor_dispute_id, status)
        await post.deliver_all()

        for command in (answer(dispute, customer_name="Ada"), AcceptDispute(dispute_id=dispute.id)):
            with pytest.raises(StateConflict) as refused:
                await clerk.does(command)
            assert refused.value.current == status.upper()

    async def test_that_comes_too_late_for_stripe_is_refused_and_the_draft_stays(
        self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox
    ) -> None:
        sandbox.decide_dispute(dispute.processor_dispute_id, "lost")  # We have not heard of it.

        executed = await clerk.does(answer(dispute, is_final=True, customer_name="Ada"))

        assert isinstance(executed.operation.verdict, ProcessorRefused)
        assert (await now(clerk, dispute)).evidence_draft["customer_name"] == "Ada"

    async def test_waits_for_another_that_has_not_ended(
        self, clerk: Shopper, dispute: Dispute, sandbox: Sandbox, impatient: None
    ) -> None:
        spoil(sandbox, "/v1/disputes/", Kind.ERROR_BEFORE)
        await clerk.does(answer(dispute, customer_name="Ada"), key=KEY)

        with pytest.raises(Busy):
            await clerk.does(AcceptDispute(dispute_id=dispute.id))


class TestAcceptDispute:
    async def test_loses_it(self, clerk: Shopper, dispute: Dispute, paid: Payment) -> None:
        await clerk.does(AcceptDispute(dispute_id=dispute.id))

        lost = await now(clerk, dispute)
        assert (lost.status, lost.holds_money) == (DisputeStatus.LOST, True)
        assert (await clerk.payment(paid.id)).disputed_amount == 450

    async def test_closes_an_inquiry(self, clerk: Shopper, inquiry: Dispute) -> None:
        await clerk.does(AcceptDispute(dispute_id=inquiry.id))

        assert (await now(clerk, inquiry)).status is DisputeStatus.CLOSED


class TestWhoMayAnswer:
    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT, Role.SERVICE])
    async def test_is_an_admin_alone(
        self, shopper: Shopper, clerk: Shopper, dispute: Dispute, sandbox: Sandbox, role: Role
    ) -> None:
        actor = shopper.actor.__class__(role=role, user_id=shopper.actor.user_id)
        caller = Shopper(gateway=shopper.gateway, actor=actor)

        for command in (answer(dispute, customer_name="Ada"), AcceptDispute(dispute_id=dispute.id)):
            with pytest.raises(Forbidden):
                await caller.does(command)

        assert await now(clerk, dispute) == dispute
        assert at_stripe(sandbox, dispute)["status"] == "needs_response"

    async def test_finds_no_dispute_that_is_not_there(self, clerk: Shopper) -> None:
        for command in (
            SubmitDisputeEvidence(dispute_id=new_id(), evidence={"customer_name": "Ada"}),
            AcceptDispute(dispute_id=new_id()),
        ):
            with pytest.raises(NotFound):
                await clerk.does(command)


class TestLostAnswer:
    """What Stripe did, though its answer got lost, is found out by the worker, also after the webhook."""

    @pytest.mark.parametrize("with_webhooks", [False, True])
    @pytest.mark.parametrize("kind", LOST)
    async def test_to_final_evidence_is_found_out(
        self,
        clerk: Shopper,
        dispute: Dispute,
        sandbox: Sandbox,
        gateway: Gateway,
        post: Post,
        impatient: None,
        kind: Kind,
        with_webhooks: bool,
    ) -> None:
        spoil(sandbox, "/v1/disputes/", kind)
        await clerk.does(answer(dispute, is_final=True, customer_name="Ada"), key=KEY)
        sandbox.faults.clear()
        if with_webhooks:
            await post.deliver_all()

        await resumed_later(gateway)

        operation = await clerk.operation("submitDisputeEvidence", KEY)
        assert operation.state is OperationState.SUCCEEDED
        assert (await now(clerk, dispute)).status is DisputeStatus.UNDER_REVIEW
        assert at_stripe(sandbox, dispute)["evidence_details"]["submission_count"] == 1

    @pytest.mark.parametrize("kind", [*LOST, Kind.ERROR_BEFORE])
    async def test_to_a_draft_is_found_out(
        self,
        clerk: Shopper,
        dispute: Dispute,
        sandbox: Sandbox,
        gateway: Gateway,
        impatient: None,
        kind: Kind,
    ) -> None:
        spoil(sandbox, "/v1/disputes/", kind)
        await clerk.does(answer(dispute, customer_name="Ada"), key=KEY)
        sandbox.faults.clear()

        await resumed_later(gateway)

        operation = await clerk.operation("submitDisputeEvidence", KEY)
        assert operation.state is OperationState.SUCCEEDED
        assert at_stripe(sandbox, dispute)["evidence"]["customer_name"] == "Ada"
        assert at_stripe(sandbox, dispute)["status"] == "needs_response"

    @pytest.mark.parametrize("with_webhooks", [False, True])
    @pytest.mark.parametrize("kind", LOST)
    async def test_to_an_acceptance_is_found_out(
        self,
        clerk: Shopper,
        dispute: Dispute,
        sandbox: Sandbox,
        gateway: Gateway,
        post: Post,
        impatient: None,
        kind: Kind,
        with_webhooks: bool,
    ) -> None:
        spoil(sandbox, "/close$", kind)
        await clerk.does(AcceptDispute(dispute_id=dispute.id), key=KEY)
        sandbox.faults.clear()
        if with_webhooks:
            await post.deliver_all()

        await resumed_later(gateway)

        assert (await clerk.operation("acceptDispute", KEY)).state is OperationState.SUCCEEDED
        assert (await now(clerk, dispute)).status is DisputeStatus.LOST
