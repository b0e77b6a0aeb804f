"""Variables and arguments as plans read them, beside graphql-core's own reading."""

from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    OperationDefinitionNode,
    build_schema,
    parse,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from gql.compiled.inputs import Arguments, Variables
from gql.compiled.surprise import Surprise

SCHEMA = build_schema(
    """
    enum Colour { RED BLUE }
    input Range { from: Int = 1, to: Int }
    type Query {
        things(first: Int, size: Int = 10, id: ID!, colour: Colour, range: Range, ids: [ID!]): Int
        nothing: Int
    }
    """
)

DOCUMENTS = {
    "scalars": "query($id: ID!, $first: Int) { things(id: $id, first: $first) }",
    "an enum": "query($id: ID!, $colour: Colour!) { things(id: $id, colour: $colour) }",
    "defaults of variables": "query($id: ID! = 1, $first: Int = 5) { things(id: $id, first: $first) }",
    "a default of an argument": "query($id: ID!, $size: Int) { things(id: $id, size: $size) }",
    "constants": '{ things(id: "a", first: 3, colour: RED) }',
    "a constant null": '{ things(id: "a", first: null, size: null) }',
    "an object": "query($id: ID!, $range: Range) { things(id: $id, range: $range) }",
    "an object with a variable in it": 'query($to: Int) { things(id: "a", range: {to: $to}) }',
    "a list": 'query($ids: [ID!]) { things(id: "a", ids: $ids) }',
    "a list with a variable in it": 'query($id: ID!) { things(id: "a", ids: [$id]) }',
}
INPUTS: dict[str, dict[str, Any]] = {
    "none": {},
    "all": {
        "id": "a",
        "first": 3,
        "size": 4,
        "colour": "BLUE",
        "range": {"to": 9},
        "ids": ["a"],
        "to": 7,
    },
    "nulls": dict.fromkeys(("id", "first", "size", "colour", "range", "ids", "to")),
    "nulls where they may be": {
        "id": "a",
        "first": None,
        "size": None,
        "range": None,
        "ids": None,
        "to": None,
    },
    "wrong types": {"id": [], "first": "3", "size": 1.5, "colour": "GREEN", "range": 1, "ids": 1, "to": {}},
    "too large": {"id": 1, "first": 2**31},
    "unknown": {"id": "a", "other": 1},
}


def parts(document: str) -> tuple[OperationDefinitionNode, FieldNode, GraphQLField]:
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    [node] = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    query = SCHEMA.query_type
    assert query is not None
    return operation, node, query.fields[node.name.value]


def given(variables: VariableValues) -> dict[str, Any]:
    return {name: source.value for name, source in variables.sources.items()}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
class TestReading:
    def test_is_that_of_graphql_core(self, document: str, inputs: dict[str, Any]) -> None:
        operation, node, field = parts(document)
        theirs = get_variable_values(SCHEMA, operation.variable_definitions or (), inputs)
        variables = Variables(SCHEMA, operation)

        if not isinstance(theirs, VariableValues):
            with pytest.raises(Surprise):
                variables.read(inputs)
            return
        ours = variables.read(inputs)
        assert ours.coerced == theirs.coerced
        assert given(ours) == given(theirs)

        arguments = Arguments(field, node)
        try:
            expected = get_argument_values(field, node, theirs)
        except GraphQLError as error:
            with pytest.raises(GraphQLError, match=str(error.message)[:20]):
                arguments.read(ours)
        else:
            assert arguments.read(ours) == expected


class TestArguments:
    def test_of_a_field_without_any_are_none(self) -> None:
        _, node, field = parts("{ nothing }")

        assert Arguments(field, node).read(VariableValues({}, {})) == {}

    def test_are_made_anew_for_each_request(self) -> None:
        _, node, field = parts('{ things(id: "a", ids: ["b"], range: {to: 2}) }')
        arguments = Arguments(field, node)

        first = arguments.read(VariableValues({}, {}))
        assert isinstance(first, dict)
        first["ids"].append("c")
        first["range"]["to"] = 3
        first["id"] = "d"

        assert arguments.read(VariableValues({}, {})) == {
            "id": "a",
            "ids": ["b"],
            "range": {"from": 1, "to": 2},
            "size": 10,
        }
