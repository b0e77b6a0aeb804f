"""
Variables and arguments as graphql-core reads them, without asking again what the document and the schema say already.

Only the usual case is read here: scalars and enums that are given, and fit. All others, errors included, are left to
graphql-core.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_argument_values,
    get_variable_values,
)
from graphql.utilities import coerce_input_value

from gql.compiled.surprise import Surprise

NO_ARGUMENTS: Final[Mapping[str, Any]] = {}


class Variables:
    """Those of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._declared = operation.variable_definitions or ()
        signatures = [_leaf_signature(schema, node) for node in self._declared]
        self._signatures = [each for each in signatures if each is not None]
        self._are_leaves = len(self._signatures) == len(signatures)

    def read(self, inputs: Mapping[str, Any]) -> VariableValues:
        """Raises Surprise at the first one that is not fit; the rest of them are not looked at."""
        return (self._leaves(inputs) if self._are_leaves else None) or self._any(inputs)

    def _leaves(self, inputs: Mapping[str, Any]) -> VariableValues | None:
        """None where one is not fit, or has a default that is needed."""
        values = VariableValues({}, {})
        for signature in self._signatures:
            given = inputs.get(signature.name, Undefined)
            values.sources[signature.name] = VariableValueSource(signature, given)
            if given is Undefined and signature.default is None and not is_non_null_type(signature.type):
                continue
            value = Undefined if given is Undefined else coerce_input_value(given, signature.type)
            if value is Undefined:
                return None
            values.coerced[signature.name] = value
        return values

    def _any(self, inputs: Mapping[str, Any]) -> VariableValues:
        values = get_variable_values(
            self._schema, self._declared, dict(inputs), max_errors=1, hide_suggestions=True
        )
        if not isinstance(values, VariableValues):
            raise Surprise
        return values


def _leaf_signature(schema: GraphQLSchema, node: VariableDefinitionNode) -> GraphQLVariableSignature | None:
    signature = get_variable_signature(schema, node)
    if isinstance(signature, GraphQLError) or not is_leaf_type(get_nullable_type(signature.type)):
        return None
    return signature


class Arguments:
    """Those of one field, where it stands in a document."""

    def __init__(self, field: GraphQLField, node: FieldNode) -> None:
        self._field, self._node = field, node
        self._named = {
            argument.name.value: argument.value.name.value
            for argument in node.arguments or ()
            if isinstance(argument.value, VariableNode)
        }
        self._optional = {name for name, each in field.args.items() if _is_optional(each)}
        self._constants = _constants(field, node, self._named)

    def read(self, variables: VariableValues) -> Mapping[str, Any]:
        """Raises GraphQLError."""
        if not self._field.args:
            return NO_ARGUMENTS
        found = self._usual(variables)
        return get_argument_values(self._field, self._node, variables) if found is None else found

    def _usual(self, variables: VariableValues) -> Mapping[str, Any] | None:
        if self._constants is None:
            return None
        found = dict(self._constants)
        for name, variable in self._named.items():
            value = variables.coerced.get(variable, Undefined)
            if (value is None or value is Undefined) and name not in self._optional:
                return None
            if value is not Undefined:
                found[name] = value
        return found


def _is_optional(argument: GraphQLArgument) -> bool:
    """Whether it may be null, or left out, which then are two different things."""
    has_default = argument.default is not None or argument.default_value is not Undefined
    return not is_non_null_type(argument.type) and not has_default


def _constants(field: GraphQLField, node: FieldNode, named: Mapping[str, str]) -> Mapping[str, Any] | None:
    """
    What stands in the document itself, and the defaults. None where it has to be read each time: a list or an object
    may be changed by whoever gets it, and may hold variables.
    """
    others = {name: argument for name, argument in field.args.items() if name not in named}
    if any(argument.out_name for argument in field.args.values()):
        return None
    try:
        found = get_argument_values(GraphQLField(field.type, args=others), node)
    except GraphQLError:
        return None
    return None if any(isinstance(value, list | dict) for value in found.values()) else found
