"""Logs."""

from typing import Final

from pydantic import Field, field_validator

from gateway.settings.group import SettingsGroup

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class LogSettings(SettingsGroup):
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=True, description="One JSON object per line, or text for people.")
    log_slow_milliseconds: int = Field(
        default=0,
        ge=0,
        description="Requests that take as long are logged as warnings, with `slow`. None where this is 0.",
    )

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, level: str) -> str:
        if level.upper() not in LOG_LEVELS:
            raise ValueError(f"one of {', '.join(LOG_LEVELS)} is needed")
        return level
