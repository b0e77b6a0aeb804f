"""What may be told of a request and its answer in logs, metrics and traces: never its text, and no value in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from gql.execution import Asked

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """
    `kind` is `query` or `mutation`; UNKNOWN where no operation could be made out, which then has no cost either.

    `name` is the caller's own choice, of any length. `codes` has one for each error, those in payloads included.
    """

    name: str | None = None
    kind: str = UNKNOWN
    cost: int = 0
    document: str = ""
    """The SHA-256 of its text, by which the same document is known again."""
    codes: tuple[str, ...] = ()
    is_planned: bool = False
    """Whether a plan has answered, and not graphql-core."""

    @classmethod
    def of(cls, asked: Asked, body: Mapping[str, Any], *, is_planned: bool = False) -> Self:
        operation = asked.document.operation(asked.request.operation_name)
        codes = codes_in(body)
        if operation is None:
            return cls(document=asked.document.digest, codes=codes)
        return cls(
            name=operation.name.value if operation.name else None,
            kind=operation.operation.value,
            cost=asked.cost or 0,
            document=asked.document.digest,
            codes=codes,
            is_planned=is_planned,
        )


def codes_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the answer's own errors, and of those in its payloads."""
    own = [error["extensions"]["code"] for error in body.get("errors", ())]
    business = [error["code"] for error in body.get("extensions", {}).get("userErrors", ())]
    return (*own, *business)
