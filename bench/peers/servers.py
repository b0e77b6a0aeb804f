"""The servers that are compared, and how each of them is started and asked."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bench import HOST
from bench.operations import graphql
from bench.peers import node_programs
from bench.peers.processors import as_a_server
from bench.programs import READY, Program, python, running
from bench.stack import GATEWAY, HAND_WRITTEN
from domain.identity import new_id


class Dialect(StrEnum):
    """How a server wants to be asked."""

    OURS = "ours"
    """By the gateway's schema, or the part of it that the benchmark needs."""
    OUR_READS = "our_reads"
    """By the queries of that schema alone."""
    POSTGRAPHILE = "postgraphile"
    """By the schema that it makes of the tables."""
    HAND_WRITTEN = "hand_written"
    """By routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    name: str
    dialect: Dialect = Dialect.OURS
    command: tuple[str, ...] = ()
    script: str = ""
    """For Node, in the place of a command."""


GATEWAY_NAME: Final = "This gateway"
MERCURIUS: Final = "Mercurius 16 + JIT"
APOLLO: Final = "Apollo Server 5"
POSTGRAPHILE: Final = "PostGraphile 5"
YOGA: Final = "GraphQL Yoga 5"
NAIVE: Final = "Strawberry, naive"
STARLETTE: Final = "Starlette, by hand"

SERVERS: Final = [
    Server(name=GATEWAY_NAME, command=tuple(GATEWAY)),
    Server(name=STARLETTE, command=tuple(HAND_WRITTEN), dialect=Dialect.HAND_WRITTEN),
    Server(name=MERCURIUS, script="mercurius.mjs"),
    Server(name=APOLLO, script="apollo.mjs"),
    Server(name=YOGA, script="yoga.mjs"),
    Server(name=POSTGRAPHILE, script="postgraphile.mjs", dialect=Dialect.POSTGRAPHILE),
    Server(name=NAIVE, dialect=Dialect.OUR_READS, command=tuple(python("bench.peers.naive"))),
]


@contextmanager
def started(
    servers: list[Server], folder: Path, environment: Mapping[str, str]
) -> Iterator[Mapping[str, Program]]:
    """All of them, one after the other, by name. Raises NotReady and NoNode."""
    node = str(node_programs.installed())
    with ExitStack() as opened:
        programs = {}
        for server in servers:
            command = server.command or (node, str(node_programs.FOLDER / server.script))
            with as_a_server():
                programs[server.name] = opened.enter_context(
                    running(
                        command, log=folder / log_name(server), environment=environment, ready=first(server)
                    )
                )
        yield programs


def first(server: Server) -> bytes:
    """The request whose answer shows that a server is ready."""
    return READY if server.dialect is Dialect.HAND_WRITTEN else graphql(new_id(), "{ __typename }")


def log_name(server: Server) -> str:
    return "".join(letter for letter in server.name.lower() if letter.isalnum()) + ".log"


def node_environment(address: str) -> Mapping[str, str]:
    """Where PostgreSQL is, in the words of its own clients."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    return {
        "HOST": HOST,
        "NODE_ENV": "production",
        "PGHOST": asked["host"][0],
        "PGPORT": asked["port"][0],
        "PGUSER": parts.username or os.environ.get("USER", ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
