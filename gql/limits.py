"""What one document may ask for at most. gql/measure.py holds documents against it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    All but `tokens`, `aliases`, `directives` and `errors` are for each operation of a document.

    `directives` is at one place, such as a field; `depth` is of selection sets inside each other, fragments included.
    """

    tokens: int = 2000
    depth: int = 20
    aliases: int = 30
    root_fields: int = 20
    mutations: int = 5
    directives: int = 5
    cost: int = 10_000
    errors: int = 5
