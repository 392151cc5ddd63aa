"""Runs the web application in the node's loop: one listener without TLS, any number with it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from postroom.config import Http, Listen
from postroom.errors import ConfigError
from postroom.runtime.clock import Clock
from postroom.web.connection import Limits, limited

BACKLOG = 1024
DRAIN_SECONDS = 5.0
"""For requests under way."""
LONGEST_TICK = 1.0


class _Server(uvicorn.Server):
    """Signals are the node's business, not uvicorn's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """`start` binds and answers when requests are served; `addresses` then has (host, port, scheme) of each listener.

    `tls_context` is asked only if there is a listener with TLS. `clock` is for deadlines.
    """

    def __init__(
        self, app: ASGIApp, settings: Http, tls_context: Callable[[], ssl.SSLContext], clock: Clock
    ) -> None:
        self._app = app
        self._settings = settings
        self._tls_context = tls_context
        self._limits = Limits(settings, clock)
        self._running: list[tuple[_Server, asyncio.Task[None]]] = []
        self._ticking: asyncio.TimerHandle | None = None
        self.addresses: list[tuple[str, int, str]] = []

    @property
    def connections(self) -> int:
        return sum(len(server.server_state.connections) for server, _ in self._running)

    async def start(self) -> None:
        """Raises ConfigError that names the setting of an address that cannot be had; then nothing listens."""
        plain: list[socket.socket] = []
        tls: list[socket.socket] = []
        try:
            plain.append(_bind("http.listen", self._settings.listen))
            for listen in self._settings.tls_listen:
                tls.append(_bind("http.tls_listen", listen))
            context = self._tls_context() if tls else None
        except ConfigError:
            for sock in (*plain, *tls):
                sock.close()
            raise
        await self._serve(plain, None)
        if tls:
            await self._serve(tls, context)
        self._tick()

    async def stop(self) -> None:
        """Accept nothing new, let requests under way finish for some seconds."""
        if self._ticking is not None:
            self._ticking.cancel()
        for server, _ in self._running:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._running))

    async def _serve(self, sockets: list[socket.socket], context: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            self._app,
            http=limited(self._limits),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # `proxies` decides whom to believe
            backlog=BACKLOG,
            timeout_keep_alive=int(self._settings.idle_timeout) or 1,
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
        )
        config.load()
        config.ssl = context
        server = _Server(config)
        self.addresses += [(*sock.getsockname()[:2], "https" if context else "http") for sock in sockets]
        task = asyncio.create_task(server.serve(sockets=sockets), name="web server")
        self._running.append((server, task))
        while not server.started:
            if task.done():
                task.result()
                raise ConfigError("the web server did not start")
            await asyncio.sleep(0.01)

    def _tick(self) -> None:
        settings = self._settings
        every = min(LONGEST_TICK, settings.header_timeout / 4, settings.body_timeout / 4)
        self._ticking = asyncio.get_running_loop().call_later(every, self._tick)
        now = self._limits.clock.monotonic()
        for server, _ in self._running:
            for connection in tuple(server.server_state.connections):
                connection.tick(now)  # type: ignore[union-attr]


def _bind(setting: str, listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listen.host, listen.port))
    except OSError as error:
        sock.close()
        raise ConfigError(f"{setting}: {listen} cannot be used: {error.strerror}") from None
    return sock
