"""What came of a GraphQL request, in a word: for metrics and traces."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.errors import ErrorCode
from gql.execution import INPUT, INTERNAL, TIMEOUT
from gql.refusals import Refusal
from gql.summary import UNKNOWN, Summary


class RequestOutcome(StrEnum):
    """The worse ones come later, and decide where several things went wrong."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """By a rule, by the caller's rights, by the card's issuer."""
    INVALID = "invalid"
    """The document, or what was given with it, was at fault."""
    UNAVAILABLE = "unavailable"
    """The database or Stripe was away, or a query took too long."""
    FAILED = "failed"
    """A defect of ours."""


WORST_FIRST: Final = tuple(reversed(RequestOutcome))
BY_CODE: Final[Mapping[str, RequestOutcome]] = {
    **dict.fromkeys(Refusal, RequestOutcome.INVALID),
    INPUT: RequestOutcome.INVALID,
    ErrorCode.UNAVAILABLE: RequestOutcome.UNAVAILABLE,
    ErrorCode.PROVIDER_UNAVAILABLE: RequestOutcome.UNAVAILABLE,
    TIMEOUT: RequestOutcome.UNAVAILABLE,
    INTERNAL: RequestOutcome.FAILED,
}


def outcome_of(summary: Summary) -> RequestOutcome:
    if not summary.codes:
        return RequestOutcome.ANSWERED
    if summary.kind == UNKNOWN:
        return RequestOutcome.INVALID
    found = {BY_CODE.get(code, RequestOutcome.REFUSED) for code in summary.codes}
    return next(outcome for outcome in WORST_FIRST if outcome in found)
