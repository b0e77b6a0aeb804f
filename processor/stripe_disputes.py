"""Disputes: https://docs.stripe.com/api/disputes"""

from typing import TYPE_CHECKING, cast

from domain.dispute import Dispute, DisputeFacts, FoundDispute
from domain.errors import ProcessorRefused
from processor.stripe_calls import call
from processor.stripe_refund_shapes import dispute_facts, found_payment
from processor.stripe_shapes import expanded

if TYPE_CHECKING:
    from stripe import params as asked

from processor.stripe_client import UNKNOWN, StripeConnection, shape, under


class StripeDisputes(StripeConnection):
    async def submit_evidence(self, dispute: Dispute, *, is_final: bool, key: str) -> DisputeFacts:
        """
        https://docs.stripe.com/api/disputes/update

        Stripe takes a text away where it is told an empty one.
        """
        evidence = {name: text or "" for name, text in dispute.evidence_draft.items()}
        params: asked.DisputeUpdateParams = {
            "evidence": cast("asked.DisputeUpdateParamsEvidence", evidence),
            "submit": is_final,
        }
        told = await call(
            lambda: self._stripe.disputes.update_async(dispute.processor_dispute_id, params, under(key))
        )
        return dispute_facts(shape(told))

    async def accept_dispute(self, dispute: Dispute, *, key: str) -> DisputeFacts:
        """https://docs.stripe.com/api/disputes/close"""
        told = await call(
            lambda: self._stripe.disputes.close_async(dispute.processor_dispute_id, {}, under(key))
        )
        return dispute_facts(shape(told))

    async def find_dispute(self, processor_dispute_id: str) -> FoundDispute | None:
        """One of a charge without a payment intent is none of ours."""
        params: asked.DisputeRetrieveParams = {"expand": ["payment_intent"]}
        try:
            told = await call(lambda: self._stripe.disputes.retrieve_async(processor_dispute_id, params))
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise
            return None
        dispute = shape(told)
        intent = expanded(dispute.get("payment_intent"))
        if not intent:
            return None
        return FoundDispute(payment=found_payment(intent), facts=dispute_facts(dispute))
