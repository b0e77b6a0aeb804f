"""Where traces go."""

from urllib.parse import urlsplit

from pydantic import Field

from gateway.settings.group import SettingsGroup


class TraceSettings(SettingsGroup):
    otel_exporter_otlp_endpoint: str = Field(
        default="",
        description="The address of an OpenTelemetry collector (OTLP over HTTP), such as `http://127.0.0.1:4318`. "
        "Without one there are no traces.",
    )

    def problems(self) -> list[str]:
        address = urlsplit(self.otel_exporter_otlp_endpoint)
        if not self.otel_exporter_otlp_endpoint or (address.scheme in {"http", "https"} and address.hostname):
            return super().problems()
        return [*super().problems(), "OTEL_EXPORTER_OTLP_ENDPOINT is no http address"]
