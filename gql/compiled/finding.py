"""How the values of one field are found, for all objects of which it is asked at once."""

from abc import ABC, abstractmethod
from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable, iscoroutine
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from gql.compiled.inputs import Arguments
from gql.context import Context
from gql.direct import Reader
from gql.relation import Relation

NO_HELPERS: Final[Any] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of an operation."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    variables: VariableValues
    context: Context

    def info(
        self, parent: GraphQLObjectType, kind: GraphQLOutputType, nodes: Sequence[FieldNode]
    ) -> GraphQLResolveInfo[Context]:
        """What resolvers are told, but for what none of ours looks at: the place in a list, and the fragments."""
        return GraphQLResolveInfo(
            nodes[0].name.value,
            list(nodes),
            kind,
            parent,
            Path(None, key_of(nodes[0]), parent.name),
            self.schema,
            {},
            None,
            self.operation,
            self.variables,
            self.context,
            isawaitable,  # type: ignore[arg-type]  # It says TypeIs, which tells more than TypeGuard.
            None,
            NO_HELPERS,
        )


class Finding(ABC):
    """What a field is asked of: `values` has one for each source, in their order."""

    @abstractmethod
    async def values(self, sources: Sequence[Any], run: Run) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Read(Finding):
    """Of a field that needs nothing but its object."""

    read: Reader

    async def values(self, sources: Sequence[Any], run: Run) -> Sequence[Any]:
        return [self.read(source) for source in sources]


@dataclass(frozen=True, slots=True)
class Connected(Finding):
    """Of a field that leads to other objects."""

    relation: Relation

    async def values(self, sources: Sequence[Any], run: Run) -> Sequence[Any]:
        return await self.relation.of_all(sources, run.context.loaders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(Finding):
    """Of a field with a resolver, which is called as graphql-core calls it."""

    parent: GraphQLObjectType
    field: GraphQLField
    resolve: Callable[..., Any]
    nodes: Sequence[FieldNode]
    arguments: Arguments

    @property
    def key(self) -> str:
        """Its name in the answer."""
        return key_of(self.nodes[0])

    async def values(self, sources: Sequence[Any], run: Run) -> Sequence[Any]:
        """What was begun before one refuses at once is closed, since nobody will await it."""
        info = run.info(self.parent, self.field.type, self.nodes)
        arguments = self.arguments.read(run.variables)
        found: list[Any] = []
        try:
            for source in sources:
                found.append(self.resolve(source, info, **arguments))  # noqa: PERF401 - kept where one raises
        except Exception:
            for begun in filter(iscoroutine, found):
                begun.close()
            raise
        return await settled(found)


def key_of(node: FieldNode) -> str:
    return (node.alias or node.name).value


async def settled(values: list[Any]) -> list[Any]:
    """The values, those that are awaited all at once."""
    waiting = [place for place, value in enumerate(values) if isawaitable(value)]
    answers = await together([values[place] for place in waiting])
    for place, answer in zip(waiting, answers, strict=True):
        values[place] = answer
    return values


async def together(awaited: Sequence[Awaitable[Any]]) -> Sequence[Any]:
    """All of them; where one fails, the others end in peace before it is told: they may hold connections."""
    if len(awaited) <= 1:
        return [await each for each in awaited]
    answers = await gather(*awaited, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
