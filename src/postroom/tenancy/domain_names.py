"""Names of sending domains: what can be one, and what its owner has registered of it."""

from __future__ import annotations

import re
from functools import cache

from publicsuffixlist import PublicSuffixList

from postroom.types.addresses import AddressError, parse_domain

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def folded(name: str) -> str:
    """In lower-case A-labels, without the final dot. Raises ValueError that says what is wrong."""
    try:
        found = parse_domain(name.strip().removesuffix("."))
    except AddressError as error:
        raise ValueError(str(error)) from None
    if found.rpartition(".")[2].isdigit():
        raise ValueError("it looks like an address")
    return found


def organisation(name: str) -> str | None:
    """The part of it that somebody has registered; None when everybody may register below it, like `co.uk`.

    The first call reads the list of public suffixes, which takes a tenth of a second: not on the loop.
    """
    return _suffixes().privatesuffix(name)


def label(subdomain: str) -> str:
    """One label, in lower case. Raises ValueError when it cannot stand before a domain."""
    found = subdomain.strip().lower()
    if _LABEL.fullmatch(found) is None:
        raise ValueError("may only contain letters, digits and hyphens in between, up to 63")
    return found


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
