"""Checks a signature that our own signer has made, as a receiver would: with the key record from the DNS.

Only what `dkim` writes is understood: relaxed/relaxed, rsa-sha256 and ed25519-sha256, no `l=`. Mail of others is
verified elsewhere.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from postroom.wire.dkim import body_hash, signing_input
from postroom.wire.mime.header import Field

SIGNATURE = b"dkim-signature"

_SIGNED = re.compile(rb"(;\s*b=)[^;]*")
_SPACE = re.compile(rb"\s+")


def tags(text: bytes) -> dict[bytes, bytes]:
    """A tag list (RFC 6376 section 3.2), white space within values taken out."""
    parts = (part.partition(b"=") for part in text.split(b";"))
    return {name.strip(): _SPACE.sub(b"", value) for name, sign, value in parts if sign}


def problem(fields: Sequence[Field], body: Iterable[bytes], record: str) -> str:
    """What is wrong with the topmost signature of a message, as a part of a sentence; "" when it is good.

    `record` is the TXT record of its key."""
    field = next((field for field in fields if field.key == SIGNATURE), None)
    if field is None:
        return "there is no DKIM-Signature"
    said = tags(field.value)
    if said.get(b"bh") != b64encode(body_hash(body)):
        return "the hash of the body is not the one that was signed"
    others = [other for other in fields if other is not field]
    unsigned = Field(field.key, _SIGNED.sub(rb"\1", field.raw[:-2]) + b"\r\n")
    names = [name.lower() for name in said.get(b"h", b"").split(b":")]
    data = signing_input(others, names, unsigned)
    try:
        signature = b64decode(said.get(b"b", b""), validate=True)
        key = b64decode(tags(record.encode()).get(b"p", b""), validate=True)
        return _verify(said.get(b"a", b""), key, signature, data)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return "the key record or the signature cannot be read"


def _verify(algorithm: bytes, key: bytes, signature: bytes, data: bytes) -> str:
    """Raises ValueError for a key that is none."""
    try:
        if algorithm == b"ed25519-sha256":
            Ed25519PublicKey.from_public_bytes(key).verify(signature, sha256(data).digest())
            return ""
        public = load_der_public_key(key)
        if algorithm != b"rsa-sha256" or not isinstance(public, RSAPublicKey):
            return "the key is of another kind than the signature"
        public.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return "the signature was not made with the key that is published"
    return ""
