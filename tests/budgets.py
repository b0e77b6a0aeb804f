"""
How many statements an answer may take: what its fields may together, however many objects each of them stands for.

A field below Query and Mutation that leads to a list, or to objects with an id, takes one statement, for each kind of
object that it may lead to. What takes another number has it here, as every mutation must.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
)

from gql.schema import printed

SCHEMA: Final[GraphQLSchema] = build_schema(printed())

BUDGETS: Final[Mapping[str, int]] = {
    "BillingAccount.access": 2,
    "BillingAccount.delinquent": 1,
    "MediaItem.access": 2,
    "Mutation.acceptDispute": 12,
    "Mutation.addPaymentMethod": 16,
    "Mutation.cancelPayment": 8,
    "Mutation.cancelSubscription": 25,
    "Mutation.capturePayment": 8,
    "Mutation.changePlan": 38,
    "Mutation.confirmPayment": 11,
    "Mutation.createPayment": 12,
    "Mutation.createPortalLink": 3,
    "Mutation.createSubscription": 40,
    "Mutation.deletePaymentMethod": 36,
    "Mutation.grantAccess": 6,
    "Mutation.keepSubscription": 25,
    "Mutation.pauseSubscription": 27,
    "Mutation.reconcile": 7,
    "Mutation.refundPayment": 25,
    "Mutation.replayWebhookEvent": 53,
    "Mutation.resumeSubscription": 33,
    "Mutation.resync": 48,
    "Mutation.retryRenewal": 37,
    "Mutation.revokeAccess": 5,
    "Mutation.startPaymentMethodSetup": 11,
    "Mutation.submitDisputeEvidence": 14,
    "Mutation.updatePaymentMethod": 14,
    "Mutation.updateSubscription": 25,
    "PaymentConnection.totalCount": 1,
    "PreviewStaleError.fresh": 6,
    "Query.access": 2,
    "Query.moneyInvariants": 16,
    "Query.node": 1,
    "Query.previewCancellation": 2,
    "Query.previewPlanChange": 5,
    "Query.previewSubscription": 7,
    "Query.stats": 1,
    "Query.viewer": 3,
    "Query.webhookEvents": 2,
    "Subscription.dunning": 2,
    "Subscription.nextAction": 1,
    "SubscriptionConnection.totalCount": 1,
}
"""`tests/gql/test_budgets.py` finds out what each needs at most; more than two above that is too much."""

CARRIERS: Final = ("Connection", "Edge")
"""The ends of the names of types whose fields show what their own field has found."""


def was_executed(body: Mapping[str, Any]) -> bool:
    """An outage in the middle leaves no data."""
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    return "data" in body or "UNAVAILABLE" in codes


def keep_budget(document: str, body: Mapping[str, Any]) -> None:
    """Fails where the answer, whose debug extension tells of its statements, took more than the document may."""
    budget = budget_of(document) * times_read(body) if was_executed(body) else 0
    assert statements_of(body) <= budget, (
        f"More than {budget} statements for {document}: {body['extensions']}"
    )


def times_read(body: Mapping[str, Any]) -> int:
    """A query whose plan met with an error is read once more, by graphql-core."""
    is_planned = body.get("extensions", {}).get("debug", {}).get("planned", True)
    return 1 if is_planned or not body.get("errors") else 2


def statements_of(body: Mapping[str, Any]) -> int:
    """None were counted for a request that never reached GraphQL."""
    if "data" not in body and "extensions" not in body:
        return 0
    statements: int = body["extensions"]["debug"]["statements"]
    return statements


def without_debug(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as it is outside development, and without its cost."""
    rest = dict(body)
    extensions = {
        name: value for name, value in rest.pop("extensions", {}).items() if name not in {"debug", "cost"}
    }
    return rest | ({"extensions": extensions} if extensions else {})


def budget_of(document: str) -> int:
    """Of a document with one operation."""
    definitions = parse(document).definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    [operation] = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    root = SCHEMA.get_root_type(operation.operation)
    return sum(
        field_budget(f"{parent.name}.{node.name.value}")
        for parent, node in fields_of(operation.selection_set, root, fragments)
    )


def fields_of(
    selections: SelectionSetNode, parent: Any, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[Any, FieldNode]]:
    """Every field with its type; those of a fragment at each mention."""
    for node in selections.selections:
        match node:
            case FieldNode():
                if definition := getattr(parent, "fields", {}).get(node.name.value):
                    yield parent, node
                    if node.selection_set:
                        yield from fields_of(node.selection_set, get_named_type(definition.type), fragments)
            case InlineFragmentNode(type_condition=condition):
                kind = SCHEMA.get_type(condition.name.value) if condition else parent
                yield from fields_of(node.selection_set, kind, fragments)
            case FragmentSpreadNode():
                fragment = fragments[node.name.value]
                kind = SCHEMA.get_type(fragment.type_condition.name.value)
                yield from fields_of(fragment.selection_set, kind, fragments)


@cache
def field_budget(coordinate: str) -> int:
    if coordinate in BUDGETS:
        return BUDGETS[coordinate]
    parent_name, field_name = coordinate.split(".")
    assert parent_name != "Mutation", f"tests/budgets.py has no budget for {coordinate}"
    parent: Any = SCHEMA.get_type(parent_name)
    return 0 if parent_name.endswith(CARRIERS) else len(kinds_of(parent.fields[field_name]))


def kinds_of(field: GraphQLField) -> list[GraphQLObjectType]:
    """The types that the field may look up: what a connection lists, and any with an id."""
    of: Any = get_named_type(field.type)
    if of.name.endswith("Connection"):
        return [get_named_type(of.fields["nodes"].type)]
    possible = SCHEMA.get_possible_types(of) if isinstance(of, GraphQLAbstractType) else [of]
    return [kind for kind in possible if isinstance(kind, GraphQLObjectType) and is_node(kind)]


def is_node(kind: GraphQLObjectType) -> bool:
    return any(interface.name == "Node" for interface in kind.interfaces)
