"""The server side of SMTP as a pure object (RFC 5321, RFC 6409): bytes in, events out; answers in, bytes out.

`receive()` what came, then take `next_event()` until it is None, then send `take_output()`. After an event that waits
(see events.py) nothing more is read from the input until `accept()` or `refuse()`, so replies are always in order and
pipelining needs no care. What needs no owner's decision (EHLO, RSET, syntax errors ...) is answered here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from postroom.types.envelope import Envelope
from postroom.types.refusals import (
    AUTH_MECHANISM,
    AUTH_NEEDS_TLS,
    AUTH_REQUIRED,
    BAD_SEQUENCE,
    COMMAND_BYTES,
    COMMAND_NOT_IMPLEMENTED,
    COMMAND_SYNTAX,
    COMMAND_TOO_LONG,
    COMMAND_UNKNOWN,
    EARLY_PIPELINING,
    NO_RECIPIENTS,
    TLS_REQUIRED,
    TOO_MANY_ERRORS,
    TOO_MANY_RECIPIENTS,
    Refused,
)
from postroom.types.reply import Reply
from postroom.wire.smtp.command import CommandBuffer, LineTooLongError, decode_line
from postroom.wire.smtp.data import DataScanner
from postroom.wire.smtp.events import (
    Authenticate,
    BodyChunk,
    Closed,
    DataStarted,
    EndOfData,
    Event,
    MailFrom,
    ProtocolRefusal,
    RcptTo,
    StartTls,
)
from postroom.wire.smtp.sasl import MECHANISMS, Exchange, Step
from postroom.wire.smtp.settings import ServerSettings
from postroom.wire.smtp.transaction import read_mail, read_rcpt

MAX_IDLE_COMMANDS = 100  # EHLO, NOOP, RSET, VRFY, HELP without a message between them (S18)
MAX_HELLO = 255  # octets of a host name, RFC 5321 section 4.5.3.1.2

_BEFORE_TLS = frozenset({"EHLO", "NOOP", "QUIT", "STARTTLS"})  # RFC 3207 section 4
_NO_ARGUMENT = frozenset({"STARTTLS", "DATA", "RSET", "QUIT"})
_NOT_OFFERED = frozenset({"BDAT", "EXPN", "TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "BURL", "XCLIENT"})
# Whoever sends on after these without waiting speaks to somebody else: a smuggler or malware (S04, S13).
_WAIT_FOR_REPLY = frozenset({"HELO", "STARTTLS", "AUTH", "DATA"})

# What reading a line comes to: an event for the owner, a refusal to answer with, or nothing (it is answered).
Answer = Event | Refused | None


class ServerSession:
    """One connection. `tls` tells whether it began with TLS. Attributes are for reading only:

    `hello` is the name in EHLO ("" until it came), `authenticated`, `envelope` of the open transaction, `errors` since
    the last accepted message, `waiting` for an answer, `in_data` between DATA and its end, `closing`: nothing that
    comes in is read any more.
    """

    __slots__ = (
        "_closed_told",
        "_exchange",
        "_idle_commands",
        "_input",
        "_output",
        "_pending",
        "_refusals",
        "_scanner",
        "authenticated",
        "closing",
        "envelope",
        "errors",
        "hello",
        "settings",
        "tls",
    )

    def __init__(self, settings: ServerSettings, *, tls: bool = False) -> None:
        self.settings = settings
        self.tls = tls
        self.hello = ""
        self.authenticated = False
        self.envelope: Envelope | None = None
        self.errors = 0
        self.closing = False
        self._closed_told = False
        self._input = CommandBuffer(settings.max_command)
        self._output = b""
        self._pending: Event | None = None
        self._refusals: list[Refused] = []
        self._exchange: Exchange | None = None
        self._scanner: DataScanner | None = None
        self._idle_commands = 0

    # -- the owner's side: bytes and events ------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        return self._pending is not None

    @property
    def in_data(self) -> bool:
        return self._scanner is not None

    @property
    def buffered(self) -> int:
        """Octets that came in and wait for their turn. Stop reading when it grows while an answer is waited for."""
        return len(self._input)

    def greet(self) -> None:
        self._output += f"220 {self.settings.hostname} ESMTP Postroom\r\n".encode()

    def receive(self, data: bytes) -> None:
        if self.closing:
            return
        pending = type(self._pending)
        if pending is Authenticate or pending is StartTls:
            self._pending = None
            command = "AUTH" if pending is Authenticate else "STARTTLS"
            self._refuse_self(Refused(EARLY_PIPELINING, {"command": command}))
            return
        self._input.feed(data)

    def take_output(self) -> bytes:
        output = self._output
        self._output = b""
        return output

    def next_event(self) -> Event | None:
        """The next thing that happened; None when more bytes or an answer to the last event are needed."""
        while not self._refusals and not self.closing:
            if self._pending is not None:
                return None
            if self._scanner is not None:
                return self._next_content(self._scanner)
            try:
                line = self._input.next_line(auth=self._exchange is not None)
            except LineTooLongError:
                self._exchange = None
                self._refuse_self(Refused(COMMAND_TOO_LONG))
                continue
            if line is None:
                return None
            answer = self._command(line) if self._exchange is None else self._respond(line)
            if isinstance(answer, Refused):
                self._refuse_self(answer)
            elif answer is not None:
                return answer
        if self._refusals:
            return ProtocolRefusal(self._refusals.pop(0))
        if self._closed_told:
            return None
        self._closed_told = True
        return Closed()

    # -- the owner's side: answers ---------------------------------------------------------------------------------

    def accept(self, message_id: str = "") -> None:
        """Say yes to the event that waits. `message_id` belongs to EndOfData: the id the client is told.

        After `close()` or a protocol error there is nothing to answer any more; then nothing happens.
        """
        pending, self._pending = self._pending, None
        if isinstance(pending, RcptTo):
            assert self.envelope is not None
            self.envelope.recipients.append(pending.recipient)
            self._output += b"250 2.1.5 Ok\r\n"
        elif isinstance(pending, MailFrom):
            self.envelope = pending.envelope
            self._output += b"250 2.1.0 Ok\r\n"
        elif isinstance(pending, EndOfData):
            self.envelope = None
            self.errors = self._idle_commands = 0
            self._output += f"250 2.0.0 Ok: queued as {message_id}\r\n".encode()
        elif isinstance(pending, Authenticate):
            self.authenticated = True
            self._output += b"235 2.7.0 Authentication successful\r\n"
        elif isinstance(pending, StartTls):
            self._pending = pending  # until the handshake is done nothing may be read
            self._output += b"220 2.0.0 Ready to start TLS\r\n"

    def refuse(self, refused: Refused) -> None:
        """Say no to the event that waits. A rule that closes ends the session. After `close()` nothing happens."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if isinstance(pending, EndOfData):
            self.envelope = None
        # Who may be written to is for the owner to know: a list with many who may not is no flood of mistakes.
        self._reply(refused, mistake=not isinstance(pending, RcptTo))

    def tls_started(self) -> None:
        """The handshake is done: forget all that was before it (RFC 3207 section 4.2)."""
        self.tls = True
        self.hello = ""
        self.authenticated = False
        self.envelope = None
        self._pending = None
        self._input.clear()

    def close(self, refused: Refused | None = None) -> None:
        """End the session from the owner's side, with a last reply if one is given: a timeout, a shutdown ..."""
        if self.closing:
            return
        if refused is not None:
            self._output += refused.reply(self.settings.link).encode()
        self._close()

    # -- refusing --------------------------------------------------------------------------------------------------

    def _reply(self, refused: Refused, *, mistake: bool = True) -> None:
        """Write the reply and count it if it is for a mistake. Only 5xx are; 4xx such as 452 to a thousand and first
        recipient are a part of normal work."""
        self._output += refused.reply(self.settings.link).encode()
        if refused.rule.closes:
            self._close()
        elif mistake and refused.rule.code >= 500:
            self.errors += 1
            if self.errors >= self.settings.max_errors:
                self._refuse_self(Refused(TOO_MANY_ERRORS))

    def _refuse_self(self, refused: Refused) -> None:
        self._refusals.append(refused)
        self._reply(refused)

    def _close(self) -> None:
        self.closing = True
        self.envelope = None
        self._pending = None
        self._exchange = None
        self._scanner = None
        self._input.clear()

    # -- commands --------------------------------------------------------------------------------------------------

    def _command(self, line: bytes) -> Answer:
        text = decode_line(line)
        if text is None:
            return Refused(COMMAND_BYTES)
        verb, _, argument = text.rstrip(" ").partition(" ")
        verb = verb.upper()
        handler = _HANDLERS.get(verb)
        if handler is None and verb not in _NOT_OFFERED:
            return Refused(COMMAND_UNKNOWN)
        if verb in _WAIT_FOR_REPLY and self._input:
            return Refused(EARLY_PIPELINING, {"command": verb})
        if not self.tls and verb not in _BEFORE_TLS:
            return Refused(AUTH_NEEDS_TLS if verb == "AUTH" else TLS_REQUIRED)
        if handler is None:
            return Refused(COMMAND_NOT_IMPLEMENTED, {"command": verb})
        if argument and verb in _NO_ARGUMENT:
            return Refused(COMMAND_SYNTAX, {"syntax": verb})
        return handler(self, argument)

    def _ehlo(self, argument: str) -> Answer:
        if not _is_hello(argument):
            return Refused(COMMAND_SYNTAX, {"syntax": "EHLO hostname"})
        self._start_over(argument)
        return self._idle(_ehlo_reply(self.settings, self.tls))

    def _helo(self, argument: str) -> Answer:
        if not _is_hello(argument):
            return Refused(COMMAND_SYNTAX, {"syntax": "HELO hostname"})
        self._start_over(argument)
        return self._idle(f"250 {self.settings.hostname}\r\n".encode())

    def _start_over(self, hello: str) -> None:
        """A new EHLO or HELO ends an open transaction as RSET does (RFC 5321 section 4.1.4)."""
        self.hello = hello
        self.envelope = None

    def _starttls(self, argument: str) -> Answer:
        del argument
        if self.tls:
            return Refused(BAD_SEQUENCE, {"problem": "TLS is active already"})
        return self._ask(StartTls())

    def _mail(self, argument: str) -> Answer:
        if not self.hello:
            return Refused(BAD_SEQUENCE, {"problem": "send EHLO first"})
        if not self.authenticated:
            return Refused(AUTH_REQUIRED)
        if self.envelope is not None:
            return Refused(BAD_SEQUENCE, {"problem": "MAIL was given already"})
        envelope = read_mail(argument, self.settings.max_size)
        return envelope if isinstance(envelope, Refused) else self._ask(MailFrom(envelope))

    def _rcpt(self, argument: str) -> Answer:
        envelope = self.envelope
        if envelope is None:
            return Refused(BAD_SEQUENCE, {"problem": "send MAIL first"})
        if len(envelope.recipients) >= self.settings.max_recipients:
            return Refused(TOO_MANY_RECIPIENTS, {"limit": str(self.settings.max_recipients)})
        recipient = read_rcpt(argument, utf8=envelope.utf8)
        return recipient if isinstance(recipient, Refused) else self._ask(RcptTo(recipient))

    def _data(self, argument: str) -> Answer:
        del argument
        if self.envelope is None:
            return Refused(BAD_SEQUENCE, {"problem": "send MAIL first"})
        if not self.envelope.recipients:
            return Refused(NO_RECIPIENTS)
        self._scanner = DataScanner(self.settings)
        self._output += b"354 End data with <CR><LF>.<CR><LF>\r\n"
        return DataStarted()

    def _rset(self, argument: str) -> Answer:
        del argument
        self.envelope = None
        return self._idle(b"250 2.0.0 Ok\r\n")

    def _noop(self, argument: str) -> Answer:
        del argument  # may be anything, RFC 5321 section 4.1.1.9
        return self._idle(b"250 2.0.0 Ok\r\n")

    def _vrfy(self, argument: str) -> Answer:
        if not argument:
            return Refused(COMMAND_SYNTAX, {"syntax": "VRFY address"})
        return self._idle(b"252 2.1.5 Cannot verify; send the message and see\r\n")

    def _help(self, argument: str) -> Answer:
        del argument
        link = f" Refusals are explained at {self.settings.link}" if self.settings.link else ""
        return self._idle(f"214 2.0.0 EHLO lists what this relay offers.{link}\r\n".encode())

    def _idle(self, reply: bytes) -> Answer:
        """Answer a command that does nothing; too many of them are an attack."""
        self._idle_commands += 1
        if self._idle_commands > MAX_IDLE_COMMANDS:
            return Refused(TOO_MANY_ERRORS)
        self._output += reply
        return None

    def _quit(self, argument: str) -> Answer:
        del argument
        self._output += b"221 2.0.0 Bye\r\n"
        self._close()
        return None

    def _ask(self, event: Event) -> Event:
        self._pending = event
        return event

    # -- login (RFC 4954) ------------------------------------------------------------------------------------------

    def _auth(self, argument: str) -> Answer:
        if not self.hello:
            return Refused(BAD_SEQUENCE, {"problem": "send EHLO first"})
        if self.authenticated:
            return Refused(BAD_SEQUENCE, {"problem": "this connection is logged in already"})
        mechanism, space, initial = argument.partition(" ")
        if mechanism.upper() not in MECHANISMS:
            return Refused(AUTH_MECHANISM)
        self._exchange = Exchange(mechanism.upper())
        return self._continue(self._exchange.begin(initial.encode() if space else None))

    def _respond(self, line: bytes) -> Answer:
        assert self._exchange is not None
        if self._input:
            return Refused(EARLY_PIPELINING, {"command": "AUTH"})
        return self._continue(self._exchange.respond(line))

    def _continue(self, step: Step) -> Answer:
        if isinstance(step, bytes):
            self._output += b"334 " + step + b"\r\n"
            return None
        self._exchange = None
        return step if isinstance(step, Refused) else self._ask(step)

    # -- content ---------------------------------------------------------------------------------------------------

    def _next_content(self, scanner: DataScanner) -> Event | None:
        if not scanner.finished:
            data = self._input.take_all()
            if not data:
                return None
            clean = scanner.feed(data)
            if scanner.finished:
                self._input.feed(scanner.rest)
            if clean:
                return BodyChunk(clean)
            if not scanner.finished:
                return None
        self._scanner = None
        end = EndOfData(
            scanner.size, scanner.header_size, scanner.eight_bit, scanner.refused, scanner.refused_chunk
        )
        return self._ask(end)


_HANDLERS: dict[str, Callable[[ServerSession, str], Answer]] = {
    "EHLO": ServerSession._ehlo,
    "HELO": ServerSession._helo,
    "STARTTLS": ServerSession._starttls,
    "AUTH": ServerSession._auth,
    "MAIL": ServerSession._mail,
    "RCPT": ServerSession._rcpt,
    "DATA": ServerSession._data,
    "RSET": ServerSession._rset,
    "NOOP": ServerSession._noop,
    "VRFY": ServerSession._vrfy,
    "HELP": ServerSession._help,
    "QUIT": ServerSession._quit,
}


def _is_hello(name: str) -> bool:
    """Loose on purpose: clients send the strangest names of machines, and nothing depends on them."""
    return bool(name) and " " not in name and len(name) <= MAX_HELLO and name.isascii()


@lru_cache(maxsize=16)
def _ehlo_reply(settings: ServerSettings, tls: bool) -> bytes:
    lines = (
        settings.hostname,
        "PIPELINING",
        f"SIZE {settings.max_size}",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "DSN",
        f"AUTH {' '.join(MECHANISMS)}" if tls else "STARTTLS",
    )
    return Reply(250, "", lines).encode()
