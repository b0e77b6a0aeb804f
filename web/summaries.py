"""The summary of what GraphQL has answered, as it is found and shown by what lies around the endpoint."""

from functools import lru_cache
from typing import Final

from starlette.types import Scope

from gql.summary import Summary
from web.redaction import redacted_text

SUMMARY: Final = "graphql"
"""Where `web.graphql` leaves the summary of what it answered, in the scope of the request."""

LONGEST_NAME: Final = 64


def summary_of(scope: Scope) -> Summary | None:
    """None for a request that was not for GraphQL, or never reached it."""
    summary: Summary | None = scope.get(SUMMARY)
    return summary


@lru_cache(maxsize=1024)
def shown_name(name: str) -> str:
    """Bounded, and without card numbers and secrets: a name has no blanks, but may be as long as a document."""
    return redacted_text(name)[:LONGEST_NAME]
