"""The sending side: some connections at once, and a journal of every answer to an end of data."""

from __future__ import annotations

import hashlib
import random
import smtplib
import ssl
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

from faults.ledger.journal import Journal

PATIENCE = 15.0
SMALL = 3000  # octets
LARGE = 400_000  # beyond `submission.spool_above`
EVERY_LARGE, EVERY_SLOW, EVERY_GONE = 11, 3, 5


def recipients(number: int, domain: str) -> list[str]:
    """Of the message with this number."""
    kinds = ["ok"]
    if number % EVERY_SLOW == 0:
        kinds.append("slow")
    if number % EVERY_GONE == 0:
        kinds.append("gone")
    return [f"{kind}-{number}@{domain}" for kind in kinds]


def content(number: int, sender: str, octets: int) -> bytes:
    """A message that says itself what its body must be."""
    lines = random.Random(number).randbytes(octets // 2).hex()
    body = "".join(f"{lines[at : at + 70]}\r\n" for at in range(0, len(lines), 70)).encode()
    proof = hashlib.sha256(body).hexdigest()
    head = f"From: {sender}\r\nMessage-ID: <{number}@ledger.test>\r\nX-Ledger: {number} {proof}\r\n\r\n"
    return head.encode() + body


class Client:
    """Sends until it is left, or `paused`. What breaks is connected anew, to wherever `port` says the relay is.

    The journal has for each message its number, its recipients, and `id` (after 250), `code` (after another answer)
    or neither (the connection broke, so nobody knows).
    """

    def __init__(
        self,
        port: Callable[[], int],
        context: ssl.SSLContext,
        login: tuple[str, str],
        domain: str,
        journal: Path,
        *,
        connections: int = 3,
        pause: float = 0.03,
        small: int = SMALL,
    ) -> None:
        self._port = port
        self._context = context
        self._login = login
        self._domain = domain
        self.journal = Journal(journal)
        self._pause = pause
        self._small = small
        self._numbers = count(1)
        self._ended = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._busy = threading.Semaphore(connections)
        self._connections = connections
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._going.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)
        self.journal.close()

    def pause(self) -> None:
        """Send nothing more until `go`; returns when the messages under way have their answers."""
        self._going.clear()
        for _ in range(self._connections):
            self._busy.acquire()
        for _ in range(self._connections):
            self._busy.release()

    def go(self) -> None:
        self._going.set()

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            try:
                self._connection()
            except (OSError, smtplib.SMTPException):
                continue  # the relay is away, or full

    def _connection(self) -> None:
        self._going.wait()
        with smtplib.SMTP("localhost", self._port(), timeout=PATIENCE) as client:
            client.starttls(context=self._context)
            client.login(*self._login)
            while not self._ended.wait(self._pause):
                self._going.wait()
                with self._busy:
                    if self._going.is_set():
                        self._message(client)

    def _message(self, client: smtplib.SMTP) -> None:
        number = next(self._numbers)
        to = recipients(number, "sink.test")
        sender = f"app@{self._domain}"
        answers = [client.mail(sender), *(client.rcpt(one) for one in to)]
        if any(code != 250 for code, _ in answers):
            raise smtplib.SMTPException(str(answers))
        octets = LARGE if number % EVERY_LARGE == 0 else self._small
        try:
            code, reply = client.data(content(number, sender, octets))
        except (OSError, smtplib.SMTPException):
            self.journal.write(number=number, to=to)
            raise
        if code == 250:
            self.journal.write(number=number, to=to, id=reply.decode().rpartition(" ")[2])
        else:
            self.journal.write(number=number, to=to, code=code, reply=reply.decode())
