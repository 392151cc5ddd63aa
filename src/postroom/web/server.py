"""Runs the web application in the node's loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from postroom.config import Listen
from postroom.errors import ConfigError


class _Server(uvicorn.Server):
    """Signals are the node's business, not uvicorn's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """`start` binds and answers when requests are served; `address` is then (host, port)."""

    def __init__(self, app: FastAPI, listen: Listen) -> None:
        self._listen = listen
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self.address: tuple[str, int] = (listen.host, listen.port)

    async def start(self) -> None:
        sock = self._bind()
        self.address = sock.getsockname()[:2]
        self._task = asyncio.create_task(self._server.serve(sockets=[sock]), name="web server")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ConfigError(f"http.listen: {self._listen} cannot be served")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._listen.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self._listen.host, self._listen.port))
        except OSError as error:
            sock.close()
            raise ConfigError(f"http.listen: {self._listen} cannot be used: {error.strerror}") from None
        return sock
