"""What all connections of one server share."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from postroom.accept.submission.limits import ConnectionLimits, FailedLogins, client_network
from postroom.accept.submission.policy import Policy
from postroom.config import Config
from postroom.runtime.blobs import Blobs
from postroom.types.envelope import Envelope
from postroom.types.refusals import Refused
from postroom.wire.smtp.settings import ServerSettings

if TYPE_CHECKING:
    from postroom.accept.submission.channel import Channel

BUFFER = 64 * 1024


class Context:
    """`accepted` counts messages, `refused` all refusals. `draining` is set once and for all."""

    def __init__(
        self,
        config: Config,
        hostname: str,
        policy: Policy[Any],
        blobs: Blobs,
        tls_context: Callable[[], ssl.SSLContext],
        clock: Callable[[], float],
    ) -> None:
        self.limits = config.submission
        self.settings = session_settings(config, hostname)
        self.policy = policy
        self.blobs = blobs
        self.tls_context = tls_context
        self.clock = clock
        self.failed_logins = FailedLogins(self.limits.failed_logins, clock)
        self.open = ConnectionLimits(
            self.limits.connections, self.limits.connections_per_address, self.failed_logins.is_known
        )
        self.connections: set[Channel] = set()
        self.accepted = 0
        self.refused = 0
        self.draining = False
        # One for all: what is read is copied out before anything else can run (see BufferedProtocol).
        self.buffer = memoryview(bytearray(BUFFER))
        self._tasks: set[asyncio.Task[Any]] = set()
        self._promises: set[asyncio.Future[Any]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def entered(self, connection: Channel) -> None:
        self.connections.add(connection)
        self._empty.clear()

    def left(self, connection: Channel) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    async def until_empty(self) -> None:
        await self._empty.wait()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run it in the background and keep hold of it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def promise(self, answer: Awaitable[Any]) -> asyncio.Future[Any]:
        """The policy's answer as a future that is kept hold of and never cancelled. A future stays what it is."""
        if isinstance(answer, asyncio.Future):
            return answer
        future = asyncio.ensure_future(answer)
        self._promises.add(future)
        future.add_done_callback(self._promises.discard)
        return future

    def cancel_tasks(self) -> list[asyncio.Task[Any]]:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks

    def record(
        self,
        refused: Refused,
        client: str,
        *,
        login: object = None,
        username: str = "",
        envelope: Envelope | None = None,
        header: bytes = b"",
    ) -> None:
        """Strangers are told apart by network: who has a whole /64 must not fill the log with its addresses."""
        self.refused += 1
        if login is None:
            client = client_network(client)
        self.policy.refused(
            refused, login=login, username=username, client=client, envelope=envelope, header=header
        )


def session_settings(config: Config, hostname: str) -> ServerSettings:
    limits = config.submission
    http_url = config.server.http_url.rstrip("/")
    return ServerSettings(
        hostname=hostname,
        link=f"{http_url}/refusals" if http_url else "",
        max_size=limits.max_size,
        max_recipients=limits.max_recipients,
        max_line=limits.max_line,
        max_command=limits.max_command,
        max_header_size=limits.max_header_size,
        max_header_fields=limits.max_header_fields,
        max_hops=limits.max_hops,
        max_errors=limits.max_errors,
    )
