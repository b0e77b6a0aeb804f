"""What only `make run` reads."""

from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import Field

from gateway.settings.group import SettingsGroup

DEMO_USER: Final = UUID("0195d1c5-0000-7000-8000-000000000001")


class DevelopmentSettings(SettingsGroup):
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
