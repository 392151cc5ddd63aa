"""Mailboxes and domains: one parser for every layer (RFC 5321 section 4.1.2, RFC 6531 section 3.3).

The domain is what follows the last unquoted "@", folded to its lower-case A-label form. The local part is kept byte
for byte: its meaning is the receiving server's business. Stricter than the RFC on purpose: no source routes, no
trailing dot, no invisible characters. Looser in nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from unicodedata import normalize

import idna

from postroom.types.envelope import Address

MAX_LOCAL = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_MAILBOX = 254  # a path is 256 octets with its angle brackets, section 4.5.3.1.3
MAX_DOMAIN = 253  # the longest name DNS can hold, written without the last dot

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]"
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED_STRING = re.compile(r'"(?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*"')
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_JOINERS = str.maketrans(
    "", "", "\u200c\u200d"
)  # invisible, but letters of Persian and Indic words need them


class AddressError(ValueError):
    """The text is no address. `str(error)` says in a few words what is wrong with it."""


def parse_mailbox(text: str, *, literal: bool = False) -> Address:
    """Read `local@domain`, nothing around it. `literal` allows an address literal (`[192.0.2.1]`) as the domain. Raises
    AddressError."""
    if text.startswith('"'):
        end = quoted_end(text, 0)
        local, domain = text[:end], text[end + 1 :]
        if not text.startswith("@", end):
            raise AddressError('"@" and a domain must follow the quoted local part')
    else:
        local, at, domain = text.rpartition("@")
        if not at:
            raise AddressError('it has no "@domain"')
        if _DOT_STRING.fullmatch(local) is None:
            raise AddressError(_local_problem(local))
    if not text.isascii():
        _check_visible(local)
    if _octets(local) > MAX_LOCAL:
        raise AddressError(f"the part before the @ is longer than {MAX_LOCAL} octets")
    if _octets(text) > MAX_MAILBOX:
        raise AddressError(f"it is longer than {MAX_MAILBOX} octets")
    if domain.startswith("["):
        if not literal:
            raise AddressError("an IP address as the domain is not accepted here")
        return Address(local, _parse_literal(domain))
    return Address(local, parse_domain(domain))


@lru_cache(maxsize=4096)
def parse_domain(text: str) -> str:
    """Fold a domain to its lower-case A-label form (`MÜNCHEN.example` -> `xn--mnchen-3ya.example`).

    U-labels and A-labels are checked by IDNA 2008 (RFC 5891); nothing is mapped but letter case and NFC, so a
    full-width dot or at sign is refused and not silently read as something else. Raises AddressError.
    """
    if len(text) > MAX_MAILBOX:  # before anything that decodes (CVE-2024-3651)
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


def quoted_end(text: str, start: int) -> int:
    """Where the quoted local part that begins at `start` ends. Raises AddressError."""
    quoted = _QUOTED_STRING.match(text, start)
    if quoted is None:
        raise AddressError("the quoted local part is not closed or holds a forbidden character")
    return quoted.end()


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _local_problem(local: str) -> str:
    if local.startswith("@"):
        return "source routes are not accepted"
    if not local:
        return "nothing stands before the @"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "a dot is at the start or the end of the part before the @, or there are two in a row"
    return "the part before the @ holds a character that must be quoted"


def _check_visible(local: str) -> None:
    """Refuse what cannot be seen, as zero-width spaces and bidirectional controls: it only serves deception."""
    visible = local.translate(_JOINERS)
    if not visible or not visible.isprintable():
        raise AddressError("the part before the @ holds an invisible character")


def _parse_literal(text: str) -> str:
    """`[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3), as given but in lower case."""
    inner = text[1:-1] if text.endswith("]") else ""
    try:
        if inner[:5].lower() == "ipv6:" and "%" not in inner:  # a zone id means nothing to anybody else
            IPv6Address(inner[5:])
        else:
            IPv4Address(inner)
    except AddressValueError:
        raise AddressError("the address literal is not valid") from None
    return text.lower()
