"""The REST API, which is there for old callers."""

import re
from datetime import UTC, date, datetime, time
from typing import Final

from pydantic import Field, field_validator

from gateway.settings.group import SettingsGroup
from web.rest.legacy import Legacy

NEVER: Final = "never"
ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9._~:/?@!$&'()*+,;=%-]+", re.ASCII)


class RestSettings(SettingsGroup):
    rest_deprecated_on: date | None = Field(
        default=date(2026, 12, 1),
        description="From this day on REST answers say that the API is deprecated (RFC 9745); `never` for none.",
    )
    rest_sunset_on: date | None = Field(
        default=None, description="The day on which the REST API goes (RFC 8594), if that is settled."
    )
    rest_guide_url: str = Field(
        default="",
        description="The address of the migration guide, to whose entries REST answers link.",
    )

    @field_validator("rest_deprecated_on", mode="before")
    @classmethod
    def _may_be_never(cls, value: object) -> object:
        return None if value == NEVER else value

    @property
    def legacy(self) -> Legacy:
        return Legacy(
            deprecated_at=_start_of(self.rest_deprecated_on),
            sunset_at=_start_of(self.rest_sunset_on),
            guide=self.rest_guide_url,
        )

    def problems(self) -> list[str]:
        """RFC 9745, section 4: what goes was deprecated before. The guide's address goes into a header."""
        deprecated, sunset = self.rest_deprecated_on, self.rest_sunset_on
        unfit = {
            "REST_SUNSET_ON is before REST_DEPRECATED_ON": sunset is not None
            and (deprecated is None or sunset < deprecated),
            "REST_GUIDE_URL is not an http(s) address without an anchor": self.rest_guide_url != ""
            and not ADDRESS.fullmatch(self.rest_guide_url),
        }
        return [*super().problems(), *(problem for problem, is_so in unfit.items() if is_so)]


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
