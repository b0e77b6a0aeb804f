"""What may be done with disputes."""

from typing import Annotated, Final

import strawberry

from domain.commands.disputes import AcceptDispute, SubmitDisputeEvidence
from domain.dispute import Dispute
from gql.context import Info
from gql.dispute import EVIDENCE, DisputeView, evidence_of
from gql.ids import id_of
from gql.needs import needs
from gql.node import optional_view
from gql.payload import INPUT, OPTIONAL_KEY, BusinessErrors, ObjectRefInput, Payload, executed
from gql.scalars import IdempotencyKey, JsonObject

NAMES: Final = (
    f"Texts by name, all of them optional: {', '.join(EVIDENCE)}. Stripe's own spelling is taken too. "
    "At most 20,000 characters each, and 150,000 in all; null takes a text away. Never a card number."
)


@strawberry.type(description="What became of a command about a dispute.")
class DisputePayload(Payload):
    @strawberry.field(description="The dispute as it is now; null where the command was refused.")
    @needs()
    async def dispute(self, info: Info) -> DisputeView | None:
        return optional_view(DisputeView, await self.made(info.context.loaders.disputes))


@strawberry.input(description="Answer a dispute, or write at the answer.")
class SubmitEvidenceInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    dispute_id: strawberry.ID = strawberry.field(description="The dispute.")
    evidence: JsonObject = strawberry.field(description=NAMES)
    final: bool = strawberry.field(
        default=False,
        description="True hands all evidence to the bank, once and for good; false keeps it as a draft.",
    )

    def command(self) -> SubmitDisputeEvidence:
        return SubmitDisputeEvidence(
            dispute_id=id_of(Dispute, self.dispute_id, "dispute_id"),
            evidence=evidence_of(self.evidence),
            is_final=self.final,
        )


@strawberry.type
class DisputeMutations:
    @strawberry.mutation(
        description=(
            "Admins: add texts to a dispute's evidence, here and at Stripe, and submit it when it is final. Refused "
            "once the bank has it, has decided, or the time is over."
        ),
        extensions=[BusinessErrors(DisputePayload)],
    )
    async def submit_dispute_evidence(
        self, info: Info, input: Annotated[SubmitEvidenceInput, INPUT]
    ) -> DisputePayload:
        return await executed(DisputePayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description="Admins: accept a dispute. It is lost, and the payer keeps the money; this cannot be undone.",
        extensions=[BusinessErrors(DisputePayload)],
    )
    async def accept_dispute(self, info: Info, input: Annotated[ObjectRefInput, INPUT]) -> DisputePayload:
        command = AcceptDispute(dispute_id=id_of(Dispute, input.id, "id"))
        return await executed(DisputePayload, info, command, input.idempotency_key)
