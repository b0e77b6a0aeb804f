from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.actor import Actor
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.subscriptions.subscribing import Subscriber
from tests.watched_processor import WatchedProcessor


@pytest.fixture
async def gateway(settings: Settings, sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """On the sandbox's clock, so that months may pass."""

    def now() -> datetime:
        return datetime.fromtimestamp(sandbox.clock.now(), UTC)

    gateway = wire(settings, connect=WatchedProcessor.connected, clock=now)
    yield gateway
    await gateway.close()


@pytest.fixture
def subscriber(gateway: Gateway, actor: Actor, dashboard: Dashboard) -> Subscriber:
    return Subscriber(gateway=gateway, actor=actor, dashboard=dashboard)


@pytest.fixture
def other(gateway: Gateway, other_actor: Actor, dashboard: Dashboard) -> Subscriber:
    return Subscriber(gateway=gateway, actor=other_actor, dashboard=dashboard)


@pytest.fixture
def clerk(gateway: Gateway, admin: Actor, dashboard: Dashboard) -> Subscriber:
    """An admin, who may act for others."""
    return Subscriber(gateway=gateway, actor=admin, dashboard=dashboard)
