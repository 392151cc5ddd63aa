"""Names in the DNS as every layer writes them: lower-case A-labels."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

import idna

MAX_DOMAIN = 253
"""Octets: the longest name DNS can hold, written without the last dot."""
_LONGEST_READ = 254  # octets, those of a whole mailbox
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class AddressError(ValueError):
    """The text is no address. `str(error)` says in a few words what is wrong with it."""


@lru_cache(maxsize=4096)
def parse_domain(text: str) -> str:
    """Fold a domain to its lower-case A-label form (`MÜNCHEN.example` -> `xn--mnchen-3ya.example`).

    U-labels and A-labels are checked by IDNA 2008 (RFC 5891); nothing is mapped but letter case and NFC, so a
    full-width dot or at sign is refused and not silently read as something else. Raises AddressError.
    """
    if len(text) > _LONGEST_READ:  # before anything that decodes (CVE-2024-3651)
        raise AddressError("the domain is too long")
    folded = text.lower()
    if not folded.isascii() or "xn--" in folded:
        folded = _to_a_labels(folded)
    if len(folded) > MAX_DOMAIN:
        raise AddressError("the domain is too long")
    if _DOMAIN.fullmatch(folded) is None:
        raise AddressError("the domain is not valid" if folded else "the domain is missing")
    return folded


def _to_a_labels(domain: str) -> str:
    try:
        return idna.encode(normalize("NFC", domain), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise AddressError("the international domain is not valid (IDNA 2008)") from None
