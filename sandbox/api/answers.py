"""What goes back to the caller."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.api.errors import StripeError
from sandbox.settings import API_VERSION

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    is_replayed: bool = False

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Answer":
        return cls(status=200, body=orjson.dumps(content))

    @classmethod
    def refusing(cls, error: StripeError) -> "Answer":
        headers = {}
        if error.should_retry is not None:
            headers["Stripe-Should-Retry"] = str(error.should_retry).lower()
        return cls(status=error.status, body=orjson.dumps(error.body()), headers=headers)

    @classmethod
    def page(cls, status: int, html: str) -> "Answer":
        return cls(status=status, body=html.encode(), media_type="text/html; charset=utf-8")

    def head(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """The ASGI headers of this answer to that request."""
        headers = {
            "Content-Type": self.media_type,
            "Content-Length": str(len(self.body)),
            "Cache-Control": "no-cache, no-store",
            "Request-Id": request_id,
            "Stripe-Version": API_VERSION,
            **self.headers,
        }
        return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
