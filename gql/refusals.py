"""Why a request was refused before anything of it ran."""

from enum import StrEnum
from typing import Any

from graphql import GraphQLError, Node


class Refusal(StrEnum):
    """For programs; as stable as the codes of domain/errors.py. Those of persisted queries are Apollo's."""

    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    LIMIT_EXCEEDED = "GRAPHQL_LIMIT_EXCEEDED"
    INTROSPECTION_DISABLED = "INTROSPECTION_DISABLED"
    NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    HASH_MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"


class RequestRefused(GraphQLError):
    """`told` stands beside the code, for programs that want to know more."""

    def __init__(self, refusal: Refusal, message: str, node: Node | None = None, **told: Any) -> None:
        super().__init__(message, node, extensions={"code": refusal.value, **told})
