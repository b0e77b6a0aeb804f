"""The id by which one request is found again, in our logs and in the caller's."""

import re
from typing import Final
from uuid import uuid4

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.middleware import Middleware

from domain.card_number import contains_card_number

HEADER: Final = "X-Request-ID"

_ACCEPTABLE = re.compile(r"(?!evt_)[A-Za-z0-9._-]{8,128}", re.ASCII)


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return correlation_id.get() or ""


def is_acceptable(candidate: str) -> bool:
    """Whether a caller's own id may reach our logs and tables: no control characters, no card number, no event's."""
    return _ACCEPTABLE.fullmatch(candidate) is not None and not contains_card_number(candidate)


def request_id_middleware() -> Middleware:
    """Takes the caller's id if it is acceptable, makes one if not, and answers with it."""
    return Middleware(
        CorrelationIdMiddleware,
        header_name=HEADER,
        validator=is_acceptable,
        generator=lambda: str(uuid4()),
    )
