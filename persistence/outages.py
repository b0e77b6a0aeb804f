"""Which failures of the database pass by themselves; all others are defects, and go their way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import asyncpg
import structlog
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from structlog.typing import FilteringBoundLogger

from domain.errors import DatabaseUnavailable

DriverError: Final = AsyncAdapt_asyncpg_dbapi.Error
REASONS: Final[Mapping[str, str]] = {
    "08": "connection_lost",
    "53": "out_of_resources",
    "25006": "read_only",  # A standby, such as the former primary after a failover.
    "25P03": "transaction_timeout",
    "25P04": "transaction_timeout",
    "40001": "serialization_failure",
    "40P01": "deadlock",
    "55P03": "lock_timeout",
    "57014": "statement_timeout",
    "57P01": "shutting_down",
    "57P02": "crashed",
    "57P03": "starting_up",
    "57P05": "connection_lost",
    "58030": "io_error",
}
"""By SQLSTATE, or its class: https://www.postgresql.org/docs/18/errcodes-appendix.html"""

POOL_EXHAUSTED: Final = "pool_exhausted"
CONNECTION_LOST: Final = "connection_lost"
UNREACHABLE: Final = "unreachable"
TOO_SLOW: Final = "too_slow"

SOON: Final = 1
"""Seconds after which somebody else's lock or connection is likely to be free."""
LATER: Final = 5
"""Seconds that a server takes to come back."""
PASS_SOON: Final = frozenset(
    {POOL_EXHAUSTED, "deadlock", "lock_timeout", "serialization_failure", "statement_timeout"}
)

log: FilteringBoundLogger = structlog.get_logger()


class TooSlow(TimeoutError):
    """Our own patience was over before PostgreSQL's."""


@contextmanager
def outages_told() -> Iterator[None]:
    """Raises DatabaseUnavailable, and logs it in one line, where what was tried may succeed later."""
    try:
        yield
    except Exception as failure:
        tell_outage(failure)
        raise


def tell_outage(failure: BaseException) -> None:
    """Raises DatabaseUnavailable, and logs it in one line, if that is why it failed."""
    reason = passing_reason(failure)
    if reason is None:
        return
    log.warning("database.unavailable", reason=reason, error=type(failure).__name__)
    wait = SOON if reason in PASS_SOON else LATER
    raise DatabaseUnavailable(reason, retry_after_seconds=wait) from failure


def passing_reason(failure: BaseException) -> str | None:
    """What happened, in a word; None where trying again would not help."""
    match failure:
        case PoolTimeout():
            return POOL_EXHAUSTED
        case DBAPIError():
            known = _by_state(failure.orig) or (CONNECTION_LOST if failure.connection_invalidated else None)
            return known or (passing_reason(failure.orig) if failure.orig else None)
        case DriverError(__cause__=BaseException() as cause):  # SQLAlchemy's name for it, while it connects.
            return passing_reason(cause)
        case asyncpg.PostgresError():
            return _by_state(failure)
        case asyncpg.InterfaceError():
            return CONNECTION_LOST if "connection is closed" in str(failure) else None
        case asyncpg.InternalClientError():  # Used at the moment at which the server says goodbye.
            return CONNECTION_LOST
        case TooSlow():
            return TOO_SLOW
        case OSError():  # Nobody listens, or nobody answers in time.
            return UNREACHABLE
    return None


def _by_state(failure: BaseException | None) -> str | None:
    state = getattr(failure, "sqlstate", None) or ""
    return REASONS.get(state) or REASONS.get(state[:2])
