"""
A span for each request to Stripe, of a request or a job that is traced.

Imported only where traces are exported. Of the address only the template is told, of the answer its status and the id
by which Stripe finds the request again; no trace is named to Stripe.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind, StatusCode, Tracer, get_current_span
from stripe import HTTPClient

from processor.http_requests import Answer
from processor.stripe_http import SERVER_ERROR, header

ID: Final = "{id}"
RESOURCE: Final = re.compile(r"v1|[a-z]+(?:_[a-z]+)*")
ID_PREFIX: Final = re.compile(
    r"(?:acct|bpc|bps|card|ch|cs|cus|dp|du|evt|ii|il|in|mbur|pi|plan|pm|price|prod|pyr|re|seti|si|src|sub|tok|txn)_"
)
REQUEST_ID: Final = "request-id"


class TracedRequests(HTTPClient):
    """Another client, with a span around each request that belongs to one; without one there is none."""

    name = "traced"

    def __init__(self, client: HTTPClient, tracer: Tracer) -> None:
        super().__init__()
        self._client = client
        self._tracer = tracer

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        if not get_current_span().is_recording():
            return await self._sent(method, url, headers, post_data)
        template = template_of(url)
        with self._tracer.start_as_current_span(
            f"{method.upper()} {template}",
            kind=SpanKind.CLIENT,
            attributes={"http.request.method": method.upper(), "url.template": template},
            record_exception=False,
        ) as span:
            answer = await self._sent(method, url, headers, post_data)
            _, status, told = answer
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("stripe.request_id", header(told, REQUEST_ID) or "")
            if status >= SERVER_ERROR:
                span.set_status(StatusCode.ERROR)
            return answer

    async def _sent(self, method: str, url: str, headers: Mapping[str, str], post_data: Any) -> Answer:
        answer: Answer = await self._client.request_async(method, url, headers, post_data)
        return answer

    async def close_async(self) -> None:
        await self._client.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.


def template_of(url: str) -> str:
    """The path without what names an object, and without the query string."""
    return "/".join(part if _names_resource(part) else ID for part in urlsplit(url).path.split("/"))


def _names_resource(part: str) -> bool:
    return not part or (RESOURCE.fullmatch(part) is not None and not ID_PREFIX.match(part))
