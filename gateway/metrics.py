"""
Metrics for Prometheus, on a port of their own.

What the database knows is read at each scrape, so that every replica tells the same; what a process has done itself
is counted in it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.loop_lag import watch_lag
from gateway.server import listening_socket, serving
from gateway.settings import Settings
from persistence.pool import PoolUse
from persistence.vital_signs import UNREAD, Monitor, VitalSigns, Waiting

METRICS: Final = "/metrics"
SHUTDOWN_SECONDS: Final = 1

log = structlog.get_logger()


def metrics_listener(settings: Settings) -> socket | None:
    """None where there are no metrics. Raises PortTaken."""
    if settings.metrics_port is None:
        return None
    return listening_socket(settings.metrics_host, settings.metrics_port, variable="METRICS_PORT")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSigns:
    """What this process knows of itself: whether it leaves Stripe alone, and how its connections are used."""

    is_spared: bool
    pool: PoolUse


@asynccontextmanager
async def measured(
    database_url: str, listener: socket | None, *, own: Callable[[], OwnSigns]
) -> AsyncIterator[None]:
    """Serve the metrics meanwhile, if there is a listener for them."""
    if listener is None:
        yield
        return
    monitor = Monitor(database_url)
    watching = asyncio.create_task(watch_lag())
    try:
        async with serving(metrics_app(monitor, own), listener, shutdown_seconds=SHUTDOWN_SECONDS):
            yield
    finally:
        watching.cancel()
        await monitor.close()


def metrics_app(monitor: Monitor, own: Callable[[], OwnSigns]) -> Starlette:
    async def metrics(_: Request) -> Response:
        read = Read(await signs_of(monitor), own())
        told = written(read) + generate_latest(REGISTRY)
        return Response(told, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route(METRICS, metrics)])


async def signs_of(monitor: Monitor) -> VitalSigns | None:
    """None where the database does not answer, or not in time."""
    try:
        return await monitor.signs()
    except UNREAD as unread:
        log.warning("metrics.database_unread", error=type(unread).__name__)
        return None


class Read:
    """
    A collector of what was read already, since the client's own cannot wait.

    Without `signs` it tells that the database is down, and nothing that the database knows.
    """

    def __init__(self, signs: VitalSigns | None, own: OwnSigns) -> None:
        self._signs = signs
        self._own = own

    def collect(self) -> Iterator[Metric]:
        is_up = self._signs is not None
        yield GaugeMetricFamily("payments_database_up", "Whether the database answers in time.", value=is_up)
        yield GaugeMetricFamily(
            "payments_stripe_circuit_open",
            "Whether this process takes Stripe for unwell and would refuse a call now.",
            value=self._own.is_spared,
        )
        yield connections(self._own.pool)
        if self._signs is not None:
            yield from families(self._signs)


def written(read: Read) -> bytes:
    """In Prometheus' words."""
    registry = CollectorRegistry()
    registry.register(read)
    return generate_latest(registry)


def families(signs: VitalSigns) -> Iterable[Metric]:
    yield numbers(
        "payments_operations_open", "Commands that have not ended.", "state", counts(signs.operations)
    )
    yield numbers(
        "payments_operations_oldest_seconds",
        "For how long the oldest of them has been under way.",
        "state",
        ages(signs.operations),
    )
    yield numbers(
        "payments_webhook_events", "Stored events that are not handled.", "status", counts(signs.events)
    )
    yield numbers(
        "payments_webhook_oldest_seconds",
        "For how long the oldest of them has waited: the lag behind Stripe.",
        "status",
        ages(signs.events),
    )
    yield jobs(signs.jobs)
    yield numbers(
        "payments_invariant_violations",
        "How many objects broke a money invariant at its last check.",
        "invariant",
        signs.violations,
    )
    if signs.checked is not None:
        yield GaugeMetricFamily(
            "payments_invariants_checked_age_seconds",
            "How long ago the money invariants were checked; absent until they are.",
            value=signs.checked,
        )
    yield numbers(
        "payments_reconciliation_age_seconds",
        "How long ago the last finished reconciliation began; absent until there is one.",
        "kind",
        {kind: run.age for kind, run in signs.reconciled.items()},
    )
    yield numbers(
        "payments_reconciliation_unhealed_drifts",
        "How much the last finished reconciliation found to differ from Stripe, and could not or was not to heal.",
        "kind",
        {kind: run.unhealed for kind, run in signs.reconciled.items()},
    )
    yield GaugeMetricFamily(
        "payments_audit_unsealed_age_seconds",
        "The age of the oldest audit record that has no seal.",
        value=signs.unsealed,
    )


def connections(pool: PoolUse) -> Metric:
    return numbers(
        "payments_database_connections",
        "Connections of this process: those in use, how many there may be, and callers that wait for one.",
        "what",
        {"in_use": pool.in_use, "size": pool.size, "waiting": pool.waiting},
    )


def numbers(name: str, help_: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for member, value in values.items():
        family.add_metric([member], value)
    return family


def counts(waiting: Mapping[str, Waiting]) -> Mapping[str, float]:
    return {state: each.number for state, each in waiting.items()}


def ages(waiting: Mapping[str, Waiting]) -> Mapping[str, float]:
    return {state: each.oldest for state, each in waiting.items()}


def jobs(known: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(
        "payments_jobs",
        "Jobs of the worker by what they do and how they stand; `failed` ones were given up and are held.",
        labels=["entrypoint", "status"],
    )
    for (entrypoint, status), number in known.items():
        family.add_metric([entrypoint, status], number)
    return family
