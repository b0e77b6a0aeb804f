"""
The HTTP translator: what went wrong, as a status, headers and one JSON envelope.

    {"error": {"code", "message", "details": [{"field", "code"}], "retry", "request_id"}}
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http.client import responses as reason_phrases
from types import MappingProxyType
from typing import Final, TypedDict, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.actor import ANONYMOUS, Actor
from domain.card_number import redacted
from domain.errors import (
    DatabaseUnavailable,
    DomainError,
    ErrorCode,
    IdentityUnavailable,
    InvalidInput,
    KeyReused,
    ProcessorUnavailable,
    Retry,
    Unauthenticated,
)
from gql.denials import tell_denial
from web.request_id import request_id

STATUSES: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.INVALID_INPUT: 422,
    ErrorCode.AMOUNT_OUT_OF_RANGE: 422,
    ErrorCode.CURRENCY_RULE: 422,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.STATE_CONFLICT: 409,
    ErrorCode.DISPUTED: 409,
    ErrorCode.ALREADY_SUBSCRIBED: 409,
    ErrorCode.DUPLICATE_SUSPECTED: 409,
    ErrorCode.TRIAL_USED: 409,
    ErrorCode.METHOD_IN_USE: 409,
    ErrorCode.PREVIEW_STALE: 409,
    ErrorCode.METADATA_UNREADABLE: 500,
    ErrorCode.KEY_REUSED: 422,
    ErrorCode.KEY_IN_PROGRESS: 409,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.DECLINED: 402,
    # Not 502: a definite no, which the same request would only hear again, and proxies repeat a 502 by
    # themselves. Not 402: no bank was asked. Not 409: what must change is the request, not an object.
    ErrorCode.PROVIDER_REFUSED: 422,
    ErrorCode.PROVIDER_UNAVAILABLE: 503,
    ErrorCode.EVENT_NOT_APPLIED: 503,
}
"""The two key errors as in draft-ietf-httpapi-idempotency-key-header-07, section 2.7."""

BRIEF_WAIT_SECONDS: Final = 1
"""How long what holds another request's key or object usually takes to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpError:
    """What goes wrong before a rule of ours is asked. The code is as stable as an ErrorCode."""

    code: str
    message: str
    retry: Retry = Retry.NEVER


HTTP_ERRORS: Final[Mapping[int, HttpError]] = {
    400: HttpError(code="BAD_REQUEST", message="The request is malformed."),
    401: HttpError(code="UNAUTHENTICATED", message="A valid bearer token is needed."),
    403: HttpError(code="FORBIDDEN", message="This is not allowed."),
    404: HttpError(code="NOT_FOUND", message="There is nothing at this address."),
    405: HttpError(code="METHOD_NOT_ALLOWED", message="This address does not take that method."),
    406: HttpError(code="NOT_ACCEPTABLE", message="None of the accepted media types can be given."),
    408: HttpError(
        code="REQUEST_TIMEOUT", message="The body did not arrive in time.", retry=Retry.LATER_SAME_KEY
    ),
    413: HttpError(code="CONTENT_TOO_LARGE", message="The body is too large."),
    414: HttpError(code="URI_TOO_LONG", message="The address is too long."),
    415: HttpError(code="UNSUPPORTED_MEDIA_TYPE", message="This media type or encoding is not taken here."),
    431: HttpError(code="HEADERS_TOO_LARGE", message="The headers are too large."),
    429: HttpError(code="RATE_LIMITED", message="Too many requests.", retry=Retry.LATER_SAME_KEY),
    500: HttpError(
        code="INTERNAL_ERROR",
        message="Something went wrong on our side. Quote the request id when you ask about it.",
        retry=Retry.LATER_SAME_KEY,
    ),
    503: HttpError(code="UNAVAILABLE", message="Not available right now.", retry=Retry.LATER_SAME_KEY),
}

CARD_NUMBER: Final = "noCardNumber"
"""The constraint that `domain.text` names where a card number stands in a field."""

_ITS_OWN: Final[Mapping[str, str]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_UNNAMED = HttpError(code="REQUEST_FAILED", message="The request failed.")


class Detail(TypedDict):
    """`field` is the path to it, joined by dots."""

    field: str
    code: str


def sender(request: Request) -> Actor:
    """Whoever sent it, as far as a token has told."""
    unknown = replace(ANONYMOUS, ip=request.client.host if request.client else None)
    actor: Actor = request.scope.get("actor", unknown)
    return actor


class UnfitFields(InvalidInput):
    """Several fields of one request that break the rules of their form."""

    def __init__(self, details: Sequence[Detail]) -> None:
        named = ", ".join(sorted({detail["field"] for detail in details}))
        super().__init__(f"The request does not have the form that it must have: {named}.")
        self.details = details


def domain_response(
    error: DomainError,
    request: Request,
    *,
    names: Mapping[str, str] = _ITS_OWN,
    more: Mapping[str, object] = _NOTHING,
) -> Response:
    """`names` are the API's names of fields that the domain calls otherwise; `more` is added to the envelope."""
    tell_denial(error, sender(request), what=request.url.path)
    headers = retry_after(error) | challenge(error, request)
    told = domain_envelope(error, under=request_id(), names=names, more=more)
    return JSONResponse(told, status_of(error), headers)


def domain_envelope(
    error: DomainError,
    *,
    under: str,
    names: Mapping[str, str] = _ITS_OWN,
    more: Mapping[str, object] = _NOTHING,
) -> Mapping[str, object]:
    """What `domain_response` answers under this request id."""
    details = [
        Detail(field=names.get(each["field"], each["field"]), code=each["code"]) for each in _details(error)
    ]
    said = HttpError(code=error.code.value, message=error.message, retry=error.retry)
    return envelope(said, under=under, details=details, more=more)


def status_of(error: DomainError) -> int:
    """A card number makes a bad request of any other: it should never have been sent."""
    holds_card = isinstance(error, InvalidInput) and error.constraint == CARD_NUMBER
    return 400 if holds_card else STATUSES[error.code]


def http_response(
    status: int, *, message: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The envelope for an error that no DomainError describes; the message replaces the usual one."""
    error = HTTP_ERRORS.get(status, _UNNAMED)
    told = envelope(replace(error, message=message or error.message), under=request_id())
    return JSONResponse(told, status, headers)


async def on_domain_error(request: Request, error: Exception) -> Response:
    return domain_response(cast("DomainError", error), request)


async def on_http_exception(request: Request, error: Exception) -> Response:
    failure = cast("HTTPException", error)
    if failure.status_code == 401:
        return domain_response(Unauthenticated(HTTP_ERRORS[401].message), request)
    return http_response(failure.status_code, message=_sentence(failure), headers=failure.headers)


async def on_unforeseen(request: Request, error: Exception) -> Response:
    """The same answer as the error boundary's, should the boundary itself or what lies around it fail."""
    return http_response(500)


EXCEPTION_HANDLERS: Final[Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    DomainError: on_domain_error,
    HTTPException: on_http_exception,
    Exception: on_unforeseen,
}
"""For `Starlette(exception_handlers=...)`."""


def _sentence(failure: HTTPException) -> str | None:
    """What the handler said, unless Starlette said it: then it is only the name of the status."""
    return None if failure.detail == reason_phrases.get(failure.status_code) else failure.detail


def envelope(
    error: HttpError,
    *,
    under: str,
    details: Sequence[Detail] = (),
    more: Mapping[str, object] = _NOTHING,
) -> Mapping[str, object]:
    """
    The error under the id of its request.

    Names of fields and parameters are the caller's, and may hold a card number.
    """
    described = {
        "code": error.code,
        "message": redacted(error.message),
        "details": [Detail(field=redacted(each["field"]), code=each["code"]) for each in details],
        "retry": error.retry.value,
        "request_id": under,
        **more,
    }
    return {"error": described}


def _details(error: DomainError) -> Sequence[Detail]:
    if isinstance(error, UnfitFields):
        return error.details
    if isinstance(error, KeyReused):
        return [Detail(field=field, code="DIFFERENT") for field in error.differing_fields]
    constraint = error.constraint if isinstance(error, InvalidInput) else None
    return [Detail(field=".".join(error.path), code=constraint or error.code.value)] if error.path else []


def retry_after(error: DomainError) -> dict[str, str]:
    if error.retry is not Retry.LATER_SAME_KEY:
        return {}
    if isinstance(error, DatabaseUnavailable | IdentityUnavailable | ProcessorUnavailable):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {"Retry-After": str(BRIEF_WAIT_SECONDS)}


def challenge(error: DomainError, request: Request) -> dict[str, str]:
    """RFC 6750, section 3: a caller who sent no credentials is told of no error."""
    if error.code is not ErrorCode.UNAUTHENTICATED:
        return {}
    reason = ', error="invalid_token"' if "authorization" in request.headers else ""
    return {"WWW-Authenticate": f'Bearer realm="payments"{reason}'}
