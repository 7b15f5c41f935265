"""Secrets: encryption of those the server must read, and new random ones."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from saastracker.errors import OperatorError

VARIABLE = "SAASTRACKER_SECRET_KEY"
FILE = "secret_key"


class Secrets:
    """Encrypts secrets at rest with one key per installation; servers that share a database share it."""

    def __init__(self, key: bytes, origin: str) -> None:
        """`key` is 32 bytes in URL-safe base64; `origin` says in errors where it came from."""
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise OperatorError(f"{origin} must hold 32 bytes in URL-safe base64 (44 characters)") from None
        self._origin = origin

    @classmethod
    def open(cls, data: Path) -> "Secrets":
        """With the key from the environment, else from the data folder, where it is made if missing."""
        if text := os.environ.get(VARIABLE):
            return cls(text.encode(), f"The variable {VARIABLE}")
        path = data / FILE
        try:
            if not path.exists():
                _create(path)
            return cls(path.read_bytes().strip(), str(path))
        except OSError as error:
            raise OperatorError(f"{path}: cannot read or make the secret key: {error.strerror}") from None

    def encrypt(self, secret: bytes) -> str:
        return self._fernet.encrypt(secret).decode()

    def decrypt(self, text: str) -> bytes:
        """Raises OperatorError if `text` was encrypted with another key."""
        try:
            return self._fernet.decrypt(text)
        except InvalidToken:
            raise OperatorError(
                f"{self._origin} is not the key that this database's secrets are encrypted with: "
                f"put the right {FILE} in the data folder, or set {VARIABLE}"
            ) from None


def _create(path: Path) -> None:
    """Write a new key at once or not at all: of two processes that start together, the first wins."""
    new = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, Fernet.generate_key())
    os.fsync(descriptor)
    os.close(descriptor)
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # a power cut must not take the key away from a database that needs it
    os.close(folder)


def new_token() -> str:
    """An API token: 256 random bits."""
    return f"st_{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """What is kept of a token, in hex. A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
