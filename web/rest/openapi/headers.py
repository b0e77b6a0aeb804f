"""The headers of requests and answers, as components."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.operation import LONGEST_KEY, SHORTEST_KEY
from web.request_id import HEADER
from web.rest.reading import KEY_HEADER

Json = Mapping[str, Any]

_TEXT: Final[Json] = {"type": "string"}
_SECONDS: Final[Json] = {"type": "integer", "minimum": 0}


def _asked(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _told(description: str, schema: Json, *, example: str | int, always: bool = False) -> Json:
    return {
        "description": description,
        "schema": schema,
        "example": example,
        **({"required": True} if always else {}),
    }


POSSIBLE_ID: Final = f"Possible-{HEADER}"

PARAMETERS: Final[Mapping[str, Json]] = {
    KEY_HEADER: _asked(
        KEY_HEADER,
        (
            "One intention, which is carried out once, however often it is sent. Remembered for 30 days. Send one "
            "with whatever must not happen twice."
        ),
        {
            "type": "string",
            "minLength": SHORTEST_KEY,
            "maxLength": LONGEST_KEY,
            "pattern": "^[!-~][ -~]*[!-~]$",
            "examples": ["order-2026-000217"],
        },
    ),
    "If-None-Match": _asked(
        "If-None-Match",
        "The ETag of what is known; 304 where it is still so.",
        {**_TEXT, "examples": ['W/"3"']},
    ),
    HEADER: _asked(
        HEADER,
        "A name for this request in our logs: 8 to 128 letters, digits, dots and dashes. Else we give it one.",
        {**_TEXT, "examples": ["checkout-01942f4e7b1c"]},
    ),
}

HEADERS: Final[Mapping[str, Json]] = {
    HEADER: _told(
        "Quote it when you ask about this request.", _TEXT, example="checkout-01942f4e7b1c", always=True
    ),
    POSSIBLE_ID: _told(
        "As elsewhere, unless the connection was refused before it came to a request.",
        _TEXT,
        example="checkout-01942f4e7b1c",
    ),
    "ETag": _told("The object's version, where the answer tells all of it.", _TEXT, example='W/"3"'),
    "Location": _told(
        "Where the payment is.",
        {"type": "string", "format": "uri-reference"},
        example="/api/v1/payments/01942f4e-7b1c-7c3e-9d2a-5f0e8b6a1c44",
        always=True,
    ),
    KEY_HEADER: _told("The key that was sent.", _TEXT, example="order-2026-000217"),
    "Idempotent-Replayed": _told(
        "`true` where an earlier request with this key did the work.", {"const": "true"}, example="true"
    ),
    "Retry-After": _told("Seconds after which to ask again.", _SECONDS, example=5),
    "WWW-Authenticate": _told(
        "What was wrong with the token (RFC 6750).", _TEXT, example='Bearer realm="payments"', always=True
    ),
    "Content-Disposition": _told(
        "The name of the file.", _TEXT, example='attachment; filename="payments.csv"', always=True
    ),
    "RateLimit-Limit": _told("How many requests the nearest limit allows.", _SECONDS, example=300),
    "RateLimit-Remaining": _told("How many of them are left.", _SECONDS, example=287),
    "RateLimit-Reset": _told("Seconds until there are all of them again.", _SECONDS, example=60),
    "Deprecation": _told(
        "Since when this API is deprecated (RFC 9745).",
        {"type": "string", "pattern": "^@[0-9]+$"},
        example="@1796083200",
    ),
    "Sunset": _told(
        "When this API goes, if that is settled (RFC 8594).", _TEXT, example="Fri, 31 Dec 2027 00:00:00 GMT"
    ),
    "Link": _told(
        "The same in GraphQL, and its entry in the migration guide (RFC 8288).",
        _TEXT,
        example='</graphql>; rel="successor-version"; title="createPayment"',
    ),
}
ON_EVERY_ANSWER: Final = (HEADER, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
ON_LEGACY_ANSWERS: Final = ("Deprecation", "Sunset", "Link")


def headers(names: Iterable[str], *, is_identified: bool = True) -> dict[str, Json]:
    """By reference, on top of what every answer has; `is_identified` is false where the id may be missing."""
    found: dict[str, Json] = {
        name: {"$ref": f"#/components/headers/{name}"} for name in (*ON_EVERY_ANSWER, *names)
    }
    return found if is_identified else {**found, HEADER: {"$ref": f"#/components/headers/{POSSIBLE_ID}"}}


def parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}
