"""What the groups of settings have in common."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Texts = Annotated[tuple[str, ...], NoDecode]
"""Comma-separated in the environment."""


class Environment(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"


class SettingsGroup(BaseSettings):
    """Settings of one noun. All groups together are one class, so that each knows the environment."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        defer_build=True,  # Only all groups together are ever read.
    )

    environment: Environment = Field(
        default=Environment.PRODUCTION, description="`production` or `development`."
    )

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    def problems(self) -> list[str]:
        """What is missing, or not fit for its environment; each group adds its own to those of the others."""
        return []


def parts(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def split(value: object) -> object:
    """For settings that are `Texts`."""
    return parts(value) if isinstance(value, str) else value
