"""What a server session tells its owner. Each says whether it waits for `accept()` or `refuse()`."""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.types.envelope import Envelope, Recipient
from postroom.types.refusals import Refused


@dataclass(frozen=True, slots=True)
class StartTls:
    """Waits. Stop reading before you accept; after the handshake call `tls_started()`."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Waits. A login by PLAIN or LOGIN; both texts are free of control characters and never shown by repr()."""

    mechanism: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(slots=True)
class MailFrom:
    """Waits. The envelope is the session's own and grows with each accepted recipient."""

    envelope: Envelope


@dataclass(slots=True)
class RcptTo:
    """Waits."""

    recipient: Recipient


@dataclass(frozen=True, slots=True)
class DataStarted:
    """The client was told to go ahead; content follows."""


@dataclass(slots=True)
class BodyChunk:
    """Content, clean: unstuffed, every line ends in CRLF, no bare CR or LF, no NUL. Never empty."""

    data: bytes


@dataclass(slots=True)
class EndOfData:
    """Waits. `size` is all content in octets, `header_size` that of the header block without the empty line.

    When `refused` is set the content broke a rule, the chunks are not the whole, and the answer must be
    `refuse(refused)`. The chunk in which the rule was broken comes as `refused_chunk` instead, for the log: what must
    not stand in content is a question mark there, and lines end in CRLF.
    """

    size: int
    header_size: int
    eight_bit: bool
    refused: Refused | None
    refused_chunk: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ProtocolRefusal:
    """The session has refused something by itself and answered already."""

    refused: Refused


@dataclass(frozen=True, slots=True)
class Closed:
    """The last event: send what `take_output()` holds and close."""


Event = (
    StartTls
    | Authenticate
    | MailFrom
    | RcptTo
    | DataStarted
    | BodyChunk
    | EndOfData
    | ProtocolRefusal
    | Closed
)
