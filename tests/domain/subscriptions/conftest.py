from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.actor import Actor
from gateway.settings import DEVELOPMENT_STRIPE_KEY, Settings
from gateway.wiring import Gateway, wire
from sandbox import Sandbox, SandboxSettings
from tests.dashboard import Dashboard
from tests.domain.subscriptions.subscribing import Subscriber
from tests.sandbox.billing import NEW_YEAR, days_since
from tests.watched_processor import WatchedProcessor


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """It is New Year, whenever the tests run."""
    return SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY, begins_days_ago=days_since(NEW_YEAR))


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
