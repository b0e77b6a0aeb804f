"""What bodies may be: JSON in UTF-8 alone, so that no form on another site can send one (CSRF)."""

from typing import Final

from starlette.exceptions import HTTPException

JSON: Final = "application/json"


def must_be_json(content_type: str) -> None:
    """Raises 415 for another media type or encoding."""
    if content_type == JSON:
        return
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() != JSON or charset not in {"", "utf-8"}:
        raise HTTPException(415, "Send application/json in UTF-8.")
