"""What llhttp takes for the head of a request, and we do not."""

import re
from collections.abc import Collection
from typing import Final

Header = tuple[bytes, bytes]

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""RFC 9112, section 3.2, with the characters that RFC 3986, section 3.2.2, has for a host and its port."""
_FRAMING: Final = (b"content-length", b"transfer-encoding")
_VERSIONS: Final = ("1.1", "1.0")


def flaw(version: str, target: bytes, headers: Collection[Header], *, is_upgrade: bool) -> str | None:
    """
    Why this head is refused, or None; the names of headers are in lower case.

    Each of these is read in another way by some proxy or server, so that what one took for a body might be the
    next request to the other.
    """
    if version not in _VERSIONS:
        return "This server speaks HTTP/1.1."
    if b"%00" in target:
        return "The target must not contain NUL."
    if is_upgrade and any(name in _FRAMING for name, _ in headers):
        return "An upgrade is not taken together with a body."  # The parser would drop the body.
    hosts = [value for name, value in headers if name == b"host"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        return "There must be one Host header."
    if hosts and not _HOST.fullmatch(hosts[0]):
        return "The Host header must be a host, and a port perhaps."
    if codings and (version == "1.0" or len(codings) > 1 or codings[0].strip().lower() != b"chunked"):
        return "The only transfer coding that is taken is chunked, in HTTP/1.1."
    return None
