"""The rules of money that a shop may choose."""

from pydantic import Field, field_validator

from domain.currency import CURRENCIES, DEFAULT_CURRENCIES
from gateway.settings.group import SettingsGroup, Texts, split


class RuleSettings(SettingsGroup):
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

    @field_validator("accepted_currencies", mode="before")
    @classmethod
    def _split_currencies(cls, value: object) -> object:
        return split(value)

    @field_validator("accepted_currencies")
    @classmethod
    def _are_known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(codes) - set(CURRENCIES)):
            raise ValueError(f"Stripe knows no such currency: {', '.join(unknown)}")
        return codes
