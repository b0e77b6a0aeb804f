"""Who may vouch for callers, as the settings have it."""

from gateway.settings import Settings
from web.auth import Authentication
from web.jwks import KeySetAddress
from web.published_keys import PublishedKeys
from web.token_keys import secret_key
from web.token_verifier import TokenVerifier
from web.tokens import Expected


def published_keys(settings: Settings) -> PublishedKeys | None:
    """None where the User Service publishes none."""
    if settings.jwt_jwks_url is None:
        return None
    return PublishedKeys(KeySetAddress(settings.jwt_jwks_url), lifetime=settings.jwt_jwks_seconds)


def authentication(settings: Settings, published: PublishedKeys | None) -> Authentication:
    return Authentication(
        TokenVerifier(
            secrets=tuple(map(secret_key, settings.jwt_secrets)),
            published=published,
            expected=Expected(issuer=settings.jwt_issuer, audience=settings.jwt_audience),
        )
    )
