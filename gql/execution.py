"""From a request to a response, past Strawberry's own view: parsing and validation happen once per document."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

import structlog
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSyntaxError, execute

from domain.actor import Actor, Role
from domain.errors import (
    DatabaseUnavailable,
    DomainError,
    ErrorCode,
    InvalidInput,
    MetadataUnreadable,
    ProcessorUnavailable,
    Retry,
)
from domain.ports import ALL
from gql.batches import watched_batches
from gql.card_numbers import as_error, refused_document, refused_variables, without_card_numbers
from gql.compiled.payloads import PayloadExecutor, Payloads
from gql.compiled.plan import Plans
from gql.compiled.shelf import Shelf
from gql.compiled.surprise import NotPlanned
from gql.context import Context
from gql.costs import CHARACTER
from gql.denials import tell_denial
from gql.documents import Document
from gql.errors import input_path
from gql.executor import SCHEMA, LeanExecutor
from gql.library import Library
from gql.policy import Policy
from gql.refusals import Refusal, RequestRefused

INPUT: Final = "BAD_USER_INPUT"
INTERNAL: Final = "INTERNAL_ERROR"
TIMEOUT: Final = "TIMEOUT"
LATE_SECONDS: Final = 5
"""After how long a query that took too long may be tried once more."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A GraphQL request, however it came in: with a document, or with the SHA-256 of one, or with both."""

    query: str | None = None
    sha256: str | None = None
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    A request with its document: what it may cost, in points, is known before anything of it runs.

    `cost` is None where nothing will: the document is refused, or it is not clear which operation is meant.
    """

    request: Request
    document: Document
    cost: int | None
    is_mutation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    `was_executed` is False where the request itself was at fault, so that there is no data.

    `retry_after_seconds` is set where an outage, or the time-out, left nothing to tell.
    """

    body: Mapping[str, Any]
    was_executed: bool
    retry_after_seconds: int | None = None


class Executor:
    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy or Policy()
        self._library = Library(SCHEMA, self._policy)
        self._shelves = {is_anonymous: Shelf() for is_anonymous in (False, True)}

    def reading_cost(self, request: Request, *, by: Actor) -> int:
        """In points, of judging a document that is not known yet; 0 for any other."""
        return self._library.unread(request.query, request.sha256, by=by) * CHARACTER

    def asked(self, request: Request, *, by: Actor) -> Asked:
        document = self._library.find(request.query, request.sha256, by=by)
        name = request.operation_name
        return Asked(
            request=request,
            document=document,
            cost=document.cost(name),
            is_mutation=document.is_mutation(name),
        )

    async def execute(self, asked: Asked, context: Context) -> Response:
        """Business errors are in the payloads; the response's own errors carry a code each."""
        document = asked.document
        if document.errors or document.ast is None:
            return refused(document.errors, context)
        if with_number := _with_card_number(asked, context):
            return refused([with_number], context)
        result = await self._result(asked, document.ast, context)
        if result is None:
            return late(self._policy, context)
        return answered(result, context, self._extensions(asked, context))

    async def _result(self, asked: Asked, ast: DocumentNode, context: Context) -> ExecutionResult | None:
        """
        None for a query that takes too long; what it has begun ends, and lets go of its connections.

        A mutation may take its time. Its command is bounded by itself, and whoever cut it off would have to tell
        of an outcome that is not known.
        """
        seconds = None if asked.is_mutation else self._policy.query_seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                if (planned := await self._planned(asked, ast, context)) is not None:
                    return planned
                if seconds is not None:  # What a plan has waited for in vain is not the resolvers' time.
                    limit.reschedule(asyncio.get_running_loop().time() + seconds)
                return await self._resolved(asked, ast, context)
        except TimeoutError:
            if not limit.expired():
                raise
            return None

    async def _planned(self, asked: Asked, ast: DocumentNode, context: Context) -> ExecutionResult | None:
        """None where there is no plan, or it was surprised: graphql-core tells exactly by what, and where."""
        plans = None if asked.is_mutation else self._plans(asked, ast, context)
        if plans is None:
            return None
        try:
            with watched_batches():
                found = await plans.result(asked.request.variables or {}, context)
        except NotPlanned:
            return None
        except Exception as surprise:  # noqa: BLE001 - graphql-core meets it again, and tells of it
            log.debug("plan.surprised", cause=type(surprise).__name__)
            context.show(ALL)
            return None
        context.is_planned = True
        return found

    async def _resolved(self, asked: Asked, ast: DocumentNode, context: Context) -> ExecutionResult:
        plans = self._plans(asked, ast, context) if asked.is_mutation else None
        if plans is None:
            return await self._executed(asked, ast, context, LeanExecutor)
        payloads = Payloads(plans)
        found = await self._executed(asked, ast, context, PayloadExecutor, payloads=payloads)
        context.is_planned = payloads.are_planned
        return found

    async def _executed(
        self, asked: Asked, ast: DocumentNode, context: Context, by: type[LeanExecutor], **more: Any
    ) -> ExecutionResult:
        with watched_batches():
            result = execute(
                SCHEMA,
                ast,
                executor_class=by,
                context_value=context,
                variable_values=dict(asked.request.variables or {}),
                operation_name=asked.request.operation_name,
                hide_suggestions=not self._policy.tells_schema_to(context.actor),
                **more,
            )
            return await result if isawaitable(result) else result

    def _plans(self, asked: Asked, ast: DocumentNode, context: Context) -> Plans | None:
        """None where it is not clear which operation is meant. Anonymous callers crowd out nobody else's plans."""
        if not self._policy.by_plans:
            return None
        name, known = asked.request.operation_name, asked.document.plans
        if name not in known:
            operation = asked.document.operation(name)
            if operation is None:
                return None
            shelf = self._shelves[context.actor.role is Role.ANONYMOUS]
            known[name] = Plans(SCHEMA, ast, operation, shelf)
        return known[name]

    def _extensions(self, asked: Asked, context: Context) -> dict[str, Any]:
        extensions: dict[str, Any] = {}
        if self._policy.tells_cost:
            extensions["cost"] = {"asked": asked.cost, "limit": self._policy.limits.cost}
        if context.user_errors:
            extensions["userErrors"] = context.user_errors
        return extensions


def _with_card_number(asked: Asked, context: Context) -> GraphQLError | None:
    """Why nothing of the request may run; mutations say it themselves of their own inputs."""
    request = asked.request
    if named := refused_document(request.operation_name or ""):
        return named
    found = refused_variables(request.variables)
    if found is not None and not asked.is_mutation:
        return as_error(found)
    context.card_number = found
    return None


def refused(errors: Sequence[GraphQLError], context: Context) -> Response:
    return Response(body={"errors": _shown(errors, context)}, was_executed=False)


def late(policy: Policy, context: Context) -> Response:
    error = {
        "message": f"This took more than {policy.query_seconds:g} seconds and was cut off. Ask for less at once.",
        "extensions": {
            "code": TIMEOUT,
            "retry": Retry.LATER_SAME_KEY.value,
            "retryAfterSeconds": LATE_SECONDS,
            "requestId": context.actor.request_id,
        },
    }
    log.warning("graphql.timeout", request_id=context.actor.request_id)
    return Response(body={"errors": [error]}, was_executed=True, retry_after_seconds=LATE_SECONDS)


def answered(result: ExecutionResult, context: Context, extensions: Mapping[str, Any]) -> Response:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        return refused([as_error(context.card_number)] if context.card_number else errors, context)
    if outage := _outage(result):
        return Response(
            body={"errors": _shown(errors, context)},
            was_executed=True,
            retry_after_seconds=outage.retry_after_seconds,
        )
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = _shown(errors, context)
    if extensions:
        body["extensions"] = extensions
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
    formatted["message"] = without_card_numbers(message)
    formatted["extensions"] = {**extensions, "requestId": context.actor.request_id}
    return formatted


def _told(error: GraphQLError, context: Context) -> tuple[str, dict[str, Any]]:
    """What the caller may know: everything of an error of ours, nothing of a surprise."""
    cause = error.original_error
    if isinstance(error, RequestRefused):
        return error.message, dict(error.extensions or {})
    if isinstance(cause, MetadataUnreadable):
        log.error("metadata.unreadable", path=error.path, reason=cause.message)
    match cause:
        case DomainError():
            tell_denial(cause, context.actor, what=_place(error))
            return cause.message, {
                "code": cause.code.value,
                "retry": cause.retry.value,
                "argument": input_path(cause)[1:],
                **_constraint(cause),
                **_wait(cause),
            }
        case None | GraphQLError():
            return error.message, {"code": _code(error)}
        case ValueError() if error.path is None:
            return "A value in the document cannot be read.", {"code": Refusal.VALIDATION_FAILED}
    log.error("graphql.failed", path=error.path, exc_info=cause, request_id=context.actor.request_id)
    return "Something went wrong on our side.", {"code": INTERNAL}


def _place(error: GraphQLError) -> str:
    return ".".join(str(step) for step in error.path or () if isinstance(step, str))


def _constraint(cause: DomainError) -> dict[str, str]:
    constraint = cause.constraint if isinstance(cause, InvalidInput) else None
    return {"constraint": constraint} if constraint else {}


def _wait(cause: DomainError) -> dict[str, int]:
    if isinstance(cause, DatabaseUnavailable | ProcessorUnavailable):
        return {"retryAfterSeconds": cause.retry_after_seconds}
    return {}


def _code(error: GraphQLError) -> str:
    given = (error.extensions or {}).get("code")
    if given in ErrorCode.__members__:
        return str(given)
    if isinstance(error, GraphQLSyntaxError):
        return Refusal.PARSE_FAILED
    return (
        Refusal.VALIDATION_FAILED
        if error.path is None and error.nodes and not _is_about_variables(error)
        else INPUT
    )


def _is_about_variables(error: GraphQLError) -> bool:
    return error.message.startswith("Variable ")
