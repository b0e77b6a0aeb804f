"""Everything that is measured: PostgreSQL with its data, the sandbox, the gateway and the hand-written route."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from bench import dataset
from bench.load import asked
from bench.operations import SAVE_CARD, Operation, graphql, operations
from bench.programs import Program, python, running
from domain.identity import new_id
from domain.statistics_service import StatisticsService
from gateway.embedded_postgres import EmbeddedPostgres
from gateway.settings import DEVELOPMENT_JWT_SECRET, DEVELOPMENT_STRIPE_KEY, DEVELOPMENT_WEBHOOK_SECRET
from gateway.wiring import now
from persistence.address import asyncpg_dsn
from persistence.engine import create_engine
from persistence.schema import migrate
from persistence.unit_of_work import SqlDatabase

POSTGRES: Final = {"shared_buffers": "1GB", "random_page_cost": "1.1", "max_wal_size": "4GB"}
GATEWAY: Final = python("gateway", "serve")
HAND_WRITTEN: Final = python("bench.baseline")
SANDBOX: Final = python("sandbox", "--port", "{port}", "--secret-key", DEVELOPMENT_STRIPE_KEY)
ROOT: Final = b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    gateway: Program
    hand_written: Program


@contextmanager
def database(folder: Path, payments: int) -> Iterator[str]:
    """The address of a database with the data set, which is kept for the next time."""
    with EmbeddedPostgres(folder / "postgres", settings=POSTGRES) as postgres:
        name = f"bench_{payments}_{version()}"
        postgres.ensure_database(name)
        migrate(postgres.url(name))
        asyncio.run(filled(postgres.url(name), payments))
        yield postgres.url(name)


def postgres_program(folder: Path) -> Program:
    """What runs while the database is open."""
    pid, *_ = (folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    return Program(pid=int(pid), port=0, ready_seconds=0)


def version() -> str:
    """Another data set has another name, so that a changed one is loaded anew."""
    return hashlib.sha256(Path(dataset.__file__).read_bytes()).hexdigest()[:8]


async def filled(address: str, payments: int) -> None:
    """With the statistics of what was loaded, which nobody counted meanwhile."""
    async with connected(address) as connection:
        if await dataset.is_loaded(connection):
            return
        await dataset.load(connection, payments)
    async with statistics(address) as service:
        await service.rebuild()


@asynccontextmanager
async def statistics(address: str) -> AsyncIterator[StatisticsService]:
    engine = create_engine(address)
    yield StatisticsService(database=SqlDatabase(engine), clock=now, is_live=False)
    await engine.dispose()


@contextmanager
def stack(folder: Path, address: str) -> Iterator[Stack]:
    with running(SANDBOX, log=folder / "sandbox.log", ready=ROOT, environment={}) as sandbox:
        environment = settings(address, sandbox.url)
        with (
            running(GATEWAY, log=folder / "gateway.log", environment=environment) as gateway,
            running(HAND_WRITTEN, log=folder / "baseline.log", environment=environment) as hand_written,
        ):
            yield Stack(gateway=gateway, hand_written=hand_written)


def settings(address: str, stripe: str) -> Mapping[str, str]:
    """For either server. The worker would only add noise: nothing is waiting for it."""
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": address,
        "STRIPE_SECRET_KEY": DEVELOPMENT_STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": DEVELOPMENT_WEBHOOK_SECRET,
        "STRIPE_API_BASE": stripe,
        "JWT_SECRET": DEVELOPMENT_JWT_SECRET,
        "RUN_WORKER": "false",
        "PORT": "{port}",
    }


async def questions(stack: Stack, address: str, payments: int) -> list[Operation]:
    async with connected(address) as connection:
        some = await dataset.some_payments(connection)
    users = [dataset.user_id(number) for number in dataset.others(payments)[: dataset.SAMPLED]]
    return operations(some, users, [await payer(stack.gateway)])


async def payer(gateway: Program) -> UUID:
    """A new user with a card at the sandbox, which starts empty each time."""
    user = new_id()
    card = {"stripePaymentMethodId": "pm_card_visa", "makeDefault": True}
    answer = orjson.loads(await asked(gateway.port, graphql(user, SAVE_CARD, input=card)))
    if answer["data"]["addPaymentMethod"]["errors"]:
        raise RuntimeError(f"The payer's card cannot be saved: {answer}")
    return user


@asynccontextmanager
async def connected(address: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(asyncpg_dsn(address))
    try:
        yield connection
    finally:
        await connection.close()
