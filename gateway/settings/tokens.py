"""The User Service's tokens."""

from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup, parts
from web.token_keys import secret_key

DEVELOPMENT_JWT_SECRET: Final = "development-only-jwt-secret-0000000000"  # noqa: S105


class TokenSettings(SettingsGroup):
    jwt_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The User Service's HS256 secret, at least 32 bytes; two, separated by a comma, during a rotation. "
        "Needed where there is no `JWT_JWKS_URL`.",
    )
    jwt_jwks_url: str | None = Field(
        default=None,
        description="Where the User Service publishes its keys for RS256 and ES256, as a JWK Set. In production https.",
    )
    jwt_jwks_seconds: int = Field(
        default=300,
        ge=10,
        le=86400,
        description="How often they are read anew: a key that is published no longer is believed for so long.",
    )
    jwt_issuer: str | None = Field(
        default=None, description="The `iss` that tokens must have. In production needed with `JWT_JWKS_URL`."
    )
    jwt_audience: str | None = Field(
        default=None, description="The `aud` that tokens must have. In production needed with `JWT_JWKS_URL`."
    )

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        return parts(self.jwt_secret.get_secret_value())

    def problems(self) -> list[str]:
        return [*super().problems(), *self._missing_keys(), *self._unfit_secrets(), *self._unfit_address()]

    def _missing_keys(self) -> list[str]:
        has_keys = self.jwt_secrets or self.jwt_jwks_url
        return [] if has_keys else ["neither JWT_SECRET nor JWT_JWKS_URL is set"]

    def _unfit_secrets(self) -> list[str]:
        if self.is_production and DEVELOPMENT_JWT_SECRET in self.jwt_secrets:
            return ["JWT_SECRET is the development default"]
        if self.jwt_secret.get_secret_value().lstrip().startswith("{"):
            return ["JWT_SECRET is unfit (A JSON Web Key is no secret.)"]
        try:
            for secret in self.jwt_secrets:
                secret_key(secret)
        except ValueError as unfit:
            return [f"JWT_SECRET is unfit ({unfit})"]
        return []

    def _unfit_address(self) -> list[str]:
        if self.jwt_jwks_url is None:
            return []
        if not is_plain_address(self.jwt_jwks_url):
            return ["JWT_JWKS_URL is no http or https address without a user and a fragment"]
        if not self.is_production:
            return []
        unfit = {
            "JWT_JWKS_URL is not https": urlsplit(self.jwt_jwks_url).scheme != "https",
            # Its keys sign tokens for other services, too: only these two tell which are meant for us.
            "JWT_ISSUER is not set, which JWT_JWKS_URL needs": not self.jwt_issuer,
            "JWT_AUDIENCE is not set, which JWT_JWKS_URL needs": not self.jwt_audience,
        }
        return [problem for problem, is_so in unfit.items() if is_so]


def is_plain_address(url: str) -> bool:
    """With a host, and nothing in it that is a secret or never sent."""
    try:
        split = urlsplit(url)
        has_host = split.scheme in {"http", "https"} and bool(split.hostname) and split.port != 0
    except ValueError:
        return False
    return has_host and split.username is None and not split.fragment and url.isascii() and url.isprintable()
