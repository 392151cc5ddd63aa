"""An owner for the pure server session: answers its events from a table and remembers what it was told."""

from dataclasses import dataclass, field

from postroom.types.refusals import CATALOGUE, Refused
from postroom.wire.smtp.events import (
    Authenticate,
    BodyChunk,
    Closed,
    DataStarted,
    EndOfData,
    MailFrom,
    ProtocolRefusal,
    RcptTo,
    StartTls,
)
from postroom.wire.smtp.server import ServerSession
from postroom.wire.smtp.settings import ServerSettings

MESSAGE_ID = "0123456789abcdef01234567"


@dataclass
class Owner:
    """`login`, `mail`, `rcpt`, `message` are "ok" or the id of the rule to refuse with."""

    session: ServerSession
    login: str = "ok"
    mail: str = "ok"
    rcpt: str = "ok"
    message: str = "ok"
    logins: list[tuple[str, str, str]] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    envelopes: list[object] = field(default_factory=list)
    ends: list[EndOfData] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    handshakes: int = 0
    closed: bool = False
    _content: bytes = b""

    def feed(self, data: bytes) -> bytes:
        """What the client sent, in one piece; returns what it gets back."""
        self.session.receive(data)
        while (event := self.session.next_event()) is not None:
            self._handle(event)
        return self.session.take_output()

    def _handle(self, event: object) -> None:
        session = self.session
        match event:
            case StartTls():
                self.handshakes += 1
                session.accept()
            case Authenticate():
                self.logins.append((event.mechanism, event.username, event.password))
                self._answer(self.login)
            case MailFrom():
                self._answer(self.mail)
            case RcptTo():
                self._answer(self.rcpt)
            case DataStarted():
                self._content = b""
            case BodyChunk():
                self._content += event.data
            case EndOfData():
                self._end(event)
            case ProtocolRefusal():
                self.refusals.append(event.refused.rule.id)
            case Closed():
                self.closed = True
            case _:
                raise AssertionError(event)

    def _end(self, event: EndOfData) -> None:
        self.ends.append(event)
        envelope = self.session.envelope
        if event.refused is not None:
            self.session.refuse(event.refused)
            return
        assert event.size == len(self._content)
        if self._answer(self.message):
            self.kept.append(self._content)
            self.envelopes.append(envelope)

    def _answer(self, word: str) -> bool:
        if word == "ok":
            self.session.accept(MESSAGE_ID)
        else:
            self.session.refuse(Refused(CATALOGUE[word]))
        return word == "ok"


def owner_in_data(**limits: int) -> Owner:
    """Logged in, one recipient accepted, DATA given: the next octets are content."""
    owner = logged_in_owner(**limits)
    owner.feed(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n")
    assert owner.feed(b"DATA\r\n").startswith(b"354 ")
    return owner


def logged_in_owner(**limits: int) -> Owner:
    owner = new_owner(tls=True, **limits)
    owner.feed(b"EHLO client.example\r\n")
    assert owner.feed(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n").startswith(b"235 ")
    return owner


def new_owner(*, tls: bool = False, **limits: int) -> Owner:
    session = ServerSession(ServerSettings("relay.example.com", **limits), tls=tls)
    return Owner(session)
