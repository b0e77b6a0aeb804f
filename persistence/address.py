"""The many spellings of a PostgreSQL address."""

from sqlalchemy import URL, make_url


def sqlalchemy_url(address: str) -> URL:
    """`postgres://` and `postgresql://` with libpq's `sslmode` as SQLAlchemy's asyncpg dialect wants them."""
    url = make_url(address).set(drivername="postgresql+asyncpg")
    mode = url.query.get("sslmode")
    if mode is None:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": str(mode)})


def asyncpg_dsn(address: str) -> str:
    """The same address for asyncpg itself."""
    url = make_url(address).set(drivername="postgresql")
    mode = url.query.get("ssl")
    if mode is not None:
        url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": str(mode)})
    return url.render_as_string(hide_password=False)
