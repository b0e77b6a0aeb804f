"""Twenty objects take no more statements than two, whatever is asked of them: there is no N+1 anywhere."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from domain.ports import Database
from gateway.settings import Settings
from tests.api import Api
from tests.budgets import SCHEMA, is_node, kinds_of, statements_of
from tests.gql.many_of_each import MANY, many_of_each

FEW: Final = 7
"""As many as there are kinds of objects among the records of the audit trail."""
OBJECTS: Final = [
    kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType) and is_node(kind)
]
CONNECTIONS: Final = {
    name: get_named_type(field.type)
    for name, field in SCHEMA.get_type("Query").fields.items()  # type: ignore[union-attr]
    if get_named_type(field.type).name.endswith("Connection")
}
ARGUMENTS: Final = {"BillingAccount.access": '(target: {mediaItemId: "film-17"})'}
"""What a field cannot be asked for without."""

Ids = Mapping[str, Sequence[str]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Whatever it costs to ask for all of them."""
    return settings.model_copy(update={"graphql_max_cost": 1_000_000})


@pytest.fixture
async def many(database: Database) -> Ids:
    return await many_of_each(database)


def asked(kind: GraphQLObjectType, name: str, path: frozenset[str] = frozenset()) -> str:
    """The field with all that it shows; of another object with an id, only that."""
    of = get_named_type(kind.fields[name].type)
    name += ARGUMENTS.get(f"{kind.name}.{name}", "")
    if is_leaf_type(of):
        return name
    if not isinstance(of, GraphQLObjectType) or of.name in path:
        return f"{name} {{ __typename }}"
    inner = ["id"] if is_node(of) else [asked(of, each, path | {of.name}) for each in of.fields]
    return f"{name} {{ {' '.join(inner)} }}"


async def answer(api: Api, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = (await api.post(document, variables)).json()
    assert "errors" not in body, body
    return body


def is_there(value: Any) -> bool:
    return bool(value["nodes"] if isinstance(value, dict) and "nodes" in value else value)


class TestObjects:
    def test_of_every_type_are_made(self, many: Ids) -> None:
        assert many.keys() == {kind.name for kind in OBJECTS}
        assert {len(set(ids)) for ids in many.values()} == {MANY}

    @pytest.mark.parametrize("kind", OBJECTS, ids=str)
    async def test_take_no_more_than_two(self, admins: Api, many: Ids, kind: GraphQLObjectType) -> None:
        taken = {}
        for name in kind.fields:
            document = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind.name} {{ {asked(kind, name)} }} }} }}"
            few = await answer(admins, document, {"ids": many[kind.name][:FEW]})
            all_ = await answer(admins, document, {"ids": many[kind.name]})
            taken[name] = statements_of(few), statements_of(all_)
            if kinds_of(kind.fields[name]):
                assert all(is_there(node[name]) for node in all_["data"]["nodes"]), f"No {name} to look up"

        assert {name: numbers for name, numbers in taken.items() if len(set(numbers)) > 1} == {}


class TestPages:
    @pytest.mark.parametrize("name", CONNECTIONS)
    async def test_take_no_more_than_short_ones(self, admins: Api, many: Ids, name: str) -> None:
        """With everything of each object."""
        connection: Any = CONNECTIONS[name]
        of = get_named_type(connection.fields["nodes"].type)
        shown = " ".join(asked(of, each) for each in of.fields)
        document = f"query($first: Int) {{ {name}(first: $first) {{ nodes {{ {shown} }} }} }}"

        short, long = [await answer(admins, document, {"first": first}) for first in (FEW, MANY)]

        assert len(long["data"][name]["nodes"]) == MANY
        assert statements_of(short) == statements_of(long)
