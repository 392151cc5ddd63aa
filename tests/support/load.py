"""Load from clients that trust nobody: each id they are told `250` for is on their own disk before they go on."""

from __future__ import annotations

import os
import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

from support.waiting import until

CLIENTS = 4
PATIENCE = 10.0  # seconds to wait for a reply
PAUSE = 0.02


class Load:
    """Sends from some connections at once until it is left. What breaks is connected anew, to wherever `port` is.

    Every message has a Message-ID of its own; `ledger` holds "message id, Message-ID" for each that was accepted.
    """

    def __init__(
        self,
        port: Callable[[], int],
        context: ssl.SSLContext,
        login: tuple[str, str],
        sender: str,
        recipient: str,
        ledger: Path,
    ) -> None:
        self._port = port
        self._context = context
        self._login = login
        self._sender = sender
        self._recipient = recipient
        self._path = ledger
        self._ledger = os.open(ledger, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._numbers = count(1)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)
        os.close(self._ledger)

    def wait_for(self, messages: int) -> None:
        """Until so many are acknowledged."""
        until(lambda: len(self.acknowledged()) >= messages, what=f"{messages} messages are accepted")

    def acknowledged(self) -> dict[str, str]:
        """The Message-ID of each message that was accepted, by its message id."""
        lines = (tuple(line.split()) for line in self._path.read_text().splitlines())
        return dict(lines)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._send_on_one_connection()
            except (OSError, smtplib.SMTPException):
                time.sleep(PAUSE)  # the relay is away, or full

    def _send_on_one_connection(self) -> None:
        with smtplib.SMTP("localhost", self._port(), timeout=PATIENCE) as client:
            client.starttls(context=self._context)
            client.login(*self._login)
            while not self._ended.is_set():
                message_id = f"<{next(self._numbers)}@load.test>"
                content = f"From: {self._sender}\r\nMessage-ID: {message_id}\r\n\r\n{'x' * 70}\r\n"
                code, _ = client.mail(self._sender)
                if code == 250:
                    code, _ = client.rcpt(self._recipient)
                if code == 250:
                    code, reply = client.data(content.encode())
                if code != 250:
                    raise smtplib.SMTPException
                os.write(self._ledger, f"{reply.decode().rpartition(' ')[2]} {message_id}\n".encode())
                os.fsync(self._ledger)
