"""
Operation plans: an operation is compiled once, and then answered column by column.

graphql-core walks through an answer value by value. A plan walks through the operation: what one field is of all
objects is found at once, and one generated function makes the answers of a whole list. The schema, its resolvers and
its rules are the same, and whatever a plan is surprised by is left to graphql-core. docs/plans.md tells more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    located_error,
)
from graphql.execution.values import VariableValues, get_variable_values

from domain.errors import DomainError
from domain.ports import Glances, Shown
from gql.compiled.asked import Resolved, Run, together
from gql.compiled.compiler import Compiler
from gql.compiled.selections import Selections, switches_of
from gql.compiled.shown import Branch, Column, Objects
from gql.compiled.surprise import NotPlanned, Surprise
from gql.context import Context

MOST_VARIANTS: Final = 16
"""Of one operation, for the different values of what its @skip and @include depend on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the operation shows, under certain values of its switches."""

    root: Objects
    glances: Glances

    async def result(self, run: Run) -> ExecutionResult:
        run.context.show(Shown(self.glances))
        errors: list[GraphQLError] = []
        columns = await together([root_column(branch, run, errors) for branch in self.root.branches])
        [data] = self.root.render([None], *columns)
        return ExecutionResult(data, errors or None)


async def root_column(branch: Branch, run: Run, errors: list[GraphQLError]) -> Column:
    """A resolver's refusal is told at once where the answer may be null; that is how most errors come about."""
    try:
        values = await branch.asked.values([None], run)
    except DomainError as refusal:
        if branch.place.required or not isinstance(branch.asked, Resolved):
            raise
        errors.append(located_error(refusal, branch.asked.nodes, [branch.asked.key]))
        return [None]
    return await branch.place.column(values, run)


class Plans:
    """Those of one operation, compiled as they are needed."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema, self._document, self._operation = schema, document, operation
        self._switches = sorted(switches_of(operation, document))
        self._plans: dict[tuple[Any, ...], Plan | None] = {}

    async def result(self, inputs: Mapping[str, Any], context: Context) -> ExecutionResult:
        """Of a query. Raises NotPlanned, Surprise, or whatever a resolver raises."""
        run = self.run(inputs, context)
        return await self.plan(run.variables).result(run)

    def run(self, inputs: Mapping[str, Any], context: Context) -> Run:
        """Raises Surprise at the first variable that is not fit; the rest of them are not looked at."""
        declared = self._operation.variable_definitions or ()
        values = get_variable_values(
            self._schema, declared, dict(inputs), max_errors=1, hide_suggestions=True
        )
        if not isinstance(values, VariableValues):
            raise Surprise
        return Run(schema=self._schema, operation=self._operation, variables=values, context=context)

    def plan(self, variables: VariableValues) -> Plan:
        switched = tuple(variables.coerced.get(name) for name in self._switches)
        if None in switched:  # One with a default may be given as null.
            raise Surprise
        if switched not in self._plans:
            if len(self._plans) >= MOST_VARIANTS:
                raise NotPlanned("too many variants")
            self._plans[switched] = self._compiled(switched)
        plan = self._plans[switched]
        if plan is None:
            raise NotPlanned
        return plan

    def _compiled(self, switched: Sequence[Any]) -> Plan | None:
        selections = Selections(
            self._schema, self._document, dict(zip(self._switches, switched, strict=True))
        )
        root = self._schema.query_type
        if root is None:
            return None
        compiler = Compiler(self._schema, selections)
        try:
            return Plan(compiler.objects(root, [self._operation.selection_set]), compiler.glances)
        except NotPlanned:
            return None
