"""DKIM keys: made in pairs when a domain is added, sealed at rest, opened to sign."""

from __future__ import annotations

import asyncio

from postroom.runtime import ids
from postroom.runtime.secrets import SecretBox
from postroom.store import dkim_keys
from postroom.store.database import Database
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.wire import dkim_keys as wire

SELECTORS = ("pr1", "pr2")
"""The first signs; the second is published too, so that changing to it needs no waiting for the DNS (RFC 6376 3.1)."""


async def make_pair(box: SecretBox, domain: Domain) -> list[DkimKey]:
    """Two RSA-2048 keys, made in a thread: each takes up to some hundred milliseconds."""
    return await asyncio.to_thread(lambda: [_make(box, domain, selector) for selector in SELECTORS])


def _make(box: SecretBox, domain: Domain, selector: str) -> DkimKey:
    private = wire.generate_rsa()
    return DkimKey(
        id=ids.object_id(),
        account_id=domain.account_id,
        domain_id=domain.id,
        selector=selector,
        algorithm="rsa",
        private_key=box.seal(wire.private_bytes(private), _context(domain.id)),
        public_key=wire.public_base64(private),
        active=selector == SELECTORS[0],
        created_at=domain.created_at,
    )


async def private_key(db: Database, box: SecretBox, domain_name: str) -> tuple[str, bytes] | None:
    """(selector, PEM) of the active key of this very domain; None when it has none.

    Raises SecretError when it was sealed with another key file.
    """
    async with db.read() as connection:
        key = await dkim_keys.active(connection, domain_name)
    if key is None:
        return None
    return key.selector, box.open(key.private_key, _context(key.domain_id))


def record_name(key: DkimKey, domain_name: str) -> str:
    return f"{key.selector}._domainkey.{domain_name}"


def record_value(key: DkimKey) -> str:
    """The TXT record (RFC 6376 section 3.6.1)."""
    return wire.dns_record(key.public_key, key.algorithm)


def _context(domain_id: str) -> str:
    return f"dkim:{domain_id}"
