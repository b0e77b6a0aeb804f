"""Stripe, and the circuit breaker before it."""

from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup, parts

STRIPE: Final = "https://api.stripe.com"
DEVELOPMENT_STRIPE_KEY: Final = "sk_test_sandbox"
DEVELOPMENT_WEBHOOK_SECRET: Final = "whsec_development_only"  # noqa: S105


class StripeSettings(SettingsGroup):
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

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return parts(self.stripe_webhook_secret.get_secret_value())

    def problems(self) -> list[str]:
        missing = [] if self.stripe_secret_key.get_secret_value() else ["STRIPE_SECRET_KEY is not set"]
        return [*super().problems(), *missing, *(self._unfit() if self.is_production else [])]

    def _unfit(self) -> list[str]:
        unfit = {
            "STRIPE_SECRET_KEY is the development default": self.stripe_secret_key.get_secret_value()
            == DEVELOPMENT_STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET is the development default": DEVELOPMENT_WEBHOOK_SECRET
            in self.webhook_secrets,
            "STRIPE_WEBHOOK_SECRET is not set": not self.webhook_secrets,
            "STRIPE_API_BASE is not https": urlsplit(self.stripe_api_base).scheme != "https",
        }
        return [problem for problem, is_so in unfit.items() if is_so]
