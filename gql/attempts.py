"""How often an operation asks a bank: each such attempt costs something, and thieves try stolen cards with them."""

from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

ASK_A_BANK: Final = frozenset(
    {
        "addPaymentMethod",
        "changePlan",
        "confirmPayment",
        "createPayment",
        "createSubscription",
        "resumeSubscription",
        "retryRenewal",
        "startPaymentMethodSetup",
    }
)
"""Mutations that charge a card, or try whether one is good."""


def attempts(document: DocumentNode, operation: OperationDefinitionNode) -> int:
    """Of a document that is valid, so that no fragment leads to itself."""
    return _Count(document).of(operation.selection_set)


class _Count:
    """Remembers each fragment, since they may multiply each other without end."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._known: dict[str, int] = {}

    def of(self, selections: SelectionSetNode) -> int:
        return sum(map(self._of_one, selections.selections))

    def _of_one(self, node: Any) -> int:
        match node:
            case FieldNode():
                return int(node.name.value in ASK_A_BANK)
            case InlineFragmentNode():
                return self.of(node.selection_set)
            case FragmentSpreadNode():
                return self._of_fragment(node.name.value)
        return 0

    def _of_fragment(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = self.of(self._fragments[name].selection_set)
        return self._known[name]
