"""A scripted SMTP server on loopback: it behaves, but where its script says otherwise, and records what it gets.

    with Peer({"RCPT": ["450 4.7.1 greylisted", "250 2.1.5 ok"], "DOT": Drop()}) as peer:
        ...  # connect to peer.address, peer.port
    assert peer.messages == [b"..."]

A script maps a moment to what happens there: one step, or a list of steps of which each occurrence takes the next
(then the default comes back). Moments: CONNECT, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT, RSET, NOOP, QUIT.
With a list of scripts the first connection gets the first, and so on; the last one is for all that follow.

A step is a reply ("250 ok"; lines are joined by newlines), raw bytes, or one of the classes below. It runs in threads
of its own, so that a test may be asynchronous or not, and may drive a whole process.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EHLO = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True)
class Deaf:
    """Send `reply`, then read nothing any more; the connection stays open."""

    reply: str


@dataclass(frozen=True)
class Delay:
    """Wait, then go on with `then`."""

    seconds: float
    then: Step


@dataclass(frozen=True)
class Drip:
    """Send byte by byte."""

    data: bytes
    seconds: float = 0.001


@dataclass(frozen=True)
class Drop:
    """Send `data`, perhaps half a line, then close."""

    data: bytes = b""


@dataclass(frozen=True)
class Reset:
    """Close with a RST."""


@dataclass(frozen=True)
class Silence:
    """Never answer; the connection stays open."""


Step = str | bytes | Deaf | Delay | Drip | Drop | Reset | Silence
Script = Mapping[str, Step | Sequence[Step]]

_DEFAULTS: dict[str, str] = {
    "CONNECT": "220 peer.test ESMTP",
    "HELO": "250 peer.test",
    "STARTTLS": "220 2.0.0 ready",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "DOT": "250 2.0.0 queued",
    "RSET": "250 2.0.0 reset",
    "NOOP": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


@dataclass
class Conversation:
    """One connection as the peer saw it. `raw` is what came in, after decryption; `client` the address it came from."""

    client: str = ""
    raw: bytearray = field(default_factory=bytearray)
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    tls: bool = False
    closed: bool = False

    @property
    def verbs(self) -> list[str]:
        return [command.partition(" ")[0] for command in self.commands]


class Peer:
    """Start it with `with`. `offers` are the EHLO keywords; STARTTLS is added while `tls` is given and not in use."""

    def __init__(
        self,
        script: Script | Sequence[Script] | None = None,
        *,
        offers: Sequence[str] = EHLO,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.scripts = [script or {}] if script is None or isinstance(script, Mapping) else list(script)
        self.offers = offers
        self.tls = tls
        self.connections: list[Conversation] = []
        self._listener = socket.create_server((host, port))
        self.address, self.port = self._listener.getsockname()[:2]
        self._sockets: set[socket.socket] = set()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def messages(self) -> list[bytes]:
        """Content of every message whose final dot came, dots unstuffed."""
        return [message for conversation in self.connections for message in conversation.messages]

    @property
    def commands(self) -> list[str]:
        return [command for conversation in self.connections for command in conversation.commands]

    def __enter__(self) -> Peer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_all()
        for thread in self._threads:
            thread.join(5)

    def drop_all(self) -> None:
        """Close every connection that is open."""
        for open_socket in list(self._sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def _start(self, target, *arguments) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connected, client = self._listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.add(connected)
            script = self.scripts[min(len(self.connections), len(self.scripts) - 1)]
            conversation = Conversation(client[0])
            self.connections.append(conversation)
            self._start(self._serve, connected, conversation, script)

    def _serve(self, connected: socket.socket, conversation: Conversation, script: Script) -> None:
        talk = _Talk(self, connected, conversation, script)
        with contextlib.suppress(OSError, _OverError):
            talk.run()
        self._sockets.discard(connected)
        with contextlib.suppress(OSError):
            talk.socket.close()
        conversation.closed = True

    def wait(self) -> None:
        """Until the peer stops."""
        self._stopped.wait(30)


class _OverError(Exception):
    """The script says that the connection ends here."""


class _Talk:
    """One connection's thread."""

    def __init__(
        self, peer: Peer, connected: socket.socket, conversation: Conversation, script: Script
    ) -> None:
        self.socket = connected
        self._peer = peer
        self._conversation = conversation
        self._steps = {
            moment: [steps] if isinstance(steps, Step) else list(steps) for moment, steps in script.items()
        }
        self._buffer = b""

    def run(self) -> None:
        self._play("CONNECT")
        while True:
            line = self._line()
            self._conversation.commands.append(line)
            verb = line.partition(" ")[0].upper()
            replied = self._play(verb)
            if verb == "STARTTLS" and replied.startswith("220"):
                self._handshake()
            elif verb == "DATA" and replied.startswith("3"):
                self._content()
            elif verb == "AUTH" and replied.startswith("3"):
                self._login()
            elif verb == "QUIT" or replied.startswith(("421", "221")):
                return

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            self._buffer += self._receive()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def _content(self) -> None:
        content = bytearray(b"\r\n" + self._buffer)
        searched = 0
        while (end := content.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(len(content) - 4, 0)
            content += self._receive()
        self._buffer = bytes(content[end + 5 :])
        message = bytes(content[: end + 2]).replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")
        self._conversation.messages.append(message)
        self._play("DOT")

    def _login(self) -> None:
        while True:
            self._conversation.commands.append(self._line())
            if not self._play("AUTH").startswith("3"):
                return

    def _receive(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise _OverError
        self._conversation.raw += data
        return data

    def _handshake(self) -> None:
        assert self._peer.tls is not None
        self._peer._sockets.discard(self.socket)
        wrapped = self._peer.tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._peer._sockets.add(wrapped)
        self.socket = wrapped
        wrapped.do_handshake()
        self._conversation.tls = True
        self._buffer = b""

    def _play(self, moment: str) -> str:
        """Run the next step of a moment; returns the reply it made, "" if none."""
        steps = self._steps.get(moment)
        return self._run(steps.pop(0) if steps else self._default(moment))

    def _default(self, moment: str) -> str:
        if moment == "EHLO":
            offers = list(self._peer.offers)
            if self._peer.tls is not None and not self._conversation.tls:
                offers.append("STARTTLS")
            return "\n".join(["250 peer.test", *(f"250 {offer}" for offer in offers)])
        return _DEFAULTS.get(moment, "500 5.5.1 unknown")

    def _run(self, step: Step) -> str:
        if isinstance(step, str):
            lines = step.split("\n")
            joined = "".join(f"{line[:3]}-{line[4:]}\r\n" for line in lines[:-1]) + f"{lines[-1]}\r\n"
            self.socket.sendall(joined.encode())
            return step
        if isinstance(step, bytes):
            self.socket.sendall(step)
            return step.decode("latin-1")
        if isinstance(step, Delay):
            time.sleep(step.seconds)
            return self._run(step.then)
        if isinstance(step, Drip):
            for at in range(len(step.data)):
                self.socket.sendall(step.data[at : at + 1])
                time.sleep(step.seconds)
            return step.data.decode("latin-1")
        if isinstance(step, Deaf):
            self._run(step.reply)
        if isinstance(step, Deaf | Silence):
            self._peer.wait()
        elif isinstance(step, Drop):
            self.socket.sendall(step.data)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _OverError
