"""Secrets stay in their settings: neither their text nor a log shows them."""

import re
from typing import Any, Final

import pytest
from pydantic import SecretStr

from gateway.settings import Settings
from web.redaction import redacted_event

SECRET_NAME: Final = re.compile(r"secret|password|(^|_)keys?$|token$")
SECRETS: Final = sorted(
    name for name, field in Settings.model_fields.items() if field.annotation is SecretStr
)
HUSHED: Final = "s3cret-hushed-value"


class TestSecretSettings:
    def test_are_all_those_that_sound_like_one(self) -> None:
        named = [name for name in Settings.model_fields if SECRET_NAME.search(name)]

        assert {"stripe_secret_key", "jwt_secret", "metadata_keys"} <= set(SECRETS)
        assert set(named) <= set(SECRETS)

    @pytest.mark.parametrize("name", SECRETS)
    def test_are_not_shown(self, name: str) -> None:
        given: dict[str, Any] = {name: HUSHED}
        settings = Settings(**given)

        assert getattr(settings, name).get_secret_value() == HUSHED
        assert HUSHED not in f"{settings!r} {settings}"
        assert HUSHED not in str(redacted_event({"settings": settings}))

    @pytest.mark.parametrize("name", [name for name in SECRETS if SECRET_NAME.search(name)])
    def test_are_not_logged_under_their_names(self, name: str) -> None:
        assert HUSHED not in str(redacted_event({name: HUSHED}))

    def test_do_not_show_the_password_of_an_address(self) -> None:
        address = f"postgresql://gateway:{HUSHED}@db.example/payments"
        settings = Settings(database_url=address)

        written = str(redacted_event({"event": address, "error": f"no {address}"}))

        assert HUSHED not in f"{settings!r} {settings}"
        assert "db.example" in written
        assert HUSHED not in written
