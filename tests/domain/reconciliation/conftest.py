import pytest

from domain.actor import Actor
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals
from tests.domain.subscriptions.conftest import gateway, sandbox_settings
from tests.domain.subscriptions.subscribing import Subscriber

__all__ = ["gateway", "sandbox_settings"]


@pytest.fixture
def subscriber(gateway: Gateway, actor: Actor, dashboard: Dashboard) -> Subscriber:
    return Subscriber(gateway=gateway, actor=actor, dashboard=dashboard)


@pytest.fixture
def intervals(gateway: Gateway, dashboard: Dashboard, sandbox: Sandbox) -> Intervals:
    sandbox.clock.freeze()
    return Intervals(gateway=gateway, dashboard=dashboard)
