"""Documents that were measured, parsed and validated once: one bounded cache, keyed by the document's text."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

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
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from gql.attempts import attempts
from gql.card_numbers import refused_document
from gql.limits import Limits
from gql.measure import Measured, measured
from gql.refusals import Refusal, RequestRefused

if TYPE_CHECKING:
    from gql.compiled.plan import Plans

MOST_DOCUMENTS: Final = 1000
MOST_BYTES: Final = 512 * 1024
"""Of text; what is read of it takes some ninety times as much memory. Plans have a bound of their own."""

MOST_COMPARISONS: Final = 25_000
"""
Of fields that may be the same: what apps send takes some hundreds.

A twentieth of the library's own limit, with which 500 equal fields hold up everybody for most of a second.
"""
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = MOST_COMPARISONS


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document and its verdict: `errors` is empty exactly when it may be executed."""

    ast: DocumentNode | None
    digest: str = ""
    """The SHA-256 of its text, in hexadecimal; none where no text was found, or none was looked at."""
    errors: Sequence[GraphQLError] = ()
    costs: Mapping[str | None, int] = field(default_factory=dict)
    """What each operation may ask for, by its name, as gql/costs.py reckons it."""
    plans: dict[str | None, "Plans"] = field(default_factory=dict, compare=False, repr=False)
    """Of the operations that were executed, by their names; they leave the cache with the document."""

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation that a request means; None where that is not clear."""
        return self._operations.get(name)

    @cached_property
    def _operations(self) -> Mapping[str | None, OperationDefinitionNode]:
        """By name; under None the only one."""
        definitions = self.ast.definitions if self.ast else ()
        operations = [part for part in definitions if isinstance(part, OperationDefinitionNode)]
        found: dict[str | None, OperationDefinitionNode] = {
            part.name.value: part for part in operations if part.name
        }
        if len(operations) == 1:
            found[None] = operations[0]
        return found

    def is_mutation(self, name: str | None) -> bool:
        operation = self.operation(name)
        return operation is not None and operation.operation is OperationType.MUTATION

    def cost(self, name: str | None) -> int | None:
        """None where it is not clear which operation a request means."""
        operation = self.operation(name)
        if operation is None:
            return None
        return self.costs[operation.name.value if operation.name else None]

    def bank_attempts(self, name: str | None) -> int:
        """How often the operation asks a bank; 0 where it is not clear which one is meant."""
        operation = self.operation(name)
        return attempts(self.ast, operation) if self.ast and operation else 0


def refused(refusal: Refusal, message: str) -> Document:
    """What stands for a document that is not looked at, or not found."""
    return Document(ast=None, errors=[RequestRefused(refusal, message)])


def aborted(error: ValidationAbortedError) -> RequestRefused:
    """The library's word that it has seen enough, which names no place: of errors, or of work."""
    if "Too many" in error.message:
        return RequestRefused(Refusal.VALIDATION_FAILED, error.message)
    return RequestRefused(
        Refusal.LIMIT_EXCEEDED, "This repeats fields more often than can be checked.", limit="fields"
    )


class Documents:
    """
    Least recently used ones leave first. Refused documents are kept too, so that repeats cost nothing.

    Callers to whom the schema is not told have documents of their own: without introspection, and without a word
    in their errors of what was probably meant.
    """

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, *, introspection: bool = True, suggestions: bool = True
    ) -> None:
        self._schema, self._limits = schema, limits
        self._introspection, self._suggestions = introspection, suggestions
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0
        self._registered: dict[str, str] = {}
        self._hashes: dict[str, str] = {}

    def knows(self, text: str) -> bool:
        """Whether its verdict is kept, so that nothing has to be read."""
        return text in self._known

    def get(self, text: str) -> Document:
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        if with_number := refused_document(text):
            return Document(ast=None, errors=[with_number])
        document = self.read(text)
        self._keep(text, document)
        return document

    def register(self, sha256: str, text: str) -> Document:
        """As `get`; a document that may be executed is also found by its hash, until it leaves."""
        document = self.get(text)
        if text in self._known and not document.errors:
            self._registered[sha256], self._hashes[text] = text, sha256
        return document

    def registered(self, sha256: str) -> Document | None:
        text = self._registered.get(sha256)
        return None if text is None else self.get(text)

    def read(self, text: str) -> Document:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        try:
            ast = parse(text, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as malformed:
            return Document(ast=None, digest=digest, errors=[malformed])
        found = measured(self._schema, ast, self._limits)
        errors = found.refusals or self._unwanted(found) or self._broken_rules(ast)
        return Document(ast=None if errors else ast, digest=digest, errors=errors, costs=found.costs)

    def _unwanted(self, found: Measured) -> Sequence[GraphQLError]:
        if self._introspection or not found.introspects:
            return ()
        return [RequestRefused(Refusal.INTROSPECTION_DISABLED, "The schema is not told to this caller.")]

    def _broken_rules(self, ast: DocumentNode) -> Sequence[GraphQLError]:
        errors = validate(
            self._schema,
            ast,
            specified_rules,
            max_errors=self._limits.errors,
            hide_suggestions=not self._suggestions,
        )
        return [aborted(error) if isinstance(error, ValidationAbortedError) else error for error in errors]

    def _keep(self, text: str, document: Document) -> None:
        self._known[text] = document
        self._bytes += len(text)
        while self._bytes > MOST_BYTES or len(self._known) > MOST_DOCUMENTS:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= len(oldest)
            self._registered.pop(self._hashes.pop(oldest, ""), None)
