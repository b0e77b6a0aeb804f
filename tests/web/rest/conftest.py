from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.ports import Database
from gateway.wiring import Gateway
from tests.api import Api
from tests.dashboard import Dashboard
from tests.parts import bearer
from tests.rest import Rest

Caller = Callable[[Actor], Rest]
Sells = Callable[..., Awaitable[str]]
"""Puts a plan on sale; its UUID."""


@pytest.fixture
def by(http: httpx2.AsyncClient) -> Caller:
    """The API as this actor sees it."""
    return lambda actor: Rest(http=http, headers=bearer(actor))


@pytest.fixture
def rest(by: Caller, actor: Actor) -> Rest:
    """A user's."""
    return by(actor)


@pytest.fixture
def others(by: Caller, other_actor: Actor) -> Rest:
    """Another user's."""
    return by(other_actor)


@pytest.fixture
def admins(by: Caller, admin: Actor) -> Rest:
    return by(admin)


@pytest.fixture
def supports(by: Caller) -> Rest:
    return by(Actor(role=Role.SUPPORT, user_id=new_id()))


@pytest.fixture
def anonymous(http: httpx2.AsyncClient) -> Rest:
    return Rest(http=http, headers={})


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    """The same user's GraphQL."""
    return Api(http=http, headers=bearer(actor))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks Stripe in vain does so again at once."""
    monkeypatch.setattr("processor.stripe_calls.FIRST_PAUSE", 0.001)


@pytest.fixture
def sells(dashboard: Dashboard, gateway: Gateway, database: Database) -> Sells:
    """A plan that is sold from now on; its id."""

    async def sell(amount: int = 1500, **choices: Any) -> str:
        price = await dashboard.sells(amount, **choices)
        await gateway.services.plans.know(price.id)
        async with database.reads() as reads:
            plan = await reads.plans.priced_as(price.id)
        assert plan is not None
        return str(plan.id)

    return sell
