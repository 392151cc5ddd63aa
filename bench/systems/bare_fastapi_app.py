"""The program of `bare_fastapi`. Usage: bare_fastapi_app.py DATABASE. Prints its port when it listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

import uvicorn
import uvloop
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

Row = tuple[str, str, str]


class Contact(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)
    name: str | None = None


class Attachment(BaseModel):
    content: str
    filename: str
    disposition: str = "attachment"
    id: str | None = None


class Personalization(BaseModel):
    email: str
    data: dict[str, Any]


class Email(BaseModel):
    """The fields of POST /v1/email."""

    sender: Contact = Field(alias="from")
    to: list[Contact] = Field(min_length=1, max_length=50)
    cc: list[Contact] = Field([], max_length=10)
    bcc: list[Contact] = Field([], max_length=10)
    reply_to: Contact | None = None
    subject: str = Field(max_length=998)
    text: str | None = Field(None, max_length=2_000_000)
    html: str | None = Field(None, max_length=2_000_000)
    tags: list[Annotated[str, Field(max_length=191)]] = Field([], max_length=5)
    attachments: list[Attachment] = []
    personalization: list[Personalization] = []
    send_at: int | None = None


class Store:
    """One thread writes; whatever came while it did goes into the next transaction."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._waiting: list[tuple[asyncio.Future[None], Row]] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    async def keep(self, row: Row) -> None:
        """Returns once the row is on stable storage."""
        kept = self._loop.create_future()
        with self._changed:
            self._waiting.append((kept, row))
            self._changed.notify()
        await kept

    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(
            "CREATE TABLE emails (id INTEGER PRIMARY KEY, sender TEXT, recipients TEXT, content TEXT)"
        )
        while batch := self._batch():
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO emails (sender, recipients, content) VALUES (?, ?, ?)", [row for _, row in batch]
            )
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_done, [kept for kept, _ in batch])
        database.close()

    def _batch(self) -> list[tuple[asyncio.Future[None], Row]]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            batch, self._waiting = self._waiting, []
        return batch


def _done(kept: list[asyncio.Future[None]]) -> None:
    for future in kept:
        if not future.done():
            future.set_result(None)


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.store = Store(sys.argv[1], asyncio.get_running_loop())
    yield
    app.state.store.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/email", status_code=202)
async def send(email: Email) -> Response:
    store: Store = app.state.store
    recipients = ",".join(contact.email for contact in (*email.to, *email.cc, *email.bcc))
    await store.keep((email.sender.email, recipients, email.html or email.text or ""))
    return Response(status_code=202)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, http="httptools", access_log=False, log_level="warning")
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
