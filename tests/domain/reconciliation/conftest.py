import pytest

from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals
from tests.domain.subscriptions.conftest import gateway, other, sandbox_settings, subscriber

__all__ = ["gateway", "other", "sandbox_settings", "subscriber"]


@pytest.fixture
def intervals(gateway: Gateway, dashboard: Dashboard, sandbox: Sandbox) -> Intervals:
    sandbox.clock.freeze()
    return Intervals(gateway=gateway, dashboard=dashboard)
