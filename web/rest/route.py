"""What a row of the route table says. Everything about an endpoint is data, from which documentation is made too."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, get_args

from pydantic import ConfigDict

from domain.actor import Role
from domain.errors import ErrorCode
from web.content_type import JSON
from web.errors import STATUSES
from web.rest.fields import Body, Model, NoQuery, Query

if TYPE_CHECKING:
    from web.rest.call import Call

BASE: Final = "/api/v1/payments"

D = TypeVar("D")
M = TypeVar("M")


class Who(Enum):
    """Who may call."""

    SIGNED_IN = frozenset({Role.USER, Role.SUPPORT, Role.ADMIN, Role.SERVICE})
    ADMINS = frozenset({Role.ADMIN})


class NoMeta(Model):
    """Nothing to say about the data."""


class Envelope(Model, Generic[D, M]):
    """What every success looks like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: D
    meta: M

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name in the generated documentation, such as Payment_CommandMeta and PaymentList_PageMeta."""
        data, meta = params
        [shown] = get_args(data) or (data,)
        return f"{shown.__name__.removesuffix('Body')}{'List' if get_args(data) else ''}_{meta.__name__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One way in which an endpoint may answer; without a model the body is no JSON, or there is none."""

    description: str
    model: type[Envelope[Any, Any]] | None = None
    media_type: str | None = JSON
    headers: Sequence[str] = ()


COMMON_ERRORS: Final = (ErrorCode.UNAUTHENTICATED, ErrorCode.UNAVAILABLE)
"""What any endpoint may answer."""
COMMAND_ERRORS: Final = (
    ErrorCode.INVALID_INPUT,
    ErrorCode.FORBIDDEN,
    ErrorCode.KEY_REUSED,
    ErrorCode.KEY_IN_PROGRESS,
    ErrorCode.PROVIDER_REFUSED,
    ErrorCode.PROVIDER_UNAVAILABLE,
)
"""What any endpoint may answer that does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRoute:
    """One endpoint, and all there is to say about it."""

    name: str
    """The anchor of its entry in the migration guide."""
    method: str
    path: str
    """What follows `BASE`; an `{id}` in it is of an object of the type `identified`."""
    identified: type | None = None
    summary: str
    description: str = ""
    who: Who = Who.SIGNED_IN
    graphql: Sequence[str]
    """The operations that do the same."""
    query: type[Query] = NoQuery
    body: type[Body] | None = None
    takes_key: bool = False
    """Whether it does something, under an Idempotency-Key where the caller sends one."""
    replies: Mapping[int, Reply]
    """Its successes, by status."""
    errors: Sequence[ErrorCode] = ()
    """Beside `COMMON_ERRORS`, and `COMMAND_ERRORS` where it does something."""
    statuses: Mapping[ErrorCode, int] = field(default_factory=dict)
    """Of codes that have another one here than elsewhere."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What this API calls the fields which the domain calls otherwise."""
    handle: "Callable[[Call[Any, Any]], Awaitable[Any]]"

    @property
    def all_errors(self) -> Sequence[ErrorCode]:
        """Each once, in the order of their declaration."""
        known = {*COMMON_ERRORS, *self.errors, *(COMMAND_ERRORS if self.takes_key else ())}
        return [code for code in ErrorCode if code in known]

    @property
    def error_statuses(self) -> Mapping[int, Sequence[str]]:
        """The codes that each status of an error may come with."""
        found: dict[int, list[str]] = {}
        for code in self.all_errors:
            found.setdefault(self.statuses.get(code, STATUSES[code]), []).append(code.value)
        if self.body is not None or self.takes_key:
            found.setdefault(400, []).extend(["BAD_REQUEST", ErrorCode.INVALID_INPUT.value])
        found[429] = ["RATE_LIMITED"]
        if self.body is not None:
            found |= {408: ["REQUEST_TIMEOUT"], 413: ["CONTENT_TOO_LARGE"], 415: ["UNSUPPORTED_MEDIA_TYPE"]}
        return dict(sorted(found.items()))
