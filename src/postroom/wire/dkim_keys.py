"""DKIM keys: making them, reading them, and the DNS record of the public half (RFC 6376 section 3.6, RFC 8463)."""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from postroom.wire.dkim import PrivateKey

RSA_BITS = 2048  # what every verifier takes and DNS carries without trouble (RFC 8301 section 3.2)


def generate_rsa() -> RSAPrivateKey:
    """A new RSA key. Takes some 100 ms of CPU: not for the event loop."""
    return generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def generate_ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def private_bytes(key: PrivateKey) -> bytes:
    """The key as PEM (PKCS 8), not encrypted: seal it before it is stored."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_private_key(data: bytes, *, trusted: bool) -> PrivateKey:
    """Read a private key from PEM or DER.

    `trusted` skips the check that an RSA key's numbers fit each other, which takes as long as hundreds of signatures:
    only for keys that we made or have checked. Raises ValueError for anything but RSA of 1024 bits or more and Ed25519.
    """
    load = load_pem_private_key if data.lstrip().startswith(b"-----BEGIN") else load_der_private_key
    try:
        key = load(data, None, unsafe_skip_rsa_key_validation=trusted)
    except TypeError:
        raise ValueError("the key is encrypted with a password") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= 1024:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError("the key is neither RSA of 1024 bits or more nor Ed25519")


def public_base64(key: PrivateKey) -> str:
    """The public half as it stands behind `p=`: SubjectPublicKeyInfo for RSA, the bare 32 octets for Ed25519."""
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode("ascii")
    return b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")


def dns_record(public: str, algorithm: str = "rsa") -> str:
    """The TXT record at `selector._domainkey.domain`, as one text; `algorithm` is `rsa` or `ed25519`."""
    return f"v=DKIM1; k={algorithm}; p={public}"
