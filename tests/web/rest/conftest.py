from collections.abc import Callable

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from tests.api import Api
from tests.parts import bearer
from tests.rest import Rest

Caller = Callable[[Actor], Rest]


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
