"""A personalised message as it is stored: its parts before they are rendered, and the tail that every copy ends with.

A document is a mark, a line of JSON and the tail. The mark begins with NUL, which no message may hold: one octet
tells a document from a message. Attachments are encoded once, at accept; what differs from recipient to recipient is
small. A large tail lies in the blob store, then the stored content is the head alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from postroom.types.envelope import Address
from postroom.types.parts import Mailbox, Parts
from postroom.wire.mime.build.check import ensure_safe
from postroom.wire.mime.build.message import Shape, shape_of, top

MARK = b"\0parts 1\n"


class DocumentError(ValueError):
    """The stored octets are no document, or one of a newer version."""


@dataclass(frozen=True, slots=True)
class Document:
    """`parts` without attachments, `shape` as they had them. Subject and texts are template sources.

    `twig` and `simple` say in which syntaxes variables are looked for (`wire.template.compile`).
    """

    parts: Parts
    shape: Shape
    twig: bool = True
    simple: bool = False

    @classmethod
    def of(cls, parts: Parts, *, twig: bool = True, simple: bool = False) -> Document:
        """Raises UnsafePartsError."""
        ensure_safe(parts)
        return cls(replace(parts, attachments=()), shape_of(parts), twig, simple)

    def encode(self) -> bytes:
        """The head, as `decode` reads it. The tail comes from `message.tail`."""
        parts = self.parts
        document = {name: getattr(parts, name) for name in _PLAIN}
        document |= {name: [_written(each) for each in getattr(parts, name)] for name in _MAILBOXES}
        document["from_"] = _written(parts.from_)
        document |= {"shape": self.shape, "twig": self.twig, "simple": self.simple}
        return MARK + json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"

    @classmethod
    def decode(cls, head: bytes) -> Document:
        """Raises DocumentError."""
        if not head.startswith(MARK):
            raise DocumentError("the content is no document of parts, or one of a newer version")
        try:
            given: dict[str, Any] = json.loads(head[len(MARK) :])
            shape, twig, simple = Shape(*given.pop("shape")), given.pop("twig"), given.pop("simple")
            parts = Parts(**{name: _READ.get(name, _as_is)(value) for name, value in given.items()})
            return cls(parts, shape, twig, simple)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DocumentError(f"the document of parts cannot be read: {error}") from error

    def rendered(self, subject: str, text: str | None, html: str | None) -> bytes:
        """The top of the message with these words; `text` and `html` are None exactly where their sources are.

        Raises UnsafePartsError.
        """
        return top(replace(self.parts, subject=subject, text=text, html=html), self.shape)


_PLAIN = (
    "subject",
    "message_id",
    "date",
    "seed",
    "text",
    "html",
    "headers",
    "in_reply_to",
    "references",
    "list_unsubscribe",
    "precedence_bulk",
)
_MAILBOXES = ("to", "cc", "reply_to")


def _written(mailbox: Mailbox) -> tuple[str, str]:
    return mailbox.name, str(mailbox.address)


def _mailbox(value: list[str]) -> Mailbox:
    name, address = value
    local, _, domain = address.rpartition("@")
    return Mailbox(name, Address(local, domain))


def _mailboxes(value: list[list[str]]) -> tuple[Mailbox, ...]:
    return tuple(map(_mailbox, value))


def _as_is(value: Any) -> Any:
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    "from_": _mailbox,
    "to": _mailboxes,
    "cc": _mailboxes,
    "reply_to": _mailboxes,
    "headers": lambda pairs: tuple((name, value) for name, value in pairs),
    "references": tuple,
    "list_unsubscribe": tuple,
}
