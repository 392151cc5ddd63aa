"""The server: binds, accepts, watches the time, drains."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

from postroom.accept.submission import implicit_tls
from postroom.accept.submission.connection import Connection
from postroom.accept.submission.context import Context
from postroom.accept.submission.policy import Policy
from postroom.config import Config, Listen
from postroom.errors import ConfigError
from postroom.runtime.blobs import Blobs
from postroom.runtime.killpoints import reach

BACKLOG = 1024
LONGEST_TICK = 1.0
FORGET_EVERY = 600.0


class SubmissionServer:
    """`addresses` is filled by `start`: dicts of `host`, `port` and `tls` ("starttls" or "implicit").

    `hostname` is what it calls itself. `tls_context` is asked at every handshake, so a new certificate needs no
    restart. `clock` is monotonic seconds.
    """

    def __init__(
        self,
        config: Config,
        hostname: str,
        policy: Policy[Any],
        blobs: Blobs,
        tls_context: Callable[[], ssl.SSLContext],
        clock: Callable[[], float],
    ) -> None:
        self._context = Context(config, hostname, policy, blobs, tls_context, clock)
        self._clock = clock
        self._servers: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._tick_every = _tick_every(self._context)
        self._ticking: asyncio.TimerHandle | None = None
        self._forget_at = clock() + FORGET_EVERY
        self.addresses: list[dict[str, object]] = []

    @property
    def connections(self) -> int:
        return self._context.open.total

    @property
    def accepted(self) -> int:
        """Messages."""
        return self._context.accepted

    @property
    def refused(self) -> int:
        """Whatever was refused, by whichever rule."""
        return self._context.refused

    async def start(self) -> None:
        """Listen. Raises ConfigError that names the setting of an address that cannot be had; then nothing listens."""
        limits = self._context.limits
        groups = (
            ("submission.listen", limits.listen, "starttls"),
            ("submission.implicit_tls_listen", limits.implicit_tls_listen, "implicit"),
        )
        bound: list[tuple[socket.socket, str]] = []
        try:
            for setting, listens, tls in groups:
                for listen in listens:
                    bound += [(one, tls) for one in _bind(setting, listen)]
        except ConfigError:
            for one, _ in bound:
                one.close()
            raise
        for one, tls in bound:
            await self._serve(one, tls)
        self._tick()

    async def drain(self, seconds: float) -> None:
        """Accept nothing new, say 421 to who is idle, let messages under way finish until `seconds` are over."""
        reach("drain.begin")
        context = self._context
        context.draining = True
        await self._stop_listening()
        for connection in tuple(context.connections):
            connection.drain()
        try:
            async with asyncio.timeout(seconds):
                await context.until_empty()
        except TimeoutError:
            for connection in tuple(context.connections):
                connection.give_up()
            await asyncio.sleep(0)
        if self._ticking is not None:
            self._ticking.cancel()
        await asyncio.gather(*context.cancel_tasks(), return_exceptions=True)
        reach("drain.submission_ended")

    async def _serve(self, listening: socket.socket, tls: str) -> None:
        loop = asyncio.get_running_loop()
        if tls == "starttls":
            server = await loop.create_server(
                lambda: Connection(self._context), sock=listening, backlog=BACKLOG
            )
            self._servers.append(server)
        else:
            self._sockets.append(listening)
            self._accepting.append(loop.create_task(implicit_tls.serve(self._context, listening)))
        host, port = listening.getsockname()[:2]
        self.addresses.append({"host": host, "port": port, "tls": tls})

    async def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(self._tick_every, self._tick)
        now = self._clock()
        for connection in tuple(self._context.connections):
            connection.tick(now)
        if now > self._forget_at:
            self._forget_at = now + FORGET_EVERY
            self._context.failed_logins.forget()


def _tick_every(context: Context) -> float:
    limits = context.limits
    shortest = min(limits.command_timeout, limits.login_timeout, limits.data_timeout)
    return min(LONGEST_TICK, shortest / 4)


def _bind(setting: str, listen: Listen) -> list[socket.socket]:
    """All addresses of the host, which is one unless it is a name."""
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            one = socket.create_server(address, family=family, backlog=BACKLOG)
            one.setblocking(False)
            bound.append(one)
    except OSError as error:
        for one in bound:
            one.close()
        raise ConfigError(f"{setting}: {_why(listen, error)}") from None
    return bound


def _why(listen: Listen, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{listen} is taken by another program"
    if error.errno == errno.EACCES:
        return f"{listen} needs the right to use ports below 1024"
    return f"{listen} cannot be used: {error.strerror}"
