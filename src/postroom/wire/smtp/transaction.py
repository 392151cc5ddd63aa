"""The arguments of MAIL and RCPT, read whole: path, parameters, and whether both fit each other."""

from __future__ import annotations

from postroom.types.addresses import AddressError
from postroom.types.envelope import Envelope, Recipient
from postroom.types.refusals import (
    COMMAND_SYNTAX,
    MESSAGE_TOO_BIG,
    RECIPIENT_SYNTAX,
    SENDER_SYNTAX,
    UTF8_NOT_DECLARED,
    Refused,
)
from postroom.wire.smtp.address import parse_path
from postroom.wire.smtp.parameters import read_mail_parameters, read_rcpt_parameters


def read_mail(argument: str, max_size: int) -> Envelope | Refused:
    """`FROM:<address> parameters` (RFC 5321 section 4.1.1.2). A space behind the colon is common and harmless."""
    if argument[:5].upper() != "FROM:":
        return Refused(COMMAND_SYNTAX, {"syntax": "MAIL FROM:<address>"})
    try:
        sender, rest = parse_path(argument[5:].lstrip(" "), literal=True)
    except AddressError as error:
        return Refused(SENDER_SYNTAX, {"problem": str(error)})
    if rest and rest[0] != " ":
        return Refused(COMMAND_SYNTAX, {"syntax": "MAIL FROM:<address>"})
    envelope = read_mail_parameters(rest, sender)
    if isinstance(envelope, Refused):
        return envelope
    if envelope.size is not None and envelope.size > max_size:
        return Refused(MESSAGE_TOO_BIG, {"limit": str(max_size)})
    if not envelope.utf8 and not argument.isascii():
        return Refused(UTF8_NOT_DECLARED)
    return envelope


def read_rcpt(argument: str, *, utf8: bool) -> Recipient | Refused:
    """`TO:<address> parameters` (RFC 5321 section 4.1.1.3). `utf8`: MAIL had the SMTPUTF8 parameter."""
    if argument[:3].upper() != "TO:":
        return Refused(COMMAND_SYNTAX, {"syntax": "RCPT TO:<address>"})
    try:
        address, rest = parse_path(argument[3:].lstrip(" "))
    except AddressError as error:
        return Refused(RECIPIENT_SYNTAX, {"problem": str(error)})
    if address is None:
        return Refused(RECIPIENT_SYNTAX, {"problem": "it is empty"})
    if rest and rest[0] != " ":
        return Refused(COMMAND_SYNTAX, {"syntax": "RCPT TO:<address>"})
    if not utf8 and not argument.isascii():
        return Refused(UTF8_NOT_DECLARED)
    return read_rcpt_parameters(rest, address)
