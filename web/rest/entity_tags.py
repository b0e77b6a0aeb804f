"""Entity tags: the version of an object (RFC 9110, section 8.8.3). Weak, since two answers may differ in a byte."""

import re

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def entity_tag(version: int) -> str:
    return f'W/"{version}"'


def is_known(tag: str, known: str | None) -> bool:
    """Whether If-None-Match names the tag; what is no list of tags names none (section 13.1.2)."""
    if known is None:
        return False
    if known.strip() == "*":
        return True
    return tag.removeprefix("W/") in _TAG.findall(known)
