"""
Operation plans: an operation is compiled once, and then answered column by column.

graphql-core walks through an answer value by value. A plan walks through the operation: what one field is of all
objects is found at once, and one generated function makes the answers of a whole list. The schema, its resolvers and
its rules are the same, and whatever a plan is surprised by is left to graphql-core. docs/plans.md tells more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    located_error,
)
from graphql.execution.values import VariableValues

from domain.errors import DomainError
from domain.ports import Glances, Shown
from gql.compiled.compiler import Compiler
from gql.compiled.finding import Resolved, Run, together
from gql.compiled.inputs import Variables
from gql.compiled.selections import Selections, switches_of
from gql.compiled.shelf import Shelf
from gql.compiled.surprise import NotPlanned, Surprise
from gql.compiled.ways import Branch, Column, Items, Objects, Possible, Way
from gql.context import Context
from gql.needs import does_ask_many

Switched: TypeAlias = tuple[object, ...]
"""The values of the variables on which an operation's @skip and @include depend."""
MOST_VARIANTS: Final = 16
"""Of one operation, at a time."""


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """What the operation shows, under certain values of its switches."""

    root: Objects
    glances: Glances
    fields: int
    """How many it has, fragments written out."""
    asks_each_once: bool
    """Whether no resolver is asked of several objects, or beside others at the root."""

    async def result(self, run: Run) -> ExecutionResult:
        run.context.show(Shown(self.glances), each_once=self.asks_each_once)
        errors: list[GraphQLError] = []
        columns = await together([root_column(branch, run, errors) for branch in self.root.branches])
        [data] = self.root.render([None], *columns)
        return ExecutionResult(data, errors or None)


async def root_column(branch: Branch, run: Run, errors: list[GraphQLError]) -> Column:
    """A resolver's refusal is told at once where the answer may be null; that is how most errors come about."""
    try:
        values = await branch.finding.values([None], run)
    except DomainError as refusal:
        if branch.place.required or not isinstance(branch.finding, Resolved):
            raise
        errors.append(located_error(refusal, branch.finding.nodes, [branch.finding.key]))
        return [None]
    return await branch.place.column(values, run)


class Plans:
    """Those of one operation, compiled as they are needed. The shelf decides how long they are kept."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        shelf: Shelf,
    ) -> None:
        self._schema, self._document, self._operation = schema, document, operation
        self._shelf = shelf
        self._variables = Variables(schema, operation)
        self._switches = sorted(switches_of(operation, document))
        self._plans: dict[Switched, OperationPlan | None] = {}

    async def result(self, inputs: Mapping[str, Any], context: Context) -> ExecutionResult:
        """Of a query. Raises NotPlanned, Surprise, or whatever a resolver raises."""
        variables = self._variables.read(inputs)
        return await self.plan(variables).result(self.run(variables, context))

    def run(self, variables: VariableValues, context: Context) -> Run:
        return Run(schema=self._schema, operation=self._operation, variables=variables, context=context)

    def plan(self, variables: VariableValues) -> OperationPlan:
        """Raises NotPlanned, or Surprise."""
        switched = tuple(variables.coerced.get(name) for name in self._switches)
        if None in switched:  # One with a default may be given as null.
            raise Surprise
        if switched in self._plans:
            self._shelf.use(self, switched)
        else:
            if len(self._plans) >= MOST_VARIANTS:
                raise NotPlanned
            plan = self._plans[switched] = self._compiled(switched)
            self._shelf.keep(self, switched, fields=plan.fields if plan else 1)
        found = self._plans[switched]
        if found is None:
            raise NotPlanned
        return found

    def drop(self, switched: Switched) -> None:
        """There are too many plans, and this one was not used for longest."""
        del self._plans[switched]

    def _compiled(self, switched: Switched) -> OperationPlan | None:
        """None where there can be none, which is remembered like a plan."""
        root = self._schema.get_root_type(self._operation.operation)
        if root is None:
            return None
        switches = dict(zip(self._switches, map(bool, switched), strict=True))
        compiler = Compiler(self._schema, Selections(self._schema, self._document, switches))
        try:
            objects = compiler.objects(root, [self._operation.selection_set])
        except (NotPlanned, RecursionError, SyntaxError):  # Python's own limits for what is generated.
            return None
        asks_each_once = len(objects.branches) == 1 and asks_one(objects)
        return OperationPlan(objects, compiler.glances, compiler.fields, asks_each_once)


def asks_one(way: Way, *, is_one: bool = True) -> bool:
    """Whether each resolver below it looks for one object at most, if there is one of these itself."""
    match way:
        case Objects():
            return all(
                asks_one(branch.place.way, is_one=is_one)
                and (
                    not isinstance(branch.finding, Resolved)
                    or (is_one and not does_ask_many(branch.finding.field))
                )
                for branch in way.branches
            )
        case Items():
            return asks_one(way.place.way, is_one=False)
        case Possible():
            return all(asks_one(objects, is_one=is_one) for objects in way.objects.values())
    return True
