"""
Whom access was denied to, in the log: the security event that PCI DSS 4.0.1 asks for (requirement 10.2.1.4).

What is unknown and what is another's look alike to the caller, and to us as well, since the owner is part of each
query's condition. Many of one caller's NOT_FOUND are somebody who tries ids.
"""

from typing import Final

import structlog

from domain.actor import Actor
from domain.errors import DomainError, ErrorCode

DENIED: Final = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN})
NOT_SEEN: Final = frozenset({ErrorCode.NOT_FOUND})

log = structlog.get_logger()


def tell_denial(error: DomainError, actor: Actor, *, what: str) -> None:
    """Nothing for any other error. `what` is what was asked for: a field, or a path."""
    if error.code in DENIED:
        log.warning("access.denied", **_facts(error, actor, what))
    elif error.code in NOT_SEEN:
        log.info("access.not_found", **_facts(error, actor, what))


def _facts(error: DomainError, actor: Actor, what: str) -> dict[str, str | None]:
    return {
        "code": error.code.value,
        "what": what,
        "role": actor.role.value,
        "user_id": str(actor.user_id) if actor.user_id else None,
        "ip": actor.ip,
    }
