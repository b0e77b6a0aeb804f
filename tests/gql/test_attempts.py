import pytest
from graphql import parse

from gql.attempts import ASK_A_BANK, attempts
from gql.documents import Document
from tests.budgets import SCHEMA

ASKS_NO_BANK = frozenset(
    {
        "acceptDispute",
        "cancelPayment",
        "cancelSubscription",
        "capturePayment",
        "createPortalLink",
        "deletePaymentMethod",
        "grantAccess",
        "keepSubscription",
        "pauseSubscription",
        "reconcile",
        "refundPayment",
        "replayWebhookEvent",
        "resync",
        "revokeAccess",
        "submitDisputeEvidence",
        "updatePaymentMethod",
        "updateSubscription",
    }
)
"""Nothing that a thief of cards gains by."""

PAY = "createPayment(input: $i) { errors { code } }"

FRAGMENTS = f"fragment F on Mutation {{ ...G ...G }} fragment G on Mutation {{ {PAY} }}"


def count(text: str) -> int:
    document = Document(ast=parse(text))
    operation = document.operation(None)
    assert document.ast is not None
    assert operation is not None
    return attempts(document.ast, operation)


class TestAttempts:
    def test_are_known_of_every_mutation(self) -> None:
        """A new one has to be put on one of the two lists."""
        assert SCHEMA.mutation_type is not None
        assert set(SCHEMA.mutation_type.fields) == ASK_A_BANK | ASKS_NO_BANK
        assert ASK_A_BANK.isdisjoint(ASKS_NO_BANK)

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("{ viewer { id } }", 0),
            ("mutation { cancelPayment(input: $i) { errors { code } } }", 0),
            (f"mutation {{ {PAY} }}", 1),
            (f"mutation {{ a: {PAY} b: {PAY} ... {{ c: {PAY} }} }}", 3),
            (f"mutation {{ ...F d: {PAY} ...F }} {FRAGMENTS}", 5),
        ],
    )
    def test_are_counted_by_field(self, text: str, number: int) -> None:
        assert count(text) == number

    def test_of_fragments_that_multiply_are_counted_at_once(self) -> None:
        doubling = " ".join(
            f"fragment F{number} on Mutation {{ ...F{number + 1} ...F{number + 1} }}" for number in range(60)
        )

        assert count(f"mutation {{ ...F0 }} {doubling} fragment F60 on Mutation {{ {PAY} }}") == 2**60
