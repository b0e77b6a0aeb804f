from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import Payment
from domain.plan import Plan
from domain.ports import Database
from gateway.wiring import Gateway
from gql import execution
from gql.ids import global_id
from persistence.tables import metadata
from tests.api import Api
from tests.dashboard import Dashboard
from tests.gql.belongings import Belongings, Sells, belongings
from tests.gql.both_ways import BothWays, Pair
from tests.gql.many_payments import NUMBER, START, payment_of, stored
from tests.parts import bearer
from tests.tables import contents_of

Caller = Callable[[Actor], Api]


@pytest.fixture(autouse=True)
def payloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Pair]]:
    """Whatever mutation these tests try, a plan shows its payload as graphql-core does."""
    pairs: list[Pair] = []
    monkeypatch.setattr(BothWays, "pairs", pairs)
    monkeypatch.setattr(execution, "PayloadExecutor", BothWays)
    yield pairs
    assert [pair for pair in pairs if not pair.is_equal] == []


@pytest.fixture
def by(http: httpx2.AsyncClient) -> Caller:
    """The API as this actor sees it."""
    return lambda actor: Api(http=http, headers=bearer(actor))


@pytest.fixture
def api(by: Caller, actor: Actor) -> Api:
    """A user's."""
    return by(actor)


@pytest.fixture
def others(by: Caller, other_actor: Actor) -> Api:
    """Another user's."""
    return by(other_actor)


@pytest.fixture
def admins(by: Caller, admin: Actor) -> Api:
    return by(admin)


@pytest.fixture
def supports(by: Caller) -> Api:
    return by(Actor(role=Role.SUPPORT, user_id=new_id()))


@pytest.fixture
def services(by: Caller) -> Api:
    """Another program's."""
    return by(Actor(role=Role.SERVICE, user_id=new_id()))


@pytest.fixture
def anonymous(http: httpx2.AsyncClient) -> Api:
    return Api(http=http, headers={})


@pytest.fixture
async def made(database: Database, actor: Actor) -> list[Payment]:
    """Seven payments of the actor, a minute apart; amounts and states repeat, so that ids decide."""
    payments = [
        payment_of(actor, at=START + timedelta(minutes=number), amount=1000 + number // 2, number=number)
        for number in range(NUMBER)
    ]
    await stored(database, actor, payments)
    return payments


@pytest.fixture
async def theirs(others: Api, database: Database, sells: Sells) -> Belongings:
    return await belongings(others, database, sells)


@pytest.fixture
def contents(database_url: str) -> Callable[[], Any]:
    """Everything that is stored, to tell that nothing was changed."""
    return lambda: contents_of(database_url, metadata)


@pytest.fixture
def sells(dashboard: Dashboard, gateway: Gateway, database: Database) -> Sells:
    """A plan that is sold from now on; its id."""

    async def sell(amount: int = 1500, **choices: Any) -> str:
        price = await dashboard.sells(amount, **choices)
        await gateway.services.plans.know(price.id)
        async with database.reads() as reads:
            plan = await reads.plans.priced_as(price.id)
        assert plan is not None
        return global_id(Plan, plan.id)

    return sell
