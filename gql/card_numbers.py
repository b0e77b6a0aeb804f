"""
No card number gets past the door (PCI DSS 4.0.1, requirement 3.2), whatever input it stands in.

A document that holds one, in a literal, a name or a comment, is refused before it is parsed, and is not kept. Of the
variables all are looked at, whatever they are for: a query is refused as a whole; a mutation answers as it does for
any other input that breaks a rule, and names the field.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from graphql import GraphQLError

from domain.card_number import contains_card_number, find_in, redacted
from domain.errors import InvalidInput

MESSAGE: Final = "This looks like a card number. Never send one to this API."


def refusal(*path: str) -> InvalidInput:
    return InvalidInput(MESSAGE, path=path, constraint="noCardNumber")


def refused_document(text: str) -> GraphQLError | None:
    """The error of a document, or of a name beside it, that holds a card number."""
    return as_error(refusal()) if contains_card_number(text) else None


def refused_variables(variables: Mapping[str, Any] | None) -> InvalidInput | None:
    """The error of variables among which there is one; its path begins with the variable's name."""
    place = find_in(variables) if variables else None
    return None if place is None else refusal(*map(str, place))


def refused_input(arguments: Mapping[str, Any], found: InvalidInput) -> InvalidInput:
    """The same for a mutation, by the field of its input, if it can be told."""
    given = {name: _values(value) for name, value in arguments.items()}
    place = find_in(given)
    return found if place is None else refusal(*map(str, place[1:]))


def as_error(refused: InvalidInput) -> GraphQLError:
    return GraphQLError(refused.message, original_error=refused)


def without_card_numbers(message: str) -> str:
    """A message that may repeat what was sent."""
    return redacted(message)


def _values(given: Any) -> Any:
    """An input object as a mapping, down to what is no input object of ours."""
    if is_dataclass(given) and not isinstance(given, type):
        return {part.name: _values(getattr(given, part.name)) for part in fields(given)}
    return [_values(part) for part in given] if isinstance(given, list) else given
