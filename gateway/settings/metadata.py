"""The keys under which callers' metadata lies in the database."""

from typing import Final

from pydantic import Field, SecretStr

from gateway.settings.group import SettingsGroup
from persistence.keyring import NO_KEYS, Keyring, shared_secrets

DEVELOPMENT_METADATA_KEYS: Final = "development:ZGV2ZWxvcG1lbnQtb25seS1tZXRhZGF0YS1rZXktMDE="


class MetadataSettings(SettingsGroup):
    metadata_keys: SecretStr = Field(
        default=SecretStr(""),
        description="The keys that encrypt callers' metadata, as `id:base64 of 32 bytes`, comma-separated, the current "
        "one first: `payments-gateway metadata new-key` prints one. Needed in production.",
    )

    @property
    def keyring(self) -> Keyring:
        """Development has a key of its own. Raises ValueError where the setting is unfit."""
        given = self.metadata_keys.get_secret_value()
        return Keyring.read(given or ("" if self.is_production else DEVELOPMENT_METADATA_KEYS))

    def problems(self) -> list[str]:
        return [*super().problems(), *self._unfit_keys()]

    def _unfit_keys(self) -> list[str]:
        try:
            keyring = self.keyring
        except ValueError as unfit:
            return [f"METADATA_KEYS is unfit ({unfit})"]
        if keyring == NO_KEYS:
            return ["METADATA_KEYS is not set"]
        given = self.metadata_keys.get_secret_value()
        if self.is_production and shared_secrets(given, DEVELOPMENT_METADATA_KEYS):
            return ["METADATA_KEYS has the development default"]
        return []
