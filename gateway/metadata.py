"""`payments-gateway metadata rotate`: all metadata under the current key, told to a person or to a program."""

from typing import Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.settings import Settings
from persistence.engine import create_engine
from persistence.resealing import HOLDERS, Resealing, Tally
from persistence.sealing import Holder

CONNECTIONS: Final = 1


async def rotated(settings: Settings, *, as_json: bool) -> bool:
    """Whether nothing is left in the clear, or under a former key."""
    engine = create_engine(settings.database_url, pool_size=CONNECTIONS)
    resealing = Resealing(engine, settings.keyring)
    try:
        with progress(is_shown=not as_json) as bar:
            tallies = [await _moved(resealing, holder, bar) for holder in HOLDERS]
    finally:
        await engine.dispose()
    for tally in tallies:
        typer.echo(line(tally) if as_json else sentence(tally))
    return not any(tally.left for tally in tallies)


def progress(*, is_shown: bool) -> Progress:
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=not (is_shown and console.is_terminal))


async def _moved(resealing: Resealing, holder: Holder, bar: Progress) -> Tally:
    task = bar.add_task(holder.table.name, total=await resealing.rows(holder))
    tally = Tally(holder.table.name)
    async for tally in resealing.moved(holder):
        bar.update(task, completed=tally.looked_at)
    return tally


def sentence(tally: Tally) -> str:
    left = ", ".join(f"{count:,} {_where(key_id)}" for key_id, count in sorted(tally.left.items()))
    return f"{tally.table}: {tally.moved:,} of {tally.looked_at:,} encrypted anew. Left: {left or 'nothing'}."


def line(tally: Tally) -> str:
    told = {
        "table": tally.table,
        "looked_at": tally.looked_at,
        "moved": tally.moved,
        "left": dict(tally.left),
    }
    return orjson.dumps(told).decode()


def _where(key_id: str) -> str:
    return key_id if " " in key_id else f"under the key {key_id}"
