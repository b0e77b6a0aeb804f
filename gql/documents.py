"""Documents that were parsed and validated once: one bounded cache, keyed by the document's text."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from gql.limits import Limits

MOST_TOKENS: Final = 2000
"""Per document: what validation of a hostile one may cost grows faster than its length."""
MOST_ERRORS: Final = 5
MOST_DOCUMENTS: Final = 1000
MOST_BYTES: Final = 512 * 1024
"""Of text; what is made of it takes some ninety times as much memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document and its verdict: `errors` is empty exactly when it may be executed."""

    ast: DocumentNode | None
    errors: Sequence[GraphQLError] = ()
    costs: Mapping[str | None, int] = field(default_factory=dict)
    """What each operation may ask for, by its name, as gql.limits reckons it."""

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation that a request means; None where that is not clear."""
        definitions = self.ast.definitions if self.ast else ()
        operations = [part for part in definitions if isinstance(part, OperationDefinitionNode)]
        if name is None:
            return operations[0] if len(operations) == 1 else None
        return next((part for part in operations if part.name and part.name.value == name), None)

    def is_mutation(self, name: str | None) -> bool:
        operation = self.operation(name)
        return operation is not None and operation.operation is OperationType.MUTATION

    def cost(self, name: str | None) -> int:
        """0 where it is not clear which operation a request means."""
        operation = self.operation(name)
        if operation is None:
            return 0
        return self.costs[operation.name.value if operation.name else None]


class Documents:
    """Least recently used ones leave first. Refused documents are kept too, so that repeats cost nothing."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0

    def get(self, text: str) -> Document:
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._read(text)
        self._keep(text, document)
        return document

    def _read(self, text: str) -> Document:
        try:
            ast = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLSyntaxError as malformed:
            return Document(ast=None, errors=[malformed])
        costs: dict[str | None, int] = {}
        # A rule is a class to the library, which only calls it.
        limits = cast("type[Limits]", partial(Limits, costs=costs))
        errors = validate(self._schema, ast, (*specified_rules, limits), max_errors=MOST_ERRORS)
        return Document(ast=None if errors else ast, errors=errors, costs=costs)

    def _keep(self, text: str, document: Document) -> None:
        self._known[text] = document
        self._bytes += len(text)
        while self._bytes > MOST_BYTES or len(self._known) > MOST_DOCUMENTS:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= len(oldest)
