"""Where Prometheus finds the metrics."""

from pydantic import Field

from gateway.settings.group import SettingsGroup


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
