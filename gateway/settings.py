"""Every setting, from the environment (or a `.env` file), with its meaning and its default."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.command_service import LONGEST_ATTEMPT
from domain.currency import CURRENCIES, DEFAULT_CURRENCIES
from web.access_statements import statement_keys
from web.auth import signing_key
from web.middleware import HttpSettings

DEVELOPMENT_JWT_SECRET: Final = "development-only-jwt-secret-0000000000"  # noqa: S105
DEVELOPMENT_STRIPE_KEY: Final = "sk_test_sandbox"
DEVELOPMENT_WEBHOOK_SECRET: Final = "whsec_development_only"  # noqa: S105
DEMO_USER: Final = UUID("0195d1c5-0000-7000-8000-000000000001")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
STRIPE: Final = "https://api.stripe.com"


class Environment(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"


class UnfitSettings(Exception):
    """The settings are not fit for their environment; the message says which, and why."""


Texts = Annotated[tuple[str, ...], NoDecode]
"""Comma-separated in the environment."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    environment: Environment = Field(
        default=Environment.PRODUCTION, description="`production` or `development`."
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    database_url: str = Field(default="", description="PostgreSQL's address. Needed.")
    database_pool_size: int = Field(
        default=10,
        ge=2,
        description="Connections per process; at least two, which a recount of the statistics takes.",
    )
    database_pool_timeout: float = Field(
        default=5.0, gt=0, description="Seconds that a request waits for a connection."
    )
    stripe_secret_key: SecretStr = Field(default=SecretStr(""), description="Stripe's secret key. Needed.")
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The signing secret of the webhook endpoint; two, separated by a comma, during a rotation.",
    )
    stripe_api_base: str = Field(
        default=STRIPE, description="The address of Stripe, or of a Stripe-compatible server."
    )
    stripe_requests_at_once: int = Field(
        default=100,
        ge=1,
        le=100,
        description="How many requests to Stripe one process has under way at once; others wait for their turn.",
    )
    circuit_threshold: int = Field(
        default=20,
        ge=0,
        description="After how many failed requests to Stripe, less four for each that was answered, it is left alone. "
        "Never where this is 0.",
    )
    circuit_pause_seconds: float = Field(
        default=5.0,
        ge=1,
        le=300,
        description="How long Stripe is left alone before one request tries it again.",
    )
    jwt_secret: SecretStr = Field(
        default=SecretStr(""), description="The User Service's HS256 secret, at least 32 bytes. Needed."
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` that tokens must have.")
    jwt_audience: str | None = Field(default=None, description="The `aud` that tokens must have.")
    access_statement_keys: SecretStr = Field(
        default=SecretStr(""),
        description="The private key (PEM, P-256) that signs access statements; a second one during a rotation. "
        "Without one there are no statements.",
    )
    access_statement_issuer: str = Field(
        default="payments-gateway", description="The `iss` of access statements."
    )
    access_statement_audience: str = Field(
        default="media-service", description="The `aud` of access statements."
    )
    access_statement_minutes: int = Field(
        default=5, ge=1, le=60, description="How long an access statement is valid."
    )
    allowed_origins: Texts = Field(
        default=(), description="Origins of browser apps that may call (CORS), separated by commas."
    )
    accepted_currencies: Texts = Field(
        default=tuple(sorted(DEFAULT_CURRENCIES)),
        description="Currencies that may be charged, separated by commas. All but UGX, ANG and BGN.",
    )
    allow_client_amounts: bool = Field(
        default=True, description="Whether callers may name the amount that they pay."
    )
    duplicate_window_seconds: int = Field(
        default=0,
        ge=0,
        le=3600,
        description="How long after a payment another one for the same is refused as a likely duplicate, "
        "unless its `allowDuplicate` is true. Never where this is 0.",
    )
    grace_days: int = Field(
        default=7, ge=0, description="How many days access outlasts a renewal that failed."
    )
    renewal_leeway_hours: int = Field(
        default=6,
        ge=0,
        description="How many hours access outlasts a paid period while its renewal is not heard of: "
        "Stripe charges an hour after its end.",
    )
    dunning_attempts: int = Field(
        default=4,
        ge=1,
        description="How often Stripe tries to collect a renewal in all, as its billing settings say.",
    )
    explorer: bool = Field(default=False, description="Whether GraphiQL is served. `make run` turns it on.")
    debug_extension: bool = Field(
        default=False,
        description="Whether GraphQL answers tell what they cost; development only. `make run` turns it on.",
    )
    run_worker: bool = Field(default=True, description="Whether the server runs the worker too.")
    operation_lease_seconds: int = Field(
        default=30,
        ge=1,
        description="How long one attempt at a command may take before others resume it; "
        "in production more than the 25 seconds that an attempt asks Stripe.",
    )
    resume_seconds: int = Field(
        default=5, ge=1, le=59, description="How often the worker looks for abandoned operations."
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="The port of Prometheus' metrics, of the server and the worker each. Without one there are none.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        description="The address that metrics are served on. They have no token: keep it out of reach.",
    )
    reconcile_seconds: int = Field(
        default=300,
        ge=0,
        le=3540,
        description="How often the worker looks for events that it was not told of; whole minutes from 60 on. "
        "Never where this is 0.",
    )
    reconcile_objects_hours: int = Field(
        default=1,
        ge=0,
        le=23,
        description="How often the worker compares our objects with Stripe's. Never where this is 0.",
    )
    reconcile_window_hours: int = Field(
        default=72,
        ge=1,
        le=720,
        description="How far back objects are compared that cannot change by themselves any more.",
    )
    reconcile_heals: bool = Field(
        default=True, description="Whether what the worker finds to differ is read anew and put right."
    )
    shutdown_seconds: int = Field(
        default=30, ge=0, description="How long running requests may take to end after SIGTERM."
    )
    data_folder: Path = Field(
        default=Path("var"), description="Where `make run` keeps its data; nothing else uses it."
    )
    sandbox_port: int = Field(
        default=12111, ge=0, le=65535, description="The port of the Stripe sandbox of `make run`."
    )
    sandbox_chaos: int | None = Field(
        default=None,
        description="A seed, by which the sandbox of `make run` fails, is slow, and mixes up its webhooks.",
    )
    demo_days: int = Field(
        default=90, ge=0, le=730, description="How many days of history the demo's shop of `make run` has."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=True, description="One JSON object per line, or text for people.")

    @field_validator("allowed_origins", "accepted_currencies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("accepted_currencies")
    @classmethod
    def _are_known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(codes) - set(CURRENCIES)):
            raise ValueError(f"Stripe knows no such currency: {', '.join(unknown)}")
        return codes

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return HttpSettings(allowed_origins=origins).allowed_origins

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, level: str) -> str:
        if level.upper() not in LOG_LEVELS:
            raise ValueError(f"one of {', '.join(LOG_LEVELS)} is needed")
        return level

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        given = self.stripe_webhook_secret.get_secret_value()
        return tuple(part.strip() for part in given.split(",") if part.strip())

    def check(self) -> None:
        """Raises UnfitSettings, naming every setting that is missing, or not fit for production."""
        problems = [f"{name} is not set" for name in self._missing()]
        problems += self._unfit_jwt_secret() + self._unfit_statement_keys()
        if self.is_production:
            problems += self._development_leftovers() + self._short_lease()
        if problems:
            raise UnfitSettings("; ".join(problems) + ".")

    def _missing(self) -> list[str]:
        needed = {
            "DATABASE_URL": self.database_url,
            "STRIPE_SECRET_KEY": self.stripe_secret_key.get_secret_value(),
            "JWT_SECRET": self.jwt_secret.get_secret_value(),
        }
        return [name for name, value in needed.items() if not value]

    def _unfit_jwt_secret(self) -> list[str]:
        secret = self.jwt_secret.get_secret_value()
        try:
            if secret:
                signing_key(secret)
        except ValueError as unfit:
            return [f"JWT_SECRET is unfit ({unfit})"]
        return []

    def _unfit_statement_keys(self) -> list[str]:
        try:
            statement_keys(self.access_statement_keys.get_secret_value())
        except ValueError as unfit:
            return [f"ACCESS_STATEMENT_KEYS is unfit ({unfit})"]
        return []

    def _development_leftovers(self) -> list[str]:
        leftovers = {
            "JWT_SECRET": self.jwt_secret.get_secret_value() == DEVELOPMENT_JWT_SECRET,
            "STRIPE_SECRET_KEY": self.stripe_secret_key.get_secret_value() == DEVELOPMENT_STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": DEVELOPMENT_WEBHOOK_SECRET in self.webhook_secrets,
        }
        problems = [f"{name} is the development default" for name, is_left in leftovers.items() if is_left]
        if self.debug_extension:
            problems.append("DEBUG_EXTENSION is for development only")
        if not self.webhook_secrets:
            problems.append("STRIPE_WEBHOOK_SECRET is not set")
        if urlsplit(self.stripe_api_base).scheme != "https":
            problems.append("STRIPE_API_BASE is not https")
        return problems

    def _short_lease(self) -> list[str]:
        """Whoever is still at work must not be taken for dead."""
        longest = LONGEST_ATTEMPT.total_seconds()
        if self.operation_lease_seconds > longest:
            return []
        return [f"OPERATION_LEASE_SECONDS is not more than the {longest:.0f} that an attempt may take"]


def settings_table() -> str:
    """The table in the README, from the class itself."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{name.upper()}` | {_shown(field.default)} | {field.description} |")
    return "\n".join(lines)


def _shown(default: object) -> str:
    if isinstance(default, SecretStr) or default in {"", None, ()}:
        return ""
    if isinstance(default, tuple):
        return "(see there)"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
