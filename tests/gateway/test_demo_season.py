"""The demo's shop, by a season that is short enough for a test."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from domain.invariants import YOUNG
from domain.paging import Slice
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.subscription_list import SUBSCRIPTIONS, SubscriptionFilter
from domain.subscription_status import SubscriptionStatus
from gateway.settings import DEVELOPMENT_STRIPE_KEY, Settings
from gateway.time_machine import clock_of
from gateway.wiring import Gateway, wire
from sandbox import Sandbox, SandboxSettings
from tests.demo import demo_of
from tests.watched_processor import WatchedProcessor

DAYS = 36


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    return SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY, begins_days_ago=DAYS, dunning_end="unpaid")


@pytest.fixture
async def gateway(settings: Settings, sandbox: Sandbox) -> AsyncIterator[Gateway]:
    gateway = wire(settings, connect=WatchedProcessor.connected, clock=clock_of(sandbox))
    yield gateway
    await gateway.close()


class TestSeason:
    async def test_ends_in_the_present_with_a_lively_shop(self, gateway: Gateway, sandbox: Sandbox) -> None:
        await demo_of(gateway, sandbox)

        async with gateway.services.database.reads() as reads:
            payments = await reads.payments.listed(PaymentFilter(), PaymentOrder(), Slice(limit=200))
            subscriptions = await reads.subscriptions.listed(
                SubscriptionFilter(), SUBSCRIPTIONS, Slice(limit=100)
            )
        assert abs(sandbox.clock.status().ahead) < 60
        assert len(payments) > 40
        assert len({payment.currency for payment in payments}) >= 4
        assert {subscription.status for subscription in subscriptions} >= {
            SubscriptionStatus.ACTIVE,
            SubscriptionStatus.CANCELLED,
            SubscriptionStatus.INCOMPLETE,
            SubscriptionStatus.PAST_DUE,
            SubscriptionStatus.PAUSED,
            SubscriptionStatus.TRIALING,
        }
        invariants = replace(gateway.services.invariants, clock=lambda: clock_of(sandbox)() + 2 * YOUNG)
        assert [each for each in await invariants.check() if not each.holds] == []
