"""
The keys under which metadata lies in the database: AES-256-GCM (NIST SP 800-38D), each key with an id.

    envelope = version (1 byte) | length of the key's id (1 byte) | key id | nonce (12 bytes) | ciphertext with tag

What is sealed is bound to its place, `table|column|row id`: an envelope that somebody moves to another row does not
open there. Nonces are random, so one key seals 2³² times at most (section 8.3), and is changed long before.
"""

import base64
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import MetadataUnreadable

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Keyring:
    """`current` seals; all of them open. Without keys nothing is sealed, and nothing opens."""

    current: str | None = None
    _ciphers: Mapping[str, AESGCM] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """
        From `id:base64 of 32 bytes`, comma-separated, the current one first.

        Raises ValueError for what is no such key; the message names its id or its place, and never the key.
        """
        keys = _keys(text)
        ids = [key_id for key_id, _ in keys]
        if len(set(ids)) < len(ids):
            raise ValueError("two keys have the same id")
        return cls(ids[0] if ids else None, {key_id: AESGCM(secret) for key_id, secret in keys})

    @property
    def prefix(self) -> bytes:
        """What every envelope under the current key begins with."""
        if self.current is None:
            raise MetadataUnreadable("Metadata cannot be kept: METADATA_KEYS is not set.")
        return _header(self.current)

    def opens(self, key_id: str) -> bool:
        return key_id in self._ciphers

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Under the current key; raises MetadataUnreadable where there is none."""
        prefix, nonce = self.prefix, os.urandom(NONCE_BYTES)
        sealed = self._ciphers[str(self.current)].encrypt(nonce, plain, prefix + place.encode())
        return prefix + nonce + sealed

    def open(self, envelope: bytes, *, place: str) -> bytes:
        """
        Raises MetadataUnreadable, naming the key where it is not one of these, or saying that the envelope is not
        what was sealed for this place.
        """
        key_id = key_id_of(envelope)
        if not self.opens(key_id):
            raise MetadataUnreadable(
                f"This metadata was encrypted under the key {key_id!r}, which METADATA_KEYS does not have."
            )
        header = _header(key_id)
        nonce, sealed = envelope[len(header) :][:NONCE_BYTES], envelope[len(header) + NONCE_BYTES :]
        try:
            return self._ciphers[key_id].decrypt(nonce, sealed, header + place.encode())
        except (InvalidTag, ValueError) as changed:
            raise MetadataUnreadable(
                f"This metadata is not what was encrypted here under the key {key_id!r}: it was changed or moved."
            ) from changed


NO_KEYS: Final = Keyring()


def key_id_of(envelope: bytes) -> str:
    """Raises MetadataUnreadable for what is no envelope."""
    if len(envelope) < 2 or envelope[0] != VERSION:
        raise MetadataUnreadable("This metadata is in no form that this version knows.")
    return envelope[2 : 2 + envelope[1]].decode("ascii", errors="replace")


def new_key(key_id: str) -> str:
    """A fresh key, as METADATA_KEYS takes it; raises ValueError for an unfit id."""
    return f"{_fit_id(key_id)}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def shared_secrets(one: str, other: str) -> Collection[bytes]:
    """What both of them encrypt under, by whatever ids; raises ValueError as `Keyring.read` does."""
    return {secret for _, secret in _keys(one)} & {secret for _, secret in _keys(other)}


def _header(key_id: str) -> bytes:
    return bytes((VERSION, len(key_id))) + key_id.encode()


def _keys(text: str) -> list[tuple[str, bytes]]:
    return [_key(part.strip(), number) for number, part in enumerate(text.split(","), 1) if part.strip()]


def _key(text: str, number: int) -> tuple[str, bytes]:
    key_id, separator, encoded = text.partition(":")
    if not separator:
        raise ValueError(f"key {number} is not id:base64")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except ValueError as malformed:
        raise ValueError(f"key {number} is not base64") from malformed
    if len(secret) != KEY_BYTES:
        raise ValueError(f"key {number} has {len(secret)} bytes instead of {KEY_BYTES}")
    return _fit_id(key_id), secret


def _fit_id(key_id: str) -> str:
    """The id itself: it stands in each envelope and in error messages."""
    if not KEY_ID.fullmatch(key_id):
        raise ValueError("a key's id is 1 to 32 of a-z, 0-9 and -, and begins with no -")
    return key_id
