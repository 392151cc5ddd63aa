"""The client's command lines: what goes into MAIL, RCPT, AUTH and EHLO, and what makes a line impossible.

Addresses and parameters were checked when they came in. Here they are checked a second time, because this is the last
place before the wire (S25): a CR, a LF, or a `>` outside quotes would let a recipient write commands of its own.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.types.envelope import Address
from postroom.types.reply import Reply

# A quoted or an unquoted local part, perhaps a domain: nothing that ends a path or a line.
_PATH = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\x00-\x20\x7f"<>]+)(?:@[^\x00-\x20\x7f"<>@]+)?'
)
_VALUE = re.compile(r"[^\x00-\x20\x7f=]+")  # esmtp-value, RFC 5321 section 4.1.2, with UTF-8 of RFC 6533
_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]+")


class InjectionError(ValueError):
    """An address or a parameter holds what would leave its place in the command line."""


class RecipientError(InjectionError):
    """It is the recipient's address: the only part of an envelope that is not ours to mend."""


@dataclass(frozen=True, slots=True)
class OneRecipient:
    """The envelope of one transaction. `sender` is "" for the null reverse-path; the rest are DSN parameters."""

    sender: str
    recipient: Address
    ret: str | None = None
    envid: str | None = None
    notify: str | None = None
    orcpt: str | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What the content asks of a server. `size` in octets before dot-stuffing (RFC 1870 section 3)."""

    size: int
    eight_bit: bool = False
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str = field(repr=False)


Offers = Mapping[str, str]
"""EHLO keywords in upper case with their parameters."""


def read_offers(lines: tuple[str, ...]) -> dict[str, str]:
    """The keywords of an EHLO reply; its first line is a greeting. `AUTH=LOGIN` is an old way to write `AUTH LOGIN`."""
    offers: dict[str, str] = {}
    for line in lines[1:]:
        keyword, _, parameters = line.replace("=", " ", 1).partition(" ")
        offers[keyword.upper()] = f"{offers.get(keyword.upper(), '')} {parameters}".strip()
    return offers


def impossible(envelope: OneRecipient, needs: Needs, offers: Offers) -> Reply | None:
    """Why this server cannot take the message, told before anything is sent; None if it can."""
    limit = offers.get("SIZE", "")
    if limit.isdecimal() and 0 < int(limit[:18]) < needs.size:
        text = f"the message has {needs.size} octets, the server takes at most {limit[:18]} (SIZE)"
        return Reply.of(552, "5.3.4", text)
    if "SMTPUTF8" not in offers:
        if not _ascii_addresses(envelope):
            return Reply.of(550, "5.6.7", "the server takes no addresses beyond ASCII (no SMTPUTF8)")
        if needs.utf8:
            return Reply.of(550, "5.6.9", "the server takes no headers beyond ASCII (no SMTPUTF8)")
    if needs.eight_bit and "8BITMIME" not in offers:
        return Reply.of(554, "5.6.3", "the server takes no 8-bit content (no 8BITMIME)")
    return None


def mail(envelope: OneRecipient, needs: Needs, offers: Offers) -> str:
    """MAIL with the parameters the server has offered. Raises InjectionError."""
    command = f"MAIL FROM:<{_path(envelope.sender) if envelope.sender else ''}>"
    if "SIZE" in offers:
        command += f" SIZE={needs.size}"
    if needs.eight_bit and "8BITMIME" in offers:
        command += " BODY=8BITMIME"
    if needs.utf8 or not _ascii_addresses(envelope):
        command += " SMTPUTF8"
    if "DSN" in offers:
        if envelope.ret is not None:
            command += f" RET={_value(envelope.ret)}"
        if envelope.envid is not None:
            command += f" ENVID={_value(envelope.envid)}"
    return command


def rcpt(envelope: OneRecipient, offers: Offers) -> str:
    """RCPT with the parameters the server has offered. Raises RecipientError for the address, else InjectionError."""
    try:
        command = f"RCPT TO:<{_path(str(envelope.recipient))}>"
    except InjectionError as error:
        raise RecipientError(str(error)) from None
    if "DSN" in offers:
        if envelope.notify is not None:
            command += f" NOTIFY={_value(envelope.notify)}"
        orcpt = envelope.orcpt
        # A UTF-8 original recipient needs the extension as an address does (RFC 6533 section 3).
        if orcpt is not None and (orcpt.isascii() or "SMTPUTF8" in offers):
            command += f" ORCPT={_value(orcpt)}"
    return command


def hello_name(hostname: str) -> str:
    """The argument of EHLO. Raises InjectionError."""
    if _NAME.fullmatch(hostname) is None:
        raise InjectionError(f"not a host name: {hostname!r}")
    return hostname


def auth_plain(login: Login) -> str:
    """The initial response of AUTH PLAIN (RFC 4616); NUL separates its parts."""
    return encoded(f"\0{login.username}\0{login.password}")


def encoded(text: str) -> str:
    """As SASL texts travel in SMTP (RFC 4954 section 4)."""
    return base64.b64encode(text.encode()).decode("ascii")


def _path(address: str) -> str:
    if _PATH.fullmatch(address) is None:
        raise InjectionError(f"not an address: {address!r}")
    return address


def _value(value: str) -> str:
    if _VALUE.fullmatch(value) is None:
        raise InjectionError(f"not a parameter value: {value!r}")
    return value


def _ascii_addresses(envelope: OneRecipient) -> bool:
    recipient = envelope.recipient
    return envelope.sender.isascii() and recipient.local.isascii() and recipient.domain.isascii()
