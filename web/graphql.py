"""
POST and GET (or HEAD) /graphql: GraphQL over HTTP, as https://graphql.github.io/graphql-over-http/draft/ has it.

Another site cannot have a browser act for its user here (CSRF). Only JSON bodies are read, which no form can send and
which a script of another origin must ask for first (CORS). GET needs no such leave, but runs queries only. And neither
would carry the user's token, which is in no cookie: whatever is sent that way is anonymous.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.actor import Actor
from domain.errors import DomainError, IdentityUnavailable, Unauthenticated
from gql.context import Context, Services
from gql.costs import REFUSED
from gql.denials import tell_denial
from gql.execution import Asked, Executor
from gql.execution import Request as GraphQLRequest
from gql.execution import Response as GraphQLResponse
from gql.json import written_body
from gql.summary import Summary
from web.auth import Authentication
from web.body_limit import whole_body
from web.content_type import JSON, must_be_json
from web.errors import HTTP_ERRORS, challenge, domain_response, on_http_exception, retry_after, sender
from web.headers import Header, header
from web.rates.limits import UNLIMITED, RateLimited, RateLimits
from web.request_id import request_id
from web.summaries import SUMMARY

GRAPHQL_JSON: Final = "application/graphql-response+json"
ANYTHING: Final = frozenset({"*/*", "application/*"})
BAD_REQUEST: Final = "BAD_REQUEST"
HASH_PREFIX: Final = "sha256:"
CONTENT_TYPES: Final[Mapping[str, Header]] = {
    media_type: (b"content-type", f"{media_type}; charset=utf-8".encode())
    for media_type in (JSON, GRAPHQL_JSON)
}
ALLOW: Final = {"Allow": "GET, POST"}


class GraphQL:
    """The endpoint. `limits` take an operation's cost from its caller's budget before anything of it runs."""

    def __init__(
        self,
        executor: Executor,
        authentication: Authentication,
        services: Services,
        limits: RateLimits = UNLIMITED,
    ) -> None:
        self._executor, self._authentication, self._services = executor, authentication, services
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an application of its own, so that no wrapper of Starlette's is made for each request."""
        try:
            answer = await self._answer(scope, receive)
        except HTTPException as failure:
            answer = await on_http_exception(Request(scope), failure)
        except DomainError as error:
            answer = domain_response(error, Request(scope))
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> ASGIApp:
        media_type = accepted_type(header(scope, b"accept"))
        try:
            actor = await self._authentication.actor(scope)
            await self._limits.admit(actor)
            sent = await read_body(scope, receive) if scope["method"] == "POST" else read_query(scope)
        except Unauthenticated as refused:
            request = Request(scope)
            tell_denial(refused, sender(request), what=request.url.path)
            return failed(401, refused.code, refused.message, media_type, challenge(refused, request))
        except IdentityUnavailable as away:
            wait = {"retryAfterSeconds": away.retry_after_seconds}
            return failed(503, away.code, away.message, media_type, retry_after(away), wait)
        except RateLimited as refused:
            return rate_limited(Request(scope), refused)
        except ValueError as malformed:
            return failed(400, BAD_REQUEST, str(malformed), media_type)
        try:
            asked = await self._judged(sent, actor)
            must_be_posted(asked, scope["method"])
            await self._charge(asked, actor)
        except RateLimited as refused:
            return rate_limited(Request(scope), refused)
        context = Context(actor=actor, services=self._services)
        response = await self._executor.execute(asked, context)
        scope[SUMMARY] = Summary.of(asked, response.body, is_planned=context.is_planned)
        return rendered(response, media_type)

    async def _judged(self, sent: GraphQLRequest, actor: Actor) -> Asked:
        """Reading a document is paid for beforehand, and what it was refused for afterwards; once, since it is kept."""
        reading = self._executor.reading_cost(sent, by=actor)
        if reading:
            await self._limits.charge(actor, reading)
        asked = self._executor.asked(sent, by=actor)
        if reading and asked.document.errors:
            await self._limits.charge(actor, REFUSED)
        return asked

    async def _charge(self, asked: Asked, actor: Actor) -> None:
        if asked.cost is not None:
            payments = asked.document.bank_attempts(asked.request.operation_name)
            await self._limits.charge(actor, asked.cost, is_mutation=asked.is_mutation, payments=payments)


def accepted_type(accept: str) -> str:
    """The media type to answer in; raises 406 where the client takes neither."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    if GRAPHQL_JSON in wanted:
        return GRAPHQL_JSON
    if not wanted or JSON in wanted or not ANYTHING.isdisjoint(wanted):
        return JSON
    raise HTTPException(406)


def must_be_posted(asked: Asked, method: str) -> None:
    """Raises 405 for a mutation that is sent in any other way."""
    if asked.is_mutation and method != "POST":
        raise HTTPException(405, "Only queries can be sent by GET.", ALLOW)


async def read_body(scope: Scope, receive: Receive) -> GraphQLRequest:
    """Raises 415 for a body of another type, ValueError for one that is no GraphQL request."""
    must_be_json(header(scope, b"content-type"))
    try:
        body = orjson.loads(await whole_body(receive))
    except orjson.JSONDecodeError as malformed:
        raise ValueError("The body is not JSON.") from malformed
    if not isinstance(body, dict):
        raise ValueError("The body must be one JSON object; batches are not taken.")
    return graphql_request(body)


def read_query(scope: Scope) -> GraphQLRequest:
    """Raises ValueError for a query string that is no GraphQL request."""
    given: dict[str, Any] = dict(Request(scope).query_params)
    try:
        decoded = {name: orjson.loads(given[name]) for name in ("variables", "extensions") if given.get(name)}
    except orjson.JSONDecodeError as malformed:
        raise ValueError("variables and extensions must be JSON.") from malformed
    return graphql_request({**given, **decoded})


def graphql_request(body: Mapping[str, Any]) -> GraphQLRequest:
    """Extensions that we do not know are ignored, but have a form all the same; raises ValueError."""
    sha256 = document_hash(body)
    return GraphQLRequest(
        query=_checked(body, "query", _is_text if sha256 is None else _is_text_or_null, "a string"),
        sha256=sha256,
        variables=_checked(body, "variables", _is_object_or_null, "an object"),
        operation_name=_checked(body, "operationName", _is_text_or_null, "a string") or None,
    )


def document_hash(body: Mapping[str, Any]) -> str | None:
    """
    By which a document is named, in either of two ways; raises ValueError.

    `documentId` is that of GraphQL over HTTP, appendix A; `extensions.persistedQuery` is Apollo's.
    """
    extensions = _checked(body, "extensions", _is_object_or_null, "an object") or {}
    document_id = _checked(body, "documentId", _is_text_or_null, "a string")
    if document_id is not None:
        return str(document_id).removeprefix(HASH_PREFIX)
    persisted = _checked(extensions, "persistedQuery", _is_object_or_null, "an object")
    if persisted is None:
        return None
    if persisted.get("version") != 1:
        raise ValueError("persistedQuery.version must be 1.")
    return str(_checked(persisted, "sha256Hash", _is_text, "a string"))


def _checked(body: Mapping[str, Any], name: str, is_valid: Callable[[Any], bool], kind: str) -> Any:
    value = body.get(name)
    if not is_valid(value):
        raise ValueError(f"{name} must be {kind}.")
    return value


def _is_object_or_null(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def rate_limited(request: Request, refused: RateLimited) -> Response:
    """Also for what is refused before it comes here."""
    wanted = GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else JSON
    usual = HTTP_ERRORS[429]
    advice = {"retry": usual.retry.value, "retryAfterSeconds": refused.retry_after_seconds}
    return failed(429, usual.code, refused.sentence, wanted, refused.headers, advice)


def failed(
    status: int,
    code: str,
    message: str,
    media_type: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """An answer that GraphQL clients understand, for a request that never reached GraphQL; `more` are extensions."""
    error = {"message": message, "extensions": {"code": code, "requestId": request_id(), **(more or {})}}
    return Response(orjson.dumps({"errors": [error]}), status, headers, media_type)


class Written:
    """An answer whose body is written, sent without the many questions that Starlette's own asks of its headers."""

    def __init__(self, body: bytes, status: int, headers: Sequence[Header]) -> None:
        self._body, self._status = body, status
        self._headers = [*headers, (b"content-length", b"%d" % len(body))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def rendered(response: GraphQLResponse, media_type: str) -> Written:
    """In the legacy media type, a request that reached GraphQL is always a 200."""
    status, headers = 200, [CONTENT_TYPES[media_type]]
    if media_type != JSON and response.retry_after_seconds is not None:
        status = 503
        headers.append((b"retry-after", b"%d" % response.retry_after_seconds))
    elif media_type != JSON and not response.was_executed:
        status = 400
    return Written(written_body(response.body), status, headers)
