"""Encryption at rest under one key file, which lies outside the database (X01).

A sealed value is `version | fingerprint of the key | nonce | AES-256-GCM ciphertext`. The `context` names the place
the value belongs to ("dkim:<domain id>"): a value copied to another place does not open.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from postroom.errors import PostroomError
from postroom.runtime.files import create_file

_VERSION = b"\x01"
_FINGERPRINT, _NONCE, _KEY = 4, 12, 32


class SecretError(PostroomError):
    """The key file is missing or broken, or a sealed value does not open with it."""


class SecretBox:
    """Seals and opens small values, and derives subkeys. `origin` is named in errors."""

    def __init__(self, key: bytes, *, origin: str = "the secret key") -> None:
        if len(key) != _KEY:
            raise SecretError(f"{origin}: a key has {_KEY} octets, this one {len(key)}")
        self._key = key
        self._origin = origin
        self._fingerprint = self.derive("fingerprint")[:_FINGERPRINT]
        self._cipher = AESGCM(self.derive("seal"))

    @classmethod
    def load(cls, path: Path, *, create: bool = False) -> SecretBox:
        """Read the key file (base64, one line). With `create` a missing one is made, readable by its owner only."""
        try:
            if create and not path.exists():
                text = create_file(path, b64encode(os.urandom(_KEY)) + b"\n")
            else:
                text = path.read_bytes()
        except FileNotFoundError:
            raise SecretError(
                f"{path}: the secret key is missing. It belongs to the database: restore it from the backup, "
                "or let `postroom serve --first-run` make a new installation."
            ) from None
        except OSError as error:
            raise SecretError(f"{path}: the secret key cannot be used: {error.strerror}") from None
        try:
            key = b64decode(text.strip(), validate=True)
        except ValueError:
            raise SecretError(f"{path}: is no secret key (32 octets in base64)") from None
        return cls(key, origin=str(path))

    def derive(self, purpose: str) -> bytes:
        """32 octets for one purpose (HKDF, RFC 5869). The same purpose always gets the same octets."""
        return HKDF(SHA256(), _KEY, salt=None, info=b"postroom:" + purpose.encode()).derive(self._key)

    def seal(self, value: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return _VERSION + self._fingerprint + nonce + self._cipher.encrypt(nonce, value, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The value. Raises SecretError if it was sealed with another key or elsewhere, or is damaged."""
        version, rest = sealed[:1], sealed[1:]
        fingerprint, rest = rest[:_FINGERPRINT], rest[_FINGERPRINT:]
        if version != _VERSION or len(rest) < _NONCE:
            raise SecretError(f"{context}: the sealed value is damaged")
        if fingerprint != self._fingerprint:
            raise SecretError(
                f"{context}: was sealed with another key than {self._origin}. "
                "Restore the key file that belongs to this database."
            )
        try:
            return self._cipher.decrypt(rest[:_NONCE], rest[_NONCE:], context.encode())
        except InvalidTag:
            raise SecretError(f"{context}: the sealed value is damaged or belongs elsewhere") from None
