from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.payment import Payment
from domain.ports import Database
from persistence.tables import metadata
from tests.api import Api
from tests.gql.belongings import Belongings, belongings
from tests.gql.many_payments import NUMBER, START, payment_of, stored
from tests.parts import bearer
from tests.tables import contents_of

Caller = Callable[[Actor], Api]


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
async def theirs(others: Api, database: Database) -> Belongings:
    return await belongings(others, database)


@pytest.fixture
def contents(database_url: str) -> Callable[[], Any]:
    """Everything that is stored, to tell that nothing was changed."""
    return lambda: contents_of(database_url, metadata)
