"""Official clients behind one interface: the same message is sent with each, and what arrives is compared with it.

`Mail` says what is wanted. A client builds it as a user of that library would, sends it through a live relay, and answers
with the message's id as the library tells it. What a library cannot express is named in `CANNOT` of its module.

scene.py          a relay with HTTPS, a net of its own, an account with a verified domain and a token
cases.py          what is sent with each client
judge.py          what arrived, compared with what was asked for
python_sdk.py     mailersend for Python, with requests and asynchronous
anymail.py        django-anymail's MailerSend backend
node.py           mailersend for Node and nodemailer, in a process of tests/sdk/node/driver.mjs
snippets.py       the quick starts of docs/api.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Contact:
    email: str
    name: str = ""

    def json(self) -> dict[str, str]:
        return {"email": self.email, "name": self.name} if self.name else {"email": self.email}


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; inline when it has a `cid`. `type` is what the recipient should see."""

    name: str
    content: bytes
    type: str
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """`rcpt_to` are recipients that stand in no header. `data` is personalization by address. `send_at` in seconds since
    1970, `language` that of the template."""

    to: tuple[Contact, ...]
    subject: str = ""
    text: str = ""
    html: str = ""
    sender: Contact | None = Contact("hello@shop.example.com", "Example Shop")
    cc: tuple[Contact, ...] = ()
    bcc: tuple[Contact, ...] = ()
    rcpt_to: tuple[Contact, ...] = ()
    reply_to: Contact | None = None
    files: tuple[File, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    template_id: str = ""
    language: str = ""
    send_at: int | None = None
    bulk: bool = False
    list_unsubscribe: str = ""

    @property
    def recipients(self) -> list[str]:
        return [contact.email for contact in (*self.to, *self.cc, *self.bcc, *self.rcpt_to)]


class Client(Protocol):
    """`send` returns the message's id. What the library raises for a refusal goes through."""

    def send(self, mail: Mail) -> str: ...
