"""Which connections the server ended by itself, and why."""

from typing import Final

from prometheus_client import Counter

from gateway.connections import Reason

CLOSED: Final = Counter(
    "payments_connections_closed_early_total",
    "Connections that the server ended without handing a request on, by the reason.",
    ["reason"],
)
for reason in Reason:
    CLOSED.labels(reason.value)
