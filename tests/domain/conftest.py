from collections.abc import Iterator

import pytest

from domain.actor import Actor
from domain.ports import Database
from gateway.wiring import Gateway
from processor import stripe_calls, stripe_client
from sandbox import Sandbox
from tests.domain.access_values import Books
from tests.domain.shopping import Cardholder, Post, Shopper
from tests.parts import RunningSandbox


@pytest.fixture
def shopper(gateway: Gateway, actor: Actor) -> Shopper:
    return Shopper(gateway=gateway, actor=actor)


@pytest.fixture
def stranger(gateway: Gateway, other_actor: Actor) -> Shopper:
    return Shopper(gateway=gateway, actor=other_actor)


@pytest.fixture
def clerk(gateway: Gateway, admin: Actor) -> Shopper:
    """An admin, who may act for others."""
    return Shopper(gateway=gateway, actor=admin)


@pytest.fixture
def post(gateway: Gateway, running_sandbox: RunningSandbox) -> Post:
    return Post(gateway=gateway, sandbox=running_sandbox.sandbox)


@pytest.fixture
def cardholder(running_sandbox: RunningSandbox) -> Cardholder:
    return Cardholder(sandbox=running_sandbox.sandbox, url=running_sandbox.url)


@pytest.fixture
async def books(database: Database) -> Books:
    books = Books(database=database)
    await books.open()
    return books


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Iterator[None]:
    """No pauses between attempts, none of which waits long for its answer; no faulty request outlives the test."""
    monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(stripe_calls, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(stripe_client, "TIMEOUT", 0.2)
    yield
    sandbox.faults.release()
