"""
What one document may ask for, judged before it runs.

Every fragment is measured once and remembered: limiters that write fragments out take twice the time for each
further one, and so does the execution of what they should have refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from domain.paging import DEFAULT_PAGE, LARGEST_PAGE

DEEPEST: Final = 30
"""Selection sets inside each other, fragments included."""
MOST_COST: Final = 10_000
"""A page of 100 with 90 fields each, or five mutations, or 190 pages of one."""
USUAL_LIST: Final = 10
"""How long lists are taken to be that have no pages."""
ONE_EACH: Final = frozenset({"ids", "targets"})
"""Arguments with up to as many values as a page is long, each of which is answered."""

COSTS: Final[Mapping[str, int]] = {
    "Mutation": 1800,
    "AccessDecision.token": 10,
    "BillingAccount.invoices": 50,
    "BillingAccount.payments": 50,
    "BillingAccount.subscriptions": 50,
    "Dispute.timeline": 50,
    "Payment.nextAction": 50,
    "Payment.timeline": 50,
    "PaymentConnection.totalCount": 50,
    "PaymentMethodSetup.clientSecret": 50,
    "PreviewStaleError.fresh": 300,
    "Query.access": 50,
    "Query.auditLog": 50,
    "Query.disputes": 50,
    "Query.moneyInvariants": 4000,
    "Query.payments": 50,
    "Query.previewCancellation": 10,
    "Query.previewPlanChange": 300,
    "Query.previewSubscription": 300,
    "Query.reconciliationRuns": 50,
    "Query.stats": 500,
    "Query.subscriptions": 50,
    "Query.webhookEvents": 50,
    "ReconciliationRun.drifts": 50,
    "Refund.timeline": 50,
    "Subscription.nextAction": 50,
    "Subscription.nextCharge": 200,
    "Subscription.payments": 50,
    "Subscription.timeline": 50,
    "SubscriptionConnection.totalCount": 50,
    "SubscriptionPayload.charge": 50,
}
"""By type or field: what costs more than 1, because it is work of its own for the database, or for Stripe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`per_row` is what each row of a page costs, to be multiplied by whoever knows how many are asked for."""

    cost: int = 0
    per_row: int = 0
    depth: int = 0

    @property
    def is_too_large(self) -> bool:
        return self.cost > MOST_COST or self.depth > DEEPEST


TOO_DEEP: Final = Size(depth=DEEPEST + 1)


class Limits(ValidationRule):
    """
    Refuses operations that are too deep or too costly. Other rules tell of unknown names and of cycles.

    `costs` is where each operation's cost is left, by its name.
    """

    def __init__(self, context: ValidationContext, *, costs: dict[str | None, int] | None = None) -> None:
        super().__init__(context)
        self._costs = {} if costs is None else costs
        self._fragments: dict[str, Size] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        root = self.context.schema.get_root_type(node.operation)
        size = self._of_selections(node.selection_set, root, level=1)
        self._costs[node.name.value if node.name else None] = size.cost
        if size.depth > DEEPEST:
            self.report_error(GraphQLError(f"This is nested more than {DEEPEST} levels deep.", node))
        elif size.is_too_large:
            self.report_error(GraphQLError(f"This asks for more than a cost of {MOST_COST} at once.", node))

    def _of_selections(self, selections: SelectionSetNode, parent: Any, *, level: int) -> Size:
        if level > DEEPEST:
            return TOO_DEEP
        sizes = [self._of_selection(each, parent, level=level) for each in selections.selections]
        return Size(
            cost=sum(size.cost for size in sizes),
            per_row=sum(size.per_row for size in sizes),
            depth=1 + max(size.depth for size in sizes),
        )

    def _of_selection(self, node: Any, parent: GraphQLNamedType | None, *, level: int) -> Size:
        match node:
            case FieldNode():
                return self._of_field(node, parent, level=level)
            case InlineFragmentNode(type_condition=condition):
                kind = self.context.schema.get_type(condition.name.value) if condition else parent
                return self._of_selections(node.selection_set, kind, level=level + 1)
            case FragmentSpreadNode():
                return self._of_fragment(node.name.value, level=level)
        return Size()

    def _of_fragment(self, name: str, *, level: int) -> Size:
        """Remembered at its first mention; while it is being measured, a cycle finds it empty."""
        fragment = self.context.get_fragment(name)
        if name not in self._fragments and fragment is not None:
            self._fragments[name] = Size()
            kind = self.context.schema.get_type(fragment.type_condition.name.value)
            self._fragments[name] = self._of_selections(fragment.selection_set, kind, level=level + 1)
        return self._fragments.get(name, Size())

    def _of_field(self, node: FieldNode, parent: GraphQLNamedType | None, *, level: int) -> Size:
        """Introspection has a rule of its own."""
        field = getattr(parent, "fields", {}).get(node.name.value)
        if parent is None or field is None:
            return Size()
        own = COSTS.get(f"{parent.name}.{node.name.value}") or COSTS.get(parent.name, 1)
        if node.selection_set is None:
            return Size(cost=own)
        inside = self._of_selections(node.selection_set, get_named_type(field.type), level=level + 1)
        if is_list(field) and parent.name.endswith("Connection"):
            return Size(per_row=own + inside.cost, depth=inside.depth)
        rows = inside.per_row * page_size(node)
        return Size(cost=own + rows + inside.cost * length(field), depth=inside.depth)


def is_list(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type))


def length(field: GraphQLField) -> int:
    """How many objects a field without pages stands for, at most or as a rule."""
    if not is_list(field):
        return 1
    return USUAL_LIST if ONE_EACH.isdisjoint(field.args) else LARGEST_PAGE


def page_size(node: FieldNode) -> int:
    """What is literally asked for; the largest page for a variable, since documents are judged without them."""
    sizes = [each.value for each in node.arguments or () if each.name.value in {"first", "last"}]
    literal = [int(size.value) for size in sizes if isinstance(size, IntValueNode) and len(size.value) < 10]
    if not sizes:
        return DEFAULT_PAGE
    return max(1, *literal) if len(literal) == len(sizes) else LARGEST_PAGE
