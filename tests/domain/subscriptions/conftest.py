from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.actor import Actor
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from gateway.settings import DEVELOPMENT_STRIPE_KEY, Settings
from gateway.wiring import Gateway, wire
from sandbox import Sandbox, SandboxSettings
from tests.dashboard import Dashboard
from tests.domain.shopping import Post
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


@pytest.fixture
async def subscribed(subscriber: Subscriber) -> Subscription:
    """To 15.00 usd a month, from today on."""
    await subscriber.saves()
    return await subscriber.subscribes(await subscriber.plan())


@pytest.fixture
async def overdue(
    subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
) -> Subscription:
    """Its second month could not be collected, and is tried again every few days."""
    await subscriber.saves("pm_card_chargeCustomerFail", makes_default=True)
    dashboard.passes(32)
    await post.deliver_all()
    subscription = await subscriber.subscription(subscribed.id)
    assert subscription.status is SubscriptionStatus.PAST_DUE
    return subscription
