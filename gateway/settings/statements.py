"""Access statements, which the Media Service verifies by itself."""

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup
from web.access_statements import statement_keys


class StatementSettings(SettingsGroup):
    access_statement_keys: SecretStr = Field(
        default=SecretStr(""),
        description="The private key (PEM, P-256) that signs access statements; a second one during a rotation. "
        "Without one there are no statements.",
    )
    access_statement_issuer: str = Field(
        default="payments-gateway", description="The `iss` of access statements."
    )
    access_statement_audience: str = Field(
        default="media-service", description="The `aud` of access statements."
    )
    access_statement_minutes: int = Field(
        default=5, ge=1, le=60, description="How long an access statement is valid."
    )

    def problems(self) -> list[str]:
        try:
            statement_keys(self.access_statement_keys.get_secret_value())
        except ValueError as unfit:
            return [*super().problems(), f"ACCESS_STATEMENT_KEYS is unfit ({unfit})"]
        return super().problems()
