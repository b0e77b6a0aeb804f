"""How the server listens, and what it shows."""

from pydantic import Field, field_validator

from gateway.connections import ConnectionLimits
from gateway.settings.group import SettingsGroup, Texts, split
from web.body_limit import DEFAULT_BYTES
from web.middleware import HttpSettings


class ServerSettings(SettingsGroup):
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    allowed_origins: Texts = Field(
        default=(), description="Origins of browser apps that may call (CORS), separated by commas."
    )
    explorer: bool = Field(
        default=False,
        description="Whether GraphiQL and the REST reference are served. `make run` turns it on.",
    )
    debug_extension: bool = Field(
        default=False,
        description="Whether GraphQL answers tell what they cost; development only. `make run` turns it on.",
    )
    shutdown_seconds: int = Field(
        default=30, ge=0, description="How long running requests may take to end after SIGTERM."
    )
    header_seconds: float = Field(
        default=10,
        gt=0,
        description="How long a connection may take to bring the headers of a request, before it is closed with 408.",
    )
    body_seconds: float = Field(
        default=10, gt=0, description="How long a body may take to arrive, before it is refused with 408."
    )
    idle_seconds: int = Field(
        default=5,
        ge=1,
        description="How long a connection is kept open between two requests; more than the proxy in front keeps it.",
    )
    max_body_bytes: int = Field(
        default=DEFAULT_BYTES,
        ge=1024,
        description="How large a body may be; Stripe's webhooks have a limit of their own, of 1 MiB.",
    )
    max_header_bytes: int = Field(
        default=32 * 1024, ge=1024, description="How large the headers may be, with the request line."
    )
    max_request_line_bytes: int = Field(
        default=16 * 1024, ge=256, description="How long the address of a request may be, with its query."
    )
    max_connections: int = Field(
        default=1000,
        ge=0,
        description="How many connections a process serves at once; further ones are told 503. 0 is no bound.",
    )
    max_connections_per_address: int = Field(
        default=200,
        ge=0,
        description="How many of them one address (or /56 of IPv6) may have, unless FORWARDED_ALLOW_IPS names it "
        "as a proxy. 0 is no bound.",
    )

    @property
    def connection_limits(self) -> ConnectionLimits:
        return ConnectionLimits(
            header_seconds=self.header_seconds,
            idle_seconds=self.idle_seconds,
            headers=self.max_header_bytes,
            request_line=self.max_request_line_bytes,
            most=self.max_connections,
            most_of_one=self.max_connections_per_address,
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
        unfit = {
            "DEBUG_EXTENSION is for development only": self.is_production and self.debug_extension,
            "MAX_REQUEST_LINE_BYTES is more than MAX_HEADER_BYTES": self.max_request_line_bytes
            > self.max_header_bytes,
        }
        return [*super().problems(), *(problem for problem, is_so in unfit.items() if is_so)]
