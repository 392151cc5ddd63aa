"""Recipients: whom a domain of an account has written to."""

from __future__ import annotations

import hashlib


def recipient_id(account_id: str, domain_id: str, address: str) -> str:
    """24 hex digits that are the same whenever this domain writes to this address.

    Told from what a recipient is, so nothing has to be looked up or stored when mail is accepted.
    """
    return hashlib.sha256("\n".join((account_id, domain_id, address)).encode()).hexdigest()[:24]
