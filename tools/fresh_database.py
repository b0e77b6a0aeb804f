"""A database with all migrations and nothing else, for as long as a tool needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.embedded_postgres import EmbeddedPostgres
from persistence.schema import migrate

NAME: Final = "fresh"


@contextmanager
def fresh_database() -> Iterator[str]:
    """Its address."""
    with (
        TemporaryDirectory(prefix="payments-") as folder,
        EmbeddedPostgres(Path(folder), durable=False) as postgres,
    ):
        postgres.ensure_database(NAME)
        migrate(postgres.url(NAME))
        yield postgres.url(NAME)
