"""Whom a refused request was from and for, as far as that can be read: the customer looks for it by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address, Envelope, Recipient

LISTS = ("to", "cc", "bcc", "rcpt_to", "rcptTo")
MOST = 10
"""Entries looked at in each list: nobody waits for a refusal to be written down."""
LONGEST = 320


def envelope_of(body: Any) -> Envelope:
    """Of a body that may be anything, LongText included. What is no address is left out."""
    if not isinstance(body, dict):
        return Envelope(None)
    everybody = [address for name in LISTS for address in _addresses(body.get(name))]
    return Envelope(_address(body.get("from")), [Recipient(address) for address in dict.fromkeys(everybody)])


def _addresses(people: Any) -> Iterator[Address]:
    for person in people[:MOST] if isinstance(people, list) else ():
        address = _address(person)
        if address is not None:
            yield address


def _address(person: Any) -> Address | None:
    written = person.get("email") if isinstance(person, dict) else None
    if not isinstance(written, str) or len(written) > LONGEST:
        return None
    try:
        return parse_mailbox(written)
    except AddressError:
        return None
