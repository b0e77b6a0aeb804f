"""What every answer tells a browser not to do with it: the headers of the OWASP REST security cheat sheet."""

from collections.abc import Collection, Iterable
from typing import Final

from web.headers import Header

ALWAYS: Final[Collection[Header]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OVER_TLS: Final[Header] = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def missing(headers: Collection[Header], own: Iterable[Header]) -> list[Header]:
    """Those that the answer has not set itself."""
    present = {name.lower() for name, _value in own}
    return [header for header in headers if header[0] not in present]
