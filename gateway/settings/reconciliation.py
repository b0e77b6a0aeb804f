"""How often our state is held against Stripe's, and how much of it."""

from pydantic import Field

from gateway.settings.group import SettingsGroup


class ReconciliationSettings(SettingsGroup):
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
        default=True,
        description="Whether what the comparison of objects finds to differ is read anew and put right. Events that "
        "were missed are applied in any case, unless RECONCILE_SECONDS is 0.",
    )
