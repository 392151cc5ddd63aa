"""The receiving side: a small SMTP server that writes down each message before it says that it has it."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

from faults.ledger.journal import Journal

REPLY_SECONDS = 0.1
"""Longest wait between the final dot and its answer; without one the window would hardly ever be open."""
_LEDGER = re.compile(rb"(?m)^X-Ledger: (\d+)\s+([0-9a-f]{64})\r$")  # may be folded
_MESSAGE_ID = re.compile(rb"(?mi)^Message-ID: (<.*>)\r$")


class Sink:
    """The journal has for each final dot: `to`, `message_id`, `number`, and whether the body is `whole`."""

    def __init__(self, host: str, port: int, journal: Path) -> None:
        self.journal = Journal(journal)
        self.dots: Counter[str] = Counter()
        self._listener = socket.create_server((host, port), backlog=64)
        self._open: set[socket.socket] = set()
        self._put_off: set[str] = set()
        self._chance = random.Random(host)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.quiet(5)
        self.journal.close()

    def quiet(self, seconds: float) -> bool:
        """Wait until every connection has ended: what a dead client had sent is then written down."""
        deadline = time.monotonic() + seconds
        while self._open and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self._open

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
                self._talk(connection, stream)
        finally:
            self._open.discard(connection)

    def _talk(self, connection: socket.socket, stream) -> None:
        def say(line: str) -> None:
            with contextlib.suppress(OSError):  # who is gone cannot hear it, but what was sent still counts
                connection.sendall(f"{line}\r\n".encode())

        say("220 sink.test ESMTP")
        to = ""
        while line := stream.readline():
            verb, argument = line[:4].upper(), line.decode().strip()
            if verb == b"EHLO":
                say("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
            elif verb == b"RCPT":
                to, answer = self._recipient(argument.partition("<")[2].partition(">")[0], to)
                say(answer)
            elif verb == b"DATA" and not to:
                say("503 5.5.1 no recipient")
            elif verb == b"DATA":
                say("354 go ahead")
                if not self._content(stream, to):
                    return
                time.sleep(self._chance.uniform(0, REPLY_SECONDS))
                say("250 2.0.0 written down")
                to = ""
            elif verb == b"QUIT":
                say("221 2.0.0 bye")
                return
            else:
                to = to if verb == b"NOOP" else ""
                say("250 2.0.0 ok")

    def _recipient(self, address: str, before: str) -> tuple[str, str]:
        if address.startswith("gone-"):
            return before, "550 5.1.1 no such user"
        if address.startswith("slow-") and address not in self._put_off:
            self._put_off.add(address)
            return before, "451 4.7.1 later"
        return address, "250 2.1.5 ok"

    def _content(self, stream, to: str) -> bool:
        lines: list[bytes] = []
        while (line := stream.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                return False  # the client went away: no final dot, no message
            lines.append(line[1:] if line.startswith(b".") else line)
        head, _, body = b"".join(lines).partition(b"\r\n\r\n")
        head += b"\r\n"
        ledger, message_id = _LEDGER.search(head), _MESSAGE_ID.search(head)
        whole = ledger is not None and hashlib.sha256(body).hexdigest() == ledger[2].decode()
        self.journal.write(
            to=to,
            message_id=message_id[1].decode() if message_id else "",
            number=int(ledger[1]) if ledger else 0,
            whole=whole,
        )
        self.dots[to] += 1
        return True
