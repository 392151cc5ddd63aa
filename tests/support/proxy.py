"""A TCP proxy in front of PostgreSQL that breaks connections at the worst moment (Q09, Q10)."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

PIECE = 65536


class Proxy:
    """Passes everything on to `port` until it is told otherwise. `cut_commits` are those it has cut so far."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._down = False
        self._words, self._passed_on = b"", True
        self.cut_commits = 0

    def url(self, direct: str) -> str:
        """The same database by way of this proxy."""
        return direct.replace(f":{self._target}/", f":{self.port}/")

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flowing.set()
        self._end_all()

    # -- what happens to the database ------------------------------------------------------------------------------

    def go_down(self) -> None:
        """Every connection ends, and no new one is made, until `come_up`."""
        self._down = True
        self._end_all()

    def come_up(self) -> None:
        self._down = False

    def restart(self) -> None:
        """Every connection ends; new ones are welcome."""
        self._end_all()

    def stall(self) -> None:
        """Nothing is passed on any more, until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def cut_commit(self, words: str, *, passed_on: bool) -> None:
        """Once: end the connection at the COMMIT of the next transaction that says these words: a part of a statement,
        the first time it is used on a connection, or a value.

        The COMMIT reaches the server, and only its answer is lost, if it is `passed_on`.
        """
        self._passed_on = passed_on
        self._words = words.encode()

    # -- passing on ------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._to_server, args=pair, daemon=True).start()
            threading.Thread(target=self._to_client, args=pair, daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        said = False
        with contextlib.suppress(OSError):
            while data := client.recv(PIECE):
                self._flowing.wait()
                said = said or (bool(self._words) and self._words in data)
                if said and b"COMMIT" in data:
                    self._cut(client, server, data)
                    break
                server.sendall(data)
        self._end(client, server)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self._words = b""
        client.shutdown(socket.SHUT_RDWR)
        if self._passed_on:
            server.sendall(data)
        self.cut_commits += 1

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(PIECE):
                self._flowing.wait()
                client.sendall(data)
        self._end(client, server)

    def _end_all(self) -> None:
        for pair in list(self._pairs):
            self._end(*pair)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._pairs.discard((client, server))
        for one in (client, server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
