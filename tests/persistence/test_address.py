import pytest

from persistence.address import asyncpg_dsn, sqlalchemy_url

SPELLINGS = [
    "postgres://ada:p%40ss@db:5433/pay",
    "postgresql://ada:p%40ss@db:5433/pay",
    "postgresql+asyncpg://ada:p%40ss@db:5433/pay",
    "postgresql+psycopg://ada:p%40ss@db:5433/pay",
]


class TestAddress:
    @pytest.mark.parametrize("address", SPELLINGS)
    def test_is_understood_in_every_spelling(self, address: str) -> None:
        url = sqlalchemy_url(address)

        assert (url.drivername, url.username, url.password) == ("postgresql+asyncpg", "ada", "p@ss")
        assert (url.host, url.port, url.database) == ("db", 5433, "pay")
        assert asyncpg_dsn(address) == "postgresql://ada:p%40ss@db:5433/pay"

    def test_keeps_its_word_about_tls(self) -> None:
        address = "postgresql://ada@db/pay?sslmode=verify-full&target_session_attrs=read-write"

        there = sqlalchemy_url(address)

        assert dict(there.query) == {"ssl": "verify-full", "target_session_attrs": "read-write"}
        back = asyncpg_dsn(there.render_as_string(hide_password=False))
        assert "sslmode=verify-full" in back
        assert "ssl=" not in back
