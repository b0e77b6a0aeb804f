"""The id by which one request is found again, in our logs and in the caller's."""

import re
from contextvars import ContextVar
from typing import Final
from uuid import uuid4

from starlette.types import Scope

from web.redaction import redacted_text

HEADER: Final = "X-Request-ID"

_NAME: Final = HEADER.lower().encode()
_ACCEPTABLE = re.compile(r"(?!evt_)[A-Za-z0-9._-]{8,128}", re.ASCII)
_CURRENT: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return _CURRENT.get()


def use_request_id(identity: str) -> None:
    """For whatever this task does from here on, and the tasks that it begins."""
    _CURRENT.set(identity)


def identified(scope: Scope) -> str:
    """The request's id from here on: the caller's own if it is acceptable, and one of ours if not."""
    theirs = next((value.decode("latin-1") for name, value in scope["headers"] if name == _NAME), "")
    identity = theirs if theirs and is_acceptable(theirs) else str(uuid4())
    use_request_id(identity)
    return identity


def is_acceptable(candidate: str) -> bool:
    """Whether a caller's own id may reach our logs and tables: no control characters, no secret, no event's."""
    return _ACCEPTABLE.fullmatch(candidate) is not None and redacted_text(candidate) == candidate
