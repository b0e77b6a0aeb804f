"""The User Service's tokens."""

from typing import Final

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup
from web.auth import signing_key

DEVELOPMENT_JWT_SECRET: Final = "development-only-jwt-secret-0000000000"  # noqa: S105


class TokenSettings(SettingsGroup):
    jwt_secret: SecretStr = Field(
        default=SecretStr(""), description="The User Service's HS256 secret, at least 32 bytes. Needed."
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` that tokens must have.")
    jwt_audience: str | None = Field(default=None, description="The `aud` that tokens must have.")

    def problems(self) -> list[str]:
        return [*super().problems(), *self._unfit_secret()]

    def _unfit_secret(self) -> list[str]:
        secret = self.jwt_secret.get_secret_value()
        if not secret:
            return ["JWT_SECRET is not set"]
        if self.is_production and secret == DEVELOPMENT_JWT_SECRET:
            return ["JWT_SECRET is the development default"]
        try:
            signing_key(secret)
        except ValueError as unfit:
            return [f"JWT_SECRET is unfit ({unfit})"]
        return []
