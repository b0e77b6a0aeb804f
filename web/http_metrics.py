"""How many requests there are, how long they take, and what comes of them, for Prometheus."""

from collections.abc import Collection
from functools import lru_cache
from time import perf_counter
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql.outcome import RequestOutcome, outcome_of
from gql.summary import Summary
from web.access_log import CLIENT_LEFT
from web.summaries import summary_of

OTHER: Final = "other"
"""For whatever has no name of its own here, so that callers cannot make up series."""
KINDS: Final = ("query", "mutation")
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS: Final = Counter(
    "payments_http_requests",
    f"Requests by the template of their route; {CLIENT_LEFT} is that the client left.",
    ["method", "route", "status"],
)
REQUEST_SECONDS: Final = Histogram(
    "payments_http_request_seconds", "How long they took.", ["method", "route"], buckets=BUCKETS
)
RUNNING: Final = Gauge("payments_http_requests_running", "Requests that are being answered now.")
OPERATIONS: Final = Counter(
    "payments_graphql_operations",
    "GraphQL requests; operations that METRIC_OPERATIONS does not name are `other`.",
    ["operation", "kind", "outcome"],
)
OPERATION_SECONDS: Final = Histogram(
    "payments_graphql_operation_seconds", "How long they took.", ["operation", "kind"], buckets=BUCKETS
)
COST: Final = Counter(
    "payments_graphql_cost", "What they might cost, as the limits reckon it.", ["operation", "kind"]
)
QUERIES: Final = Counter(
    "payments_graphql_queries",
    "GraphQL operations by the way in which their answer was made: by a plan, or by resolvers.",
    ["way", "kind"],
)
BY_PLAN: Final = {kind: QUERIES.labels("plan", kind) for kind in KINDS}
BY_RESOLVERS: Final = {kind: QUERIES.labels("resolvers", kind) for kind in KINDS}


class HttpMetrics:
    """Around everything, so that what is measured is what a caller waits for. `operations` have their own series."""

    def __init__(self, app: ASGIApp, operations: Collection[str] = ()) -> None:
        self.app = app
        self.operations = frozenset(operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = CLIENT_LEFT

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = perf_counter()
        RUNNING.inc()
        try:
            await self.app(scope, receive, noted)
        except Exception:
            status = 500
            raise
        finally:
            RUNNING.dec()
            self._note(scope, status, perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        number, times = series_of_requests(method, route_of(scope), status)
        number.inc()
        times.observe(seconds)
        if summary := summary_of(scope):
            self._note_operation(summary, seconds)

    def _note_operation(self, summary: Summary, seconds: float) -> None:
        name = summary.name if summary.name in self.operations else OTHER
        number, times, cost = series_of_operations(name, summary.kind, outcome_of(summary))
        number.inc()
        times.observe(seconds)
        cost.inc(summary.cost)
        if summary.kind in KINDS:
            (BY_PLAN if summary.is_planned else BY_RESOLVERS)[summary.kind].inc()


@lru_cache(1024)  # Looking them up by their labels would take longer than counting.
def series_of_requests(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), REQUEST_SECONDS.labels(method, route)


@lru_cache(1024)
def series_of_operations(name: str, kind: str, outcome: RequestOutcome) -> tuple[Counter, Histogram, Counter]:
    labels = (name, kind)
    return OPERATIONS.labels(*labels, outcome.value), OPERATION_SECONDS.labels(*labels), COST.labels(*labels)


def route_of(scope: Scope) -> str:
    """The template of the route, with names for what differs: never the path itself."""
    route = scope.get("route")
    if route is None:
        return OTHER
    within = (
        scope.get("root_path", "") if isinstance(route, Route) else ""
    )  # A mount's own is its whole path.
    return f"{within}{route.path}"
