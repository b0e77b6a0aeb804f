"""Where things are done that never happened."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.audit import AuditRecord
from domain.ports.database import Database


class Stage(Protocol):
    """One transaction that never commits, and a database over it whose transactions are parts of that one."""

    @property
    def database(self) -> Database: ...
    @property
    def jobs(self) -> Sequence[str]:
        """The names of the jobs that were asked for by what was not taken back."""
        ...

    async def records(self) -> Sequence[AuditRecord]:
        """What was recorded and not taken back, in order."""
        ...


class Stages(Protocol):
    def opened(self) -> AbstractAsyncContextManager[Stage]:
        """
        Whatever is done on the stage is undone in the end.

        Ends by `domain.rehearsal.Outrun` where others hold what is needed: a stage waits for nobody for long.
        """
        ...
