"""What code may leave behind on a connection: nothing. Connections go back to the pool without being reset."""

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.pool import CountingPool

LEFT_BEHIND: Final = """
    SELECT 'setting ' || name || ' = ' || setting FROM pg_settings
        WHERE source = 'session' AND setting <> reset_val
    UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
    UNION ALL SELECT 'channel ' || name FROM pg_listening_channels() AS name
    UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
"""


async def left_behind(engine: AsyncEngine) -> list[str]:
    """On the connections that nobody uses now, and by whoever used them before."""
    found: list[str] = []
    for driver in idle_connections(engine):
        if driver.is_in_transaction():
            found.append("transaction")
        found += [row[0] for row in await driver.fetch(LEFT_BEHIND)]
    return found


def idle_connections(engine: AsyncEngine) -> list[Any]:
    pool = engine.pool
    assert isinstance(pool, CountingPool)
    entries = [entry.dbapi_connection for entry in pool._idle]
    drivers = [entry.driver_connection for entry in entries if entry is not None]
    return [driver for driver in drivers if not driver.is_closed()]
