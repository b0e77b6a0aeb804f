from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
import structlog

from tests.leaks import captured_logs
from tests.web.in_process import Client, Events, client_of
from tests.web.user_service import UserService, running_user_service


@pytest.fixture(autouse=True)
def events(request: pytest.FixtureRequest) -> Iterator[Events]:
    """What was logged, at every level, however another test has configured structlog; searched for secrets."""
    structlog.reset_defaults()
    with captured_logs(request.node.nodeid) as captured:
        yield cast("Events", captured)
    structlog.reset_defaults()


@pytest.fixture
def client() -> Client:
    return client_of


@pytest.fixture(scope="session")
async def user_service_on_its_port() -> AsyncIterator[UserService]:
    async with running_user_service() as service:
        yield service


@pytest.fixture
def user_service(user_service_on_its_port: UserService) -> Iterator[UserService]:
    """One that publishes nothing yet, and does as it is asked."""
    user_service_on_its_port.reset()
    yield user_service_on_its_port
    user_service_on_its_port.reset()  # Whoever it keeps waiting may go.
