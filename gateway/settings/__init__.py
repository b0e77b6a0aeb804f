"""Every setting, from the environment (or a `.env` file), with its meaning and its default."""

from pydantic import SecretStr

from gateway.settings.database import DatabaseSettings
from gateway.settings.development import DEMO_USER, DevelopmentSettings
from gateway.settings.graphql import GraphQLSettings
from gateway.settings.group import Environment
from gateway.settings.logs import LogSettings
from gateway.settings.metadata import DEVELOPMENT_METADATA_KEYS, MetadataSettings
from gateway.settings.metrics import MetricsSettings
from gateway.settings.rate_limits import RateLimitSettings
from gateway.settings.reconciliation import ReconciliationSettings
from gateway.settings.rest import RestSettings
from gateway.settings.rules import RuleSettings
from gateway.settings.server import ServerSettings
from gateway.settings.statements import StatementSettings
from gateway.settings.stripe import (
    DEVELOPMENT_STRIPE_KEY,
    DEVELOPMENT_WEBHOOK_SECRET,
    STRIPE,
    StripeSettings,
)
from gateway.settings.tokens import DEVELOPMENT_JWT_SECRET, TokenSettings
from gateway.settings.traces import TraceSettings
from gateway.settings.worker import WorkerSettings

__all__ = [
    "DEMO_USER",
    "DEVELOPMENT_JWT_SECRET",
    "DEVELOPMENT_METADATA_KEYS",
    "DEVELOPMENT_STRIPE_KEY",
    "DEVELOPMENT_WEBHOOK_SECRET",
    "STRIPE",
    "Environment",
    "Settings",
    "UnfitSettings",
    "settings_table",
]


class UnfitSettings(Exception):
    """The settings are not fit for their environment; the message says which, and why."""


class Settings(
    LogSettings,
    DevelopmentSettings,
    TraceSettings,
    MetricsSettings,
    ReconciliationSettings,
    WorkerSettings,
    RuleSettings,
    RestSettings,
    StatementSettings,
    TokenSettings,
    StripeSettings,
    MetadataSettings,
    DatabaseSettings,
    RateLimitSettings,
    GraphQLSettings,
    ServerSettings,
):
    """The last group comes first in the table: so pydantic orders what is inherited."""

    def check(self) -> None:
        """Raises UnfitSettings, naming every setting that is missing, or not fit for its environment."""
        if problems := self.problems():
            raise UnfitSettings("; ".join(problems) + ".")


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
