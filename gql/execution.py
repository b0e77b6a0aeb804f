"""From a request to a response, past Strawberry's own view: parsing and validation happen once per document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSyntaxError, execute

from domain.errors import DatabaseUnavailable, DomainError, ErrorCode, ProcessorUnavailable
from gql.context import Context
from gql.documents import Documents
from gql.errors import input_path
from gql.executor import SCHEMA, LeanExecutor

SYNTAX: Final = "GRAPHQL_PARSE_FAILED"
VALIDATION: Final = "GRAPHQL_VALIDATION_FAILED"
INPUT: Final = "BAD_USER_INPUT"
INTERNAL: Final = "INTERNAL_ERROR"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A GraphQL request, however it came in."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    `was_executed` is False where the request itself was at fault, so that there is no data.

    `outage` is what left nothing to tell, so that there is no data either.
    """

    body: Mapping[str, Any]
    was_executed: bool
    outage: DatabaseUnavailable | None = None


class Executor:
    def __init__(self) -> None:
        self.documents = Documents(SCHEMA)

    async def execute(self, request: Request, context: Context) -> Response:
        """Business errors are in the payloads; the response's own errors carry a code each."""
        document = self.documents.get(request.query)
        if document.errors or document.ast is None:
            return refused(document.errors, context)
        result = execute(
            SCHEMA,
            document.ast,
            executor_class=LeanExecutor,
            context_value=context,
            variable_values=dict(request.variables or {}),
            operation_name=request.operation_name,
        )
        return answered(await result if isawaitable(result) else result, context)


def refused(errors: Sequence[GraphQLError], context: Context) -> Response:
    return Response(body={"errors": _shown(errors, context)}, was_executed=False)


def answered(result: ExecutionResult, context: Context) -> Response:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        return refused(errors, context)
    if outage := _outage(result):
        return Response(body={"errors": _shown(errors, context)}, was_executed=True, outage=outage)
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = _shown(errors, context)
    if context.user_errors:
        body["extensions"] = {"userErrors": context.user_errors}
    return Response(body=body, was_executed=True)


def _outage(result: ExecutionResult) -> DatabaseUnavailable | None:
    """The outage, if nothing but nulls is left."""
    if any(value is not None for value in (result.data or {}).values()):
        return None
    causes = (error.original_error for error in result.errors or ())
    return next((cause for cause in causes if isinstance(cause, DatabaseUnavailable)), None)


def _shown(errors: Sequence[GraphQLError], context: Context) -> list[dict[str, Any]]:
    return [_formatted(error, context) for error in errors]


def _formatted(error: GraphQLError, context: Context) -> dict[str, Any]:
    formatted = dict(error.formatted)
    message, extensions = _told(error, context)
    formatted["message"] = message
    formatted["extensions"] = {**extensions, "requestId": context.actor.request_id}
    return formatted


def _told(error: GraphQLError, context: Context) -> tuple[str, dict[str, Any]]:
    """What the caller may know: everything of an error of ours, nothing of a surprise."""
    cause = error.original_error
    match cause:
        case DomainError():
            return cause.message, {
                "code": cause.code.value,
                "retry": cause.retry.value,
                "argument": input_path(cause)[1:],
                **_wait(cause),
            }
        case None | GraphQLError():
            return error.message, {"code": _code(error)}
        case ValueError() if error.path is None:
            return "A value in the document cannot be read.", {"code": VALIDATION}
    log.error("graphql.failed", path=error.path, exc_info=cause, request_id=context.actor.request_id)
    return "Something went wrong on our side.", {"code": INTERNAL}


def _wait(cause: DomainError) -> dict[str, int]:
    if isinstance(cause, DatabaseUnavailable | ProcessorUnavailable):
        return {"retryAfterSeconds": cause.retry_after_seconds}
    return {}


def _code(error: GraphQLError) -> str:
    given = (error.extensions or {}).get("code")
    if given in ErrorCode.__members__:
        return str(given)
    if isinstance(error, GraphQLSyntaxError):
        return SYNTAX
    return VALIDATION if error.path is None and error.nodes and not _is_about_variables(error) else INPUT


def _is_about_variables(error: GraphQLError) -> bool:
    return error.message.startswith("Variable ")
