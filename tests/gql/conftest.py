from collections.abc import Callable

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from tests.api import Api
from tests.parts import bearer

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
