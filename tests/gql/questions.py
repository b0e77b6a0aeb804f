"""Everything below Query that takes an id, asked about somebody's objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, get_named_type

from tests.gql.belongings import SCHEMA, Belongings

EVERYBODYS: Final = {
    "Query.previewSubscription.planId",
    "Query.previewPlanChange.input.planId",
    "Query.access.targets.mediaItemId",
    "BillingAccount.access.target.mediaItemId",
}
"""What names a plan, or a media item: the answer is about the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    A query that names one of their objects, as `$it`, in one place.

    `hears` is the code that a stranger hears, or None where the answer is the same as if there were no such object.
    """

    coordinate: str
    document: str
    it: str
    hears: str | None = None


def questions(theirs: Belongings, owner: str) -> list[Question]:
    """Every way to ask for their objects; `owner` is their id at the User Service."""
    by_id = {
        "node": theirs.payment,
        "payment": theirs.payment,
        "refund": theirs.refund,
        "dispute": theirs.dispute,
        "paymentMethod": theirs.method,
        "subscription": theirs.subscription,
        "invoice": theirs.invoice,
    }
    named = [
        Question(
            coordinate=f"Query.{field}.id",
            document=f"query($it: ID!) {{ {field}(id: $it) {{ id }} }}",
            it=it,
            hears="NOT_FOUND",
        )
        for field, it in by_id.items()
    ]
    named += [
        Question(
            coordinate="Query.nodes.ids",
            document="query($it: ID!) { nodes(ids: [$it]) { id } }",
            it=theirs.payment,
            hears="NOT_FOUND",
        ),
        Question(
            coordinate="Query.previewPlanChange.input.subscriptionId",
            document=(
                "query($it: ID!) { previewPlanChange(input: "
                f'{{ subscriptionId: $it, planId: "{theirs.plan}" }}) {{ id }} }}'
            ),
            it=theirs.subscription,
            hears="NOT_FOUND",
        ),
        Question(
            coordinate="Query.previewCancellation.subscriptionId",
            document="query($it: ID!) { previewCancellation(subscriptionId: $it, timing: NOW) { endsAccessAt } }",
            it=theirs.subscription,
            hears="NOT_FOUND",
        ),
        Question(
            coordinate="Query.access.userId",
            document='query($it: ID!) { access(userId: $it, targets: [{feature: "films"}]) { allowed } }',
            it=owner,
            hears="FORBIDDEN",
        ),
        Question(
            coordinate="Query.billingAccount.userId",
            document="query($it: ID!) { billingAccount(userId: $it) { id } }",
            it=owner,
            hears="NOT_FOUND",
        ),
        Question(
            coordinate="Query.auditLog.objectId",
            document="query($it: ID!) { auditLog(objectId: $it) { nodes { id } } }",
            it=theirs.payment,
            hears="FORBIDDEN",
        ),
        Question(
            coordinate="Query.auditLog.actorId",
            document="query($it: ID!) { auditLog(actorId: $it) { nodes { id } } }",
            it=owner,
            hears="FORBIDDEN",
        ),
    ]
    named += [
        Question(
            coordinate="Query.webhookEvent.id",
            document="query($it: ID!) { webhookEvent(id: $it) { id } }",
            it=theirs.webhook_event,
            hears="FORBIDDEN",
        ),
        Question(
            coordinate="Query.webhookEvents.filter.objectId",
            document="query($it: ID!) { webhookEvents(filter: {objectId: $it}) { nodes { id } } }",
            it=theirs.payment,
            hears="FORBIDDEN",
        ),
    ]
    filters = {
        "payments": {
            "ids": theirs.payment,
            "paymentMethodId": theirs.method,
            "subscriptionId": theirs.subscription,
            "mediaItemId": "film-17",
            "userId": owner,
        },
        "subscriptions": {"planId": theirs.subscribed_plan, "userId": owner},
    }
    for field, names in filters.items():
        for name, it in names.items():
            value = "[$it]" if name == "ids" else "$it"
            asked = f"{field}(filter: {{{name}: {value}}}) {{ nodes {{ id }} }}"
            for parent, selected in (("Query", asked), ("BillingAccount", f"viewer {{ {asked} }}")):
                named.append(
                    Question(
                        coordinate=f"{parent}.{field}.filter.{name}",
                        document=f"query($it: ID!) {{ {selected} }}",
                        it=it,
                        hears="FORBIDDEN" if (parent, name) == ("Query", "userId") else None,
                    )
                )
    return named


def asked_ids() -> Iterator[str]:
    """Each argument below Query that names an object of ours, or whose it is."""
    for kind in SCHEMA.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind is SCHEMA.mutation_type or kind.name[:2] == "__":
            continue
        for field, asked in kind.fields.items():
            for name, argument in asked.args.items():
                yield from _ids_in(argument.type, f"{kind.name}.{field}.{name}")


def _ids_in(kind: GraphQLInputType, path: str) -> Iterator[str]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, part in named.fields.items():
            yield from _ids_in(part.type, f"{path}.{name}")
    elif named.name == "ID":
        yield path
