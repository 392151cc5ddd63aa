"""Parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 section 5),
RET, ENVID, NOTIFY and ORCPT (RFC 3461 section 4, RFC 6533 section 3).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import PARAMETER_SYNTAX, PARAMETER_UNKNOWN, Refused

MAX_ENVID = 100  # RFC 3461 section 4.4
MAX_ORCPT = 500  # section 4.2

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
_XTEXT_CODE = re.compile(r"\+([0-9A-F]{2})")
_UTF8_XTEXT = re.compile(r"(?:[!-*,-<>-\[\]-~\x80-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})+")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]+")
_NOTIFY_ON = frozenset({"SUCCESS", "FAILURE", "DELAY"})


def read_mail_parameters(text: str, sender: Address | None) -> Envelope | Refused:
    """`text` is what follows the path of MAIL. Unknown, repeated and malformed parameters are refused."""
    if not text:
        return Envelope(sender)
    values = _read(text, _MAIL)
    if isinstance(values, Refused):
        return values
    return Envelope(
        sender,
        size=int(values["SIZE"]) if "SIZE" in values else None,
        eight_bit=values.get("BODY", "").upper() == "8BITMIME",
        utf8="SMTPUTF8" in values,
        ret=values.get("RET"),
        envid=values.get("ENVID"),
    )


def read_rcpt_parameters(text: str, address: Address) -> Recipient | Refused:
    """`text` is what follows the path of RCPT."""
    if not text:
        return Recipient(address)
    values = _read(text, _RCPT)
    if isinstance(values, Refused):
        return values
    return Recipient(address, values.get("NOTIFY"), values.get("ORCPT"))


def _read(text: str, known: dict[str, Callable[[str], str]]) -> dict[str, str] | Refused:
    """Split `NAME=value` words; each check answers with the problem, or "" if there is none."""
    values: dict[str, str] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        name = name.upper()
        check = known.get(name)
        if check is None:
            return Refused(PARAMETER_UNKNOWN, {"name": name})
        if name in values:
            problem = "it is given twice"
        elif equals and not value:
            problem = "its value is missing"
        else:
            problem = check(value)
        if problem:
            return Refused(PARAMETER_SYNTAX, {"name": name, "problem": problem})
        values[name] = value
    return values


def _size(value: str) -> str:
    valid = value.isascii() and value.isdigit() and len(value) <= 20
    return "" if valid else "it must be a number of octets"


def _body(value: str) -> str:
    return "" if value.upper() in ("7BIT", "8BITMIME") else "it must be 7BIT or 8BITMIME"


def _smtputf8(value: str) -> str:
    return "it takes no value" if value else ""


def _ret(value: str) -> str:
    return "" if value.upper() in ("FULL", "HDRS") else "it must be FULL or HDRS"


def _envid(value: str) -> str:
    if len(value) > MAX_ENVID:
        return f"it is longer than {MAX_ENVID} characters"
    return "" if _XTEXT.fullmatch(value) else "it is not xtext"


def _auth(value: str) -> str:
    """Checked and not used: nobody's word about who sent a message counts but the login's (RFC 4954 section 5)."""
    if not _XTEXT.fullmatch(value):
        return "it is not xtext"
    mailbox = _XTEXT_CODE.sub(lambda code: chr(int(code.group(1), 16)), value)
    if mailbox == "<>":
        return ""
    try:
        parse_mailbox(mailbox, literal=True)
    except AddressError as error:
        return str(error)
    return ""


def _notify(value: str) -> str:
    words = value.upper().split(",")
    valid = words == ["NEVER"] or (_NOTIFY_ON.issuperset(words) and len(set(words)) == len(words))
    return "" if valid else "it must be NEVER, or some of SUCCESS, FAILURE and DELAY"


def _orcpt(value: str) -> str:
    if len(value) > MAX_ORCPT:
        return f"it is longer than {MAX_ORCPT} characters"
    kind, semicolon, address = value.partition(";")
    if not semicolon or not _ADDRESS_TYPE.fullmatch(kind):
        return "it must be type;address"
    grammar = _UTF8_XTEXT if kind.lower() == "utf-8" else _XTEXT
    return "" if grammar.fullmatch(address) else "its address is not xtext"


_MAIL: dict[str, Callable[[str], str]] = {
    "SIZE": _size,
    "BODY": _body,
    "SMTPUTF8": _smtputf8,
    "RET": _ret,
    "ENVID": _envid,
    "AUTH": _auth,
}
_RCPT: dict[str, Callable[[str], str]] = {"NOTIFY": _notify, "ORCPT": _orcpt}
