"""PostgreSQL."""

from pydantic import Field

from gateway.settings.group import SettingsGroup


class DatabaseSettings(SettingsGroup):
    database_url: str = Field(default="", description="PostgreSQL's address. Needed.", repr=False)
    database_pool_size: int = Field(
        default=10,
        ge=2,
        description="Connections per process; at least two, which a recount of the statistics takes.",
    )
    database_pool_timeout: float = Field(
        default=5.0, gt=0, description="Seconds that a request waits for a connection."
    )

    def problems(self) -> list[str]:
        missing = [] if self.database_url else ["DATABASE_URL is not set"]
        return [*super().problems(), *missing]
