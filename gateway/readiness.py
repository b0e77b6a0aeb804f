"""Whether a command may begin: settings that are fit, and a database that is up to date."""

import asyncio
from typing import NoReturn

import typer
from pydantic import ValidationError

from gateway.settings import Settings, UnfitSettings
from web.logs import configure_logs


def fail(why: object) -> NoReturn:
    typer.secho(str(why), fg="red", err=True)
    raise typer.Exit(1)


def read_settings() -> Settings:
    """Settings whose values are well-formed; or the end. The values themselves are not repeated: some are secret."""
    try:
        return Settings()
    except ValidationError as malformed:
        problems = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in malformed.errors()]
        fail("; ".join(problems))


def ready_settings() -> Settings:
    """Settings that are fit for their environment, over a database that is up to date; or the end."""
    settings = read_settings()
    configure_logs(as_json=settings.log_json, level=settings.log_level)
    try:
        settings.check()
        asyncio.run(check_schema(settings))
    except UnfitSettings as unfit:
        fail(f"Not starting in {settings.environment.value}: {unfit}")
    return settings


async def check_schema(settings: Settings) -> None:
    """Raises UnfitSettings where the database cannot be reached or was not migrated."""
    from persistence.engine import CONNECTION_ERRORS, create_engine
    from persistence.schema import current_revision, wanted_revision

    try:
        engine = create_engine(settings.database_url)
        try:
            current = await current_revision(engine)
        finally:
            await engine.dispose()
    except CONNECTION_ERRORS as unusable:
        raise UnfitSettings(f"DATABASE_URL cannot be used ({unusable})") from unusable
    if current != wanted_revision():
        raise UnfitSettings(
            f"the database is at revision {current}, not {wanted_revision()}: run payments-gateway migrate"
        )
