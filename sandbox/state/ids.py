"""Identifiers in Stripe's style: a prefix that tells the kind, then an unguessable part."""

import secrets


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def new_secret(owner: str) -> str:
    """The client secret of an intent: it starts with the intent's id, as apps rely on."""
    return f"{owner}_secret_{secrets.token_hex(16)}"


def new_token() -> str:
    return secrets.token_urlsafe(24)
