"""The key that signs access statements in development: made at the first start, kept for the next ones."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

FILE: Final = "access-statements.pem"
OURS_ALONE: Final = 0o600


def development_key(folder: Path) -> str:
    """The key in the data folder, as PEM."""
    file = folder / FILE
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.touch(OURS_ALONE)
        fresh.write_text(new_key())
        fresh.replace(file)  # Whole or not at all, if the start is cut short.
    return file.read_text()


def new_key() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
