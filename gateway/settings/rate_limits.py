"""How much callers may ask for."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup
from web.rates.rules import NO_RATES, RateRules

SCHEMES = ("redis", "rediss")


class RateLimitSettings(SettingsGroup):
    rate_limits: bool | None = Field(
        default=None,
        description="Whether the limits below hold. Unless set they do in production, and not in development.",
    )
    rate_limit_store: SecretStr = Field(
        default=SecretStr(""),
        description="The address of a Redis that all processes count in, as `redis://host:6379/0`. Without one each "
        "process counts for itself.",
    )
    rate_limit_requests: int = Field(
        default=600,
        ge=0,
        description="How many requests a user may make per minute. 0 is no limit, here and below.",
    )
    rate_limit_writes: int = Field(
        default=60, ge=0, description="How many requests of a user may change something, per minute."
    )
    rate_limit_payments: int = Field(
        default=20,
        ge=0,
        description="How often a user may have a bank asked, per minute: payments, subscriptions and cards to save.",
    )
    rate_limit_cost: int = Field(
        default=200_000, ge=0, description="What the GraphQL operations of a user may cost, per minute."
    )
    rate_limit_anonymous: int = Field(
        default=300,
        ge=0,
        description="How many requests without a valid token an address may make, per minute.",
    )
    rate_limit_strangers: int = Field(
        default=300,
        ge=0,
        description="How many requests whose token is not valid an address may make, per minute and process; then "
        "it is not heard with any token.",
    )
    rate_limit_webhooks: int = Field(
        default=30_000,
        ge=0,
        description="How many webhooks an address may send, per minute. Stripe repeats others.",
    )
    rate_limit_staff_factor: int = Field(
        default=10, ge=1, description="How many times as much support and admins may ask for."
    )
    rate_limit_service_factor: int = Field(
        default=100, ge=1, description="How many times as much other services may ask for."
    )

    @property
    def rates(self) -> RateRules:
        is_limited = self.is_production if self.rate_limits is None else self.rate_limits
        return self._rates if is_limited else NO_RATES

    @property
    def _rates(self) -> RateRules:
        return RateRules(
            requests=self.rate_limit_requests,
            writes=self.rate_limit_writes,
            payments=self.rate_limit_payments,
            cost=self.rate_limit_cost,
            anonymous=self.rate_limit_anonymous,
            strangers=self.rate_limit_strangers,
            webhooks=self.rate_limit_webhooks,
            staff=self.rate_limit_staff_factor,
            services=self.rate_limit_service_factor,
        )

    def problems(self) -> list[str]:
        store = self.rate_limit_store.get_secret_value()
        if store and not _is_address(store):
            return [*super().problems(), "RATE_LIMIT_STORE is not an address such as redis://host:6379/0"]
        return super().problems()


def _is_address(store: str) -> bool:
    try:
        parts = urlsplit(store)
        return parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
