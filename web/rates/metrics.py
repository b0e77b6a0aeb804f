"""Who was refused for asking too much, and whether the store of the counters is there."""

from typing import Final

from prometheus_client import Counter, Gauge

from web.rates.rules import Limit

LIMITED: Final = Counter(
    "payments_requests_limited_total",
    "Requests that were refused with 429, by the limit that they met.",
    ["limit"],
)
STORE_AWAY: Final = Gauge(
    "payments_rate_limit_store_away",
    "Whether this process counts by itself, since the store that all share does not answer.",
)
for limit in Limit:
    LIMITED.labels(limit.value)
