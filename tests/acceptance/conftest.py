from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from tests.acceptance.stack import Stack, developing
from tests.acceptance.world import World, world
from tests.api import Api
from tests.databases import Server, database


@pytest.fixture
async def fresh_world(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> AsyncIterator[World]:
    """For one test alone; it starts the server, and may kill it."""
    async with world(tmp_path, await fresh_database()) as made:
        yield made


@pytest.fixture(scope="session")
async def shared_world(
    postgres: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A running server for the tests that leave it alive; each has a user of its own."""
    async with (
        database(postgres, template=template) as name,
        world(tmp_path_factory.mktemp("world"), postgres.url(name)) as made,
    ):
        await made.serve()
        yield made


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The development stack, of which the tests in the browser need the demo data as it is made."""
    with developing(tmp_path_factory.mktemp("development") / "data") as running:
        await running.is_ready()
        yield running


@pytest.fixture
def user() -> Actor:
    """Whom nobody has seen before."""
    return Actor(role=Role.USER, user_id=new_id())


@pytest.fixture
def api(shared_world: World, user: Actor) -> Api:
    return shared_world.api(user)
