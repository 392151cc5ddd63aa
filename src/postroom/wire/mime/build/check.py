"""What may stand in a header: every field of the parts is looked at before a byte is written (S12, S25, H11).

Nothing is repaired. A control character in a name, a subject or a file name is somebody's mistake or somebody's
attack; the request is refused, and the builder refuses once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox, Parts
from postroom.wire.mime.message_id import valid_message_id

LONGEST_NAME = 70
LONGEST_URIS = 990

# The 65 control characters, line and paragraph separators, and surrogates, which no charset can hold.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z0-9-]++")
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,256}+")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}+/[A-Za-z0-9!#$&^_.+-]{1,127}+")
_SEED = re.compile(r"[A-Za-z0-9]{8,48}+")
_URI = re.compile(r"(?:https?://|mailto:)[!-;=?-~]++", re.IGNORECASE)

_OWNED = frozenset(
    {
        "from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "mime-version",
        "return-path", "received", "received-spf", "delivered-to", "x-original-to", "authentication-results",
        "domainkey-signature", "feedback-id", "x-mailersend-tags",
    }
)  # fmt: skip
_OWNED_PREFIXES = ("dkim-", "arc-", "content-", "resent-", "x-postroom-")

OF_REQUEST = {
    "in-reply-to": "in_reply_to",
    "references": "references",
    "list-unsubscribe": "list_unsubscribe",
    "list-unsubscribe-post": "list_unsubscribe",
    "precedence": "precedence_bulk",
}
"""Names that a custom header may have as long as the field of the parts that makes them is not given."""


class Problem(StrEnum):
    """The rest of a sentence that begins with the name of the field."""

    CONTROL = "holds a control character"
    UNICODE = "is not valid Unicode"
    ADDRESS = "is not a valid address"
    HEADER_NAME = "may hold only letters, digits and hyphens, at most 70"
    HEADER_OWNED = "names a header that the server sets"
    HEADER_TWICE = "names a header that another field of the request sets"
    CONTENT_ID = "must be 1 to 256 printable ASCII characters without spaces and angle brackets"
    CONTENT_TYPE = "is not a media type"
    MESSAGE_ID = "is not a Message-ID"
    UNSUBSCRIBE = "must hold http, https or mailto URIs of at most 990 characters together"
    SEED = "is not 8 to 48 letters and digits"


class FieldProblem(NamedTuple):
    """`path` is a dot path in the words of the API: `to.0.name`, `attachments.1.filename`, `headers.0.value`."""

    path: str
    problem: Problem


class UnsafePartsError(ValueError):
    """The parts hold something that must not stand in a header. `problem` is the first of them."""

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__(f"{problem.path} {problem.problem}")
        self.problem = problem


def unsafe(text: str) -> bool:
    """Whether the text holds a character that must not stand in a header."""
    return not text.isprintable() and _UNSAFE.search(text) is not None


def server_owned(name: str) -> bool:
    """Whether a custom header of this name would override or forge what the server sets (H11), in any letter case."""
    key = name.strip().lower()
    return key in _OWNED or key.startswith(_OWNED_PREFIXES)


def custom_name_problem(name: str) -> Problem | None:
    """What is wrong with the name of a custom header."""
    if server_owned(name):
        return Problem.HEADER_OWNED
    if len(name) > LONGEST_NAME or _NAME.fullmatch(name) is None:
        return Problem.HEADER_NAME
    return None


def problems(parts: Parts) -> Iterator[FieldProblem]:
    """Everything in the parts that cannot be sent as it is, in the order of the fields."""
    if not _is_right(parts.from_):
        yield from _mailbox_problems("from", parts.from_)
    for group, mailboxes in (("to", parts.to), ("cc", parts.cc), ("reply_to", parts.reply_to)):
        for at, mailbox in enumerate(mailboxes):
            if not _is_right(mailbox):
                yield from _mailbox_problems(f"{group}.{at}", mailbox)
    if unsafe(parts.subject):
        yield FieldProblem("subject", Problem.CONTROL)
    for path, text in (("text", parts.text), ("html", parts.html)):
        if text is not None and not _is_unicode(text):
            yield FieldProblem(path, Problem.UNICODE)
    if parts.attachments:
        yield from _attachment_problems(parts)
    if parts.headers:
        yield from _custom_problems(parts)
    yield from _reference_problems(parts)


def ensure_safe(parts: Parts) -> None:
    """Raises UnsafePartsError."""
    for problem in problems(parts):
        raise UnsafePartsError(problem)


def _is_right(mailbox: Mailbox) -> bool:
    return mailbox.name.isprintable() and _is_address(mailbox.address)


def _mailbox_problems(path: str, mailbox: Mailbox) -> Iterator[FieldProblem]:
    if unsafe(mailbox.name):
        yield FieldProblem(f"{path}.name", Problem.CONTROL)
    if not _is_address(mailbox.address):
        yield FieldProblem(f"{path}.email", Problem.ADDRESS)


@lru_cache(maxsize=4096)
def _is_address(address: Address) -> bool:
    """The domain must be what the parser makes of it: a U-label has no place in a header of ASCII."""
    try:
        return parse_mailbox(str(address), literal=True) == address
    except AddressError:
        return False


def _is_unicode(text: str) -> bool:
    try:
        return text.isascii() or text.encode("utf-8") != b""
    except UnicodeEncodeError:
        return False


def _attachment_problems(parts: Parts) -> Iterator[FieldProblem]:
    for at, attachment in enumerate(parts.attachments):
        path = f"attachments.{at}"
        if unsafe(attachment.filename):
            yield FieldProblem(f"{path}.filename", Problem.CONTROL)
        if _CONTENT_TYPE.fullmatch(attachment.content_type) is None:
            yield FieldProblem(f"{path}.content_type", Problem.CONTENT_TYPE)
        if attachment.content_id and _CONTENT_ID.fullmatch(attachment.content_id) is None:
            yield FieldProblem(f"{path}.id", Problem.CONTENT_ID)


def _custom_problems(parts: Parts) -> Iterator[FieldProblem]:
    for at, (name, value) in enumerate(parts.headers):
        problem = custom_name_problem(name)
        if problem is None and (of_request := OF_REQUEST.get(name.lower())) and getattr(parts, of_request):
            problem = Problem.HEADER_TWICE
        if problem is not None:
            yield FieldProblem(f"headers.{at}.name", problem)
        if unsafe(value):
            yield FieldProblem(f"headers.{at}.value", Problem.CONTROL)


def _reference_problems(parts: Parts) -> Iterator[FieldProblem]:
    if not _is_message_id(parts.message_id):
        yield FieldProblem("message_id", Problem.MESSAGE_ID)
    if parts.in_reply_to and not _is_message_id(parts.in_reply_to):
        yield FieldProblem("in_reply_to", Problem.MESSAGE_ID)
    for at, reference in enumerate(parts.references):
        if not _is_message_id(reference):
            yield FieldProblem(f"references.{at}", Problem.MESSAGE_ID)
    uris = parts.list_unsubscribe
    if any(_URI.fullmatch(uri) is None for uri in uris) or sum(map(len, uris)) > LONGEST_URIS:
        yield FieldProblem("list_unsubscribe", Problem.UNSUBSCRIBE)
    if _SEED.fullmatch(parts.seed) is None:
        yield FieldProblem("seed", Problem.SEED)


def _is_message_id(text: str) -> bool:
    return text.isascii() and valid_message_id(text.encode())
