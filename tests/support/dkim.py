"""Keys to sign with, and dkimpy as the judge of what was signed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import dkim

from postroom.wire.dkim import PrivateKey, SigningKey
from postroom.wire.dkim_keys import dns_record, generate_ed25519, generate_rsa, public_base64

MAIL = Path(__file__).parent.parent / "mail"
SAMPLES = {path.stem: path.read_bytes() for path in sorted(MAIL.glob("*.eml"))}

private_key = cache(generate_rsa)
ed25519_key = cache(generate_ed25519)


def signing_key(
    domain: str = "example.com", selector: str = "s1", private: PrivateKey | None = None
) -> SigningKey:
    return SigningKey(domain, selector, private or private_key())


def record(key: SigningKey) -> str:
    return dns_record(public_base64(key.private), key.algorithm.decode().partition("-")[0])


def verifies(message: bytes, key: SigningKey, index: int = 0) -> bool:
    """Whether the signature number `index`, from the top, is good for this key."""

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        known = name.decode().rstrip(".") == f"{key.selector}._domainkey.{key.domain}"
        return record(key).encode() if known else None

    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=look_up))
    except dkim.DKIMException:
        return False
