"""Where Prometheus finds the metrics."""

import re
from typing import Final

from pydantic import Field, field_validator

from gateway.settings.group import SettingsGroup, Texts, split

NAME: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,63}")
MOST_OPERATIONS: Final = 200
"""Each is some forty series."""


class MetricsSettings(SettingsGroup):
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
    metric_operations: Texts = Field(
        default=(),
        description="Names of GraphQL operations that have metrics of their own, separated by commas; all others "
        "are counted together. Without any, those of `TRUSTED_DOCUMENTS` have.",
    )

    @field_validator("metric_operations", mode="before")
    @classmethod
    def _split_operations(cls, value: object) -> object:
        return split(value)

    @field_validator("metric_operations")
    @classmethod
    def _are_few_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unfit := [name for name in names if not NAME.fullmatch(name)]:
            raise ValueError(f"no operation can be called {', '.join(unfit)}")
        if len(names) > MOST_OPERATIONS:
            raise ValueError(f"no more than {MOST_OPERATIONS} can be told apart")
        return names
