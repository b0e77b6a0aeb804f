"""How the server listens, and what it shows."""

from pydantic import Field, field_validator

from gateway.settings.group import SettingsGroup, Texts, split
from web.middleware import HttpSettings


class ServerSettings(SettingsGroup):
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    allowed_origins: Texts = Field(
        default=(), description="Origins of browser apps that may call (CORS), separated by commas."
    )
    explorer: bool = Field(default=False, description="Whether GraphiQL is served. `make run` turns it on.")
    debug_extension: bool = Field(
        default=False,
        description="Whether GraphQL answers tell what they cost; development only. `make run` turns it on.",
    )
    shutdown_seconds: int = Field(
        default=30, ge=0, description="How long running requests may take to end after SIGTERM."
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return split(value)

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return HttpSettings(allowed_origins=origins).allowed_origins

    def problems(self) -> list[str]:
        if self.is_production and self.debug_extension:
            return [*super().problems(), "DEBUG_EXTENSION is for development only"]
        return super().problems()
