"""The client side of an SMTP conversation, as a pure object (RFC 5321, 2920, 3207, 4954).

    greeting -> EHLO (or HELO) -> [STARTTLS -> EHLO] -> [AUTH] -> Ready
    begin()  -> [RSET] MAIL RCPT DATA -> SendContent -> content -> Ended        as often as wanted
    quit()

Its owner feeds what came in (`receive`), writes `take_output()` and does what the events say. Rules:

- One recipient per transaction; MAIL, RCPT and DATA leave in one write when the server offers PIPELINING.
- The first refusal is the one that counts; whatever the server says after it changes nothing. If DATA was accepted
  in spite of it, an empty message is sent and its reply ignored (RFC 2920 section 3.1).
- A reply nobody asked for, one that is no reply, and 421 anywhere close the session.
- Nothing that came before a TLS handshake is used after it; anything that came too early is a failure (S05).
- A login is sent over TLS only, unless the policy is "none".
- What was sent and received lies in `take_trace()`: logins redacted, content as its size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from postroom.types.reply import Reply
from postroom.wire.smtp import client_commands as commands
from postroom.wire.smtp.client_commands import Login, Needs, OneRecipient
from postroom.wire.smtp.reply_reader import BadReply, ReplyReader

TlsPolicy = Literal["none", "opportunistic", "required"]


class Stage(StrEnum):
    """What a reply answers."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RSET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "end of data"
    QUIT = "QUIT"


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is open: `begin()` may be called."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """The server expects the handshake now; call `tls_started()` after it."""


@dataclass(frozen=True, slots=True)
class SendContent:
    """Recipient and DATA were accepted: send the content, and call `content_sent()` right before its final dot."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The transaction, or the session before its first one, ended with this reply to this stage.

    `understood` is False when the reply is ours, because what the server said made no sense.
    """

    stage: Stage
    reply: Reply
    understood: bool = True


Event = Ready | StartTls | SendContent | Ended


class ClientSession:
    """Raises InjectionError for a host name, an address or a parameter that cannot be put into a command."""

    def __init__(
        self, hostname: str, *, tls: TlsPolicy = "opportunistic", login: Login | None = None
    ) -> None:
        self._hostname = commands.hello_name(hostname)
        self._tls = tls
        self._login = login
        self._reader = ReplyReader()
        self._output: list[str] = []
        self._trace: list[tuple[str, str]] = []
        self._expected: deque[Stage] = deque([Stage.GREETING])
        self._queue: deque[tuple[Stage, str]] = deque()  # commands that wait for a reply, without PIPELINING
        self._auth_responses: deque[str] = deque()
        self._handshake = False
        self._sending = False
        self._reset = False
        self.offers: dict[str, str] = {}
        self.greeted = False
        self.over_tls = False
        self.closed = False
        self.mail_accepted = False
        self.dot_sent = False
        self.refusal: Ended | None = None
        """The first refusal of this transaction, known before the transaction has ended."""

    @property
    def awaiting(self) -> Stage | None:
        """What the next reply answers, None if none is due."""
        return self._expected[0] if self._expected else None

    def take_output(self) -> bytes:
        """What is to be written now."""
        output = "".join(self._output).encode()
        self._output.clear()
        return output

    def take_trace(self) -> list[tuple[str, str]]:
        """What was said since the last call: ("C" us, "S" them or "*", text)."""
        trace, self._trace = self._trace, []
        return trace

    def receive(self, data: bytes) -> Event | None:
        """Take what came in. At most one event can arise from it."""
        event: Event | None = None
        for reply in self._reader.feed(data):
            event = self._take(reply) or event
            if self.closed:
                return event
        if self._handshake and self._reader.pending:
            return self._injected()
        return event

    def tls_started(self) -> None:
        """After the handshake: forget all that was said before it (RFC 3207 section 4.2)."""
        self._handshake = False
        self.over_tls = True
        self._reader = ReplyReader()
        self.offers = {}
        self._hello()

    def begin(self, envelope: OneRecipient, needs: Needs) -> Reply | None:
        """Start a transaction. Returns a reply of ours, and sends nothing, if this server cannot take the message."""
        refusal = commands.impossible(envelope, needs, self.offers)
        if refusal is not None:
            return refusal
        steps = [
            (Stage.MAIL, commands.mail(envelope, needs, self.offers)),
            (Stage.RCPT, commands.rcpt(envelope, self.offers)),
            (Stage.DATA, "DATA"),
        ]
        if self._reset:
            steps.insert(0, (Stage.RSET, "RSET"))
        self._reset = self.mail_accepted = self.dot_sent = False
        self.refusal = None
        self._queue.extend(steps)
        if "PIPELINING" in self.offers:
            while self._queue:
                self._send(*self._queue.popleft())
        else:
            self._send(*self._queue.popleft())
        return None

    def content_sent(self, octets: int) -> None:
        """To be called right before the final dot is written: from here on the message may have been accepted."""
        self._sending = False
        self.dot_sent = True
        self._expected.append(Stage.CONTENT)
        self._trace.append(("C", f"({octets} octets)"))

    def quit(self) -> None:
        self._send(Stage.QUIT, "QUIT")

    # -- replies --------------------------------------------------------------------------------------------------

    def _take(self, reply: Reply | BadReply) -> Event | None:
        self._trace.append(("S", reply.text if isinstance(reply, BadReply) else str(reply)))
        if self._handshake:
            return self._injected()
        if isinstance(reply, BadReply):
            return self._nonsense(self.awaiting)
        self.greeted = True
        if not self._expected:
            return self._unasked(reply)
        stage = self._expected.popleft()
        if reply.code == 421:
            return self._close(stage, reply)
        return _HANDLERS[stage](self, stage, reply)

    def _close(self, stage: Stage | None, reply: Reply, *, understood: bool = True) -> Event | None:
        """The session is over. Nobody needs to hear of it if nothing was under way."""
        self.closed = True
        if stage is None and self._sending:
            stage = Stage.CONTENT
        if stage is None or stage is Stage.QUIT:
            return None
        return self.refusal or Ended(stage, reply, understood)

    def _unasked(self, reply: Reply) -> Event | None:
        """A refusal while content is being sent counts, and there is no way back into step; else we just part."""
        return self._nonsense(None) if reply.positive else self._close(None, reply)

    def _nonsense(self, stage: Stage | None) -> Event | None:
        return self._give_up(stage, "4.5.0", "the server's reply makes no sense here", understood=False)

    def _injected(self) -> Event | None:
        text = "the server sent something between its reply to STARTTLS and the handshake"
        return self._give_up(Stage.STARTTLS, "4.7.0", text)

    def _give_up(
        self, stage: Stage | None, enhanced: str, text: str, *, understood: bool = True
    ) -> Event | None:
        """It is us who end the session."""
        self._trace.append(("*", text))
        return self._close(stage, Reply.of(451, enhanced, text), understood=understood)

    # -- opening --------------------------------------------------------------------------------------------------

    def _on_greeting(self, stage: Stage, reply: Reply) -> Event | None:
        if reply.code // 100 != 2:
            return self._close(stage, reply)
        self._hello()
        return None

    def _hello(self) -> None:
        self._send(Stage.EHLO, f"EHLO {self._hostname}")

    def _on_ehlo(self, stage: Stage, reply: Reply) -> Event | None:
        if reply.code // 100 == 5:
            self._send(Stage.HELO, f"HELO {self._hostname}")
            return None
        if reply.code // 100 != 2:
            return self._close(stage, reply)
        self.offers = commands.read_offers(reply.lines)
        if self._tls == "none" or self.over_tls:
            return self._authenticate()
        if "STARTTLS" in self.offers:
            self._send(Stage.STARTTLS, "STARTTLS")
            return None
        return self._without_tls("the server offers no STARTTLS")

    def _on_helo(self, stage: Stage, reply: Reply) -> Event | None:
        if reply.code // 100 != 2:
            return self._close(stage, reply)
        if self._tls == "none" or self.over_tls:
            return self._authenticate()
        return self._without_tls("the server knows no EHLO")

    def _on_starttls(self, stage: Stage, reply: Reply) -> Event | None:
        del stage
        if reply.code // 100 == 2:
            self._handshake = True
            return StartTls()
        return self._without_tls("the server refused STARTTLS")

    def _without_tls(self, reason: str) -> Event | None:
        if self._tls == "required":
            return self._give_up(Stage.STARTTLS, "4.7.0", f"{reason}, and TLS is required")
        self._trace.append(("*", f"{reason}: going on in clear text"))
        return self._authenticate()

    def _authenticate(self) -> Event | None:
        if self._login is None:
            return Ready()
        mechanisms = self.offers.get("AUTH", "").upper().split()
        if self._tls != "none" and not self.over_tls:
            reason = "the route has a login, and it is not sent without TLS"
        elif "\0" in self._login.username + self._login.password:
            reason = "the route's login holds a NUL, which separates its parts"
        elif "PLAIN" in mechanisms:
            self._send(Stage.AUTH, f"AUTH PLAIN {commands.auth_plain(self._login)}", "AUTH PLAIN (redacted)")
            return None
        elif "LOGIN" in mechanisms:
            self._auth_responses.extend(map(commands.encoded, (self._login.username, self._login.password)))
            self._send(Stage.AUTH, "AUTH LOGIN")
            return None
        else:
            reason = "the route has a login, and the server offers neither AUTH PLAIN nor LOGIN"
        return self._give_up(Stage.AUTH, "4.7.0", reason)

    def _on_auth(self, stage: Stage, reply: Reply) -> Event | None:
        if reply.code // 100 == 2:
            return Ready()
        if reply.code // 100 == 3 and self._auth_responses:
            self._send(stage, self._auth_responses.popleft(), "(redacted)")
            return None
        return self._close(stage, reply)

    # -- transactions ---------------------------------------------------------------------------------------------

    def _on_reset(self, stage: Stage, reply: Reply) -> Event | None:
        return self._next_step() if reply.code // 100 == 2 else self._close(stage, reply)

    def _on_envelope(self, stage: Stage, reply: Reply) -> Event | None:
        """The reply to MAIL, RCPT or DATA."""
        if reply.code >= 400:
            self._queue.clear()
            self.refusal = self.refusal or Ended(stage, reply)
        elif reply.code // 100 != (3 if stage is Stage.DATA else 2):
            return self._nonsense(stage)
        elif stage is Stage.MAIL:
            self.mail_accepted = True
        elif stage is Stage.DATA:
            return self._go_ahead()
        return self._next_step()

    def _next_step(self) -> Event | None:
        if self._queue and not self._expected:
            self._send(*self._queue.popleft())
        if self._expected:
            return None
        self._reset = True
        return self.refusal

    def _go_ahead(self) -> Event | None:
        if self.refusal is None:
            self._sending = True
            return SendContent()
        self._send(Stage.CONTENT, ".")
        return None

    def _on_content(self, stage: Stage, reply: Reply) -> Event | None:
        if self.refusal is not None:  # this was the empty message
            self._reset = True
            return self.refusal
        if reply.code // 100 == 3:
            return self._nonsense(stage)
        self._reset = reply.code // 100 != 2
        return Ended(stage, reply)

    def _on_quit(self, stage: Stage, reply: Reply) -> Event | None:
        return self._close(stage, reply)

    def _send(self, stage: Stage, command: str, shown: str | None = None) -> None:
        self._output.append(f"{command}\r\n")
        self._expected.append(stage)
        self._trace.append(("C", shown or command))


_HANDLERS: dict[Stage, Callable[[ClientSession, Stage, Reply], Event | None]] = {
    Stage.GREETING: ClientSession._on_greeting,
    Stage.EHLO: ClientSession._on_ehlo,
    Stage.HELO: ClientSession._on_helo,
    Stage.STARTTLS: ClientSession._on_starttls,
    Stage.AUTH: ClientSession._on_auth,
    Stage.RSET: ClientSession._on_reset,
    Stage.MAIL: ClientSession._on_envelope,
    Stage.RCPT: ClientSession._on_envelope,
    Stage.DATA: ClientSession._on_envelope,
    Stage.CONTENT: ClientSession._on_content,
    Stage.QUIT: ClientSession._on_quit,
}
