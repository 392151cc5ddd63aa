"""A message on its way in: what an edge hands to `accept.admit`, and what the group commit stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.types.envelope import Envelope
from postroom.types.suppression import Lists


class Edge(StrEnum):
    """Where a message came in."""

    SMTP = "smtp"
    API = "api"


class CredentialKind(StrEnum):
    """With what somebody came in; what `credential_id` is the id of. Postroom's own mail comes without."""

    SMTP_USER = "smtp_user"
    TOKEN = "token"  # noqa: S105 - a word
    USER = "user"
    SYSTEM = "system"


class Stream(StrEnum):
    TRANSACTIONAL = "transactional"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class ApiDetails:
    """What only messages of the API have, to be shown later. `headers` are (name, value) pairs; "" stands for none.
    `settings` say what to track, by the API's names; what the request leaves open is not in it."""

    template_id: str = ""
    template_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The client's key of a request, and a digest of what it asks: the same key never makes a second message (H04).

    `kept_ms`: for how long.
    """

    key: str
    fingerprint: bytes
    kept_ms: int = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Content:
    """The message as it will be kept: header and body, lines ending in CRLF, no bare CR, LF or NUL.

    Small content is in `data`; large content lies in the blob store under `blob`, and `data` then holds its first
    bytes only: at least the whole header. `size` is the whole in octets, `header_size` that of the header block
    (without the empty line). `eight_bit` tells whether any octet is over 127.

    Personalised content is no message yet: `data` is the head of a document (`wire.mime.build.document`), of
    `header_size` octets, and the tail behind it. A large tail lies alone in the blob store; `size` counts both.
    """

    data: bytes
    size: int
    header_size: int
    blob: str | None = None
    eight_bit: bool = False

    @property
    def header(self) -> bytes:
        return self.data[: self.header_size]

    @property
    def personalised(self) -> bool:
        """Only documents begin with NUL."""
        return self.data.startswith(b"\0")


@dataclass(slots=True)
class Draft:
    """One message with its envelope. `id` is the 24-hex message id that the client will be told.

    `header_from` and `subject` are for people (decoded, cut), `signing_domain` is the verified domain that covers
    From, `message_id` goes into the Message-ID field when the content has none. `received_at` is in milliseconds.
    `refuse_suppressed`: one suppressed recipient refuses the whole; `drop_suppressed`: nothing is kept when all of them
    are. `suppressed` is filled when the message is stored: who is sent nothing, and the lists that say so.
    `personalizations` go with personalised content: by recipient, as `Personalization.encode` writes them.
    `precedence_bulk`: its domain wants `Precedence: bulk`, and the content may lack it.
    `paused`: sending from its domain is, as far as this node knows. `send_at`, in milliseconds, is when a scheduled message shall be sent, or None.
    """

    id: str
    account_id: str
    domain_id: str
    credential_id: str
    envelope: Envelope
    content: Content
    signing_domain: str
    header_from: str
    subject: str
    message_id: str
    received_at: int
    stream: Stream = Stream.TRANSACTIONAL
    tags: tuple[str, ...] = field(default=())
    refuse_suppressed: bool = False
    drop_suppressed: bool = False
    suppressed: Mapping[str, Lists] = field(default_factory=dict)
    personalizations: Mapping[str, bytes] = field(default_factory=dict)
    edge: Edge = Edge.SMTP
    paused: bool = False
    send_at: int | None = None
    details: ApiDetails | None = None
    idempotency: Idempotency | None = None
    precedence_bulk: bool = False
    credential_kind: CredentialKind = CredentialKind.SMTP_USER
