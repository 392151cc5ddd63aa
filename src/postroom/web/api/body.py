"""Reading the body of a request: limits hold while it arrives, and what is large is decoded off the loop (H06, H07)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from mmap import mmap
from typing import Any, Self, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.call import header
from postroom.web.api.errors import ApiError, refused
from postroom.wire.json import JsonRefusedError, JsonSyntaxError, decode, decode_large

T = TypeVar("T")

SMALL_BODY = 1024 * 1024
"""The limit of endpoints that do not send."""
AT_ONCE = 64 * 1024
"""What is decoded on the loop; more goes to a thread (design rule 10)."""
SHARE = 2
"""One account may take this part of the memory for bodies."""
LONGEST_LENGTH = 15
"""Digits of a Content-Length that is looked at."""
RETRY_AFTER = 2
"""Seconds after which there may be memory again."""

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="body")
"""Of their own and few: all of them want the interpreter lock that the loop needs, too."""


async def off_loop(work: Callable[..., T], *arguments: Any) -> T:
    """Run what takes long with a large body in a thread, where the log knows the request, too. It should consist of
    small steps."""
    within = copy_context()
    return await asyncio.get_running_loop().run_in_executor(_threads, within.run, work, *arguments)


class Memory:
    """How many octets of large bodies are held, in all and by account."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._by_account: dict[str, int] = {}

    def lease(self, account_id: str) -> Lease:
        """For a `with` block that ends when nothing of the body is needed any more: not even a LongText of it."""
        return Lease(self, account_id)

    def has_room(self, account_id: str, octets: int) -> bool:
        held = self._by_account.get(account_id, 0)
        return self._total + octets <= self._most and held + octets <= self._most // SHARE

    def take(self, account_id: str, octets: int) -> None:
        if not octets:
            return
        self._total += octets
        held = self._by_account.pop(account_id, 0) + octets
        if held:
            self._by_account[account_id] = held


class Lease:
    """One body's part of the memory; given back at the end of the `with` block."""

    def __init__(self, memory: Memory, account_id: str) -> None:
        self._memory = memory
        self._account_id = account_id
        self._raw: mmap | None = None
        self.octets = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.take(self._account_id, -self.octets)
        if self._raw is not None:
            # Giving back 50 MB takes the system 30 ms.
            _threads.submit(self._raw.close)

    def grow_to(self, octets: int) -> None:
        """Hold so many in all. Raises ApiError (503) when there is no room."""
        more = octets - self.octets
        if not self._memory.has_room(self._account_id, more):
            why = Refused(refusals.SERVER_FULL, {"seconds": str(RETRY_AFTER)})
            raise refused(why, retry_after=RETRY_AFTER)
        self._memory.take(self._account_id, more)
        self.octets = octets

    def decode(self, chunks: list[bytes]) -> Any:
        """In a thread: the chunks as one, decoded. Pages of their own grow without copying what is there."""
        self._raw = raw = mmap(-1, sum(map(len, chunks)))
        chunks.reverse()
        while chunks:
            raw.write(chunks.pop())
        return decode_large(raw)


async def read(request: Request, lease: Lease, limit: int) -> Any:
    """The decoded JSON of the body; no body and null are {}. Raises ApiError: 413, 415, 422, 503."""
    chunks, size = await _read(request, lease, limit)
    written = header(request.scope, b"content-type")
    if size or written is not None:
        _check_type(written or "")
    if not size:
        return {}
    try:
        value = decode(b"".join(chunks)) if size <= AT_ONCE else await off_loop(lease.decode, chunks)
    except JsonSyntaxError as error:
        raise refused(Refused(refusals.JSON_SYNTAX, {"problem": str(error)}), "body") from None
    except JsonRefusedError as error:
        raise refused(Refused(refusals.JSON_REFUSED, {"problem": str(error)}), "body") from None
    return {} if value is None else value


async def _read(request: Request, lease: Lease, limit: int) -> tuple[list[bytes], int]:
    """The chunks as they came, and their size."""
    encoding = (header(request.scope, b"content-encoding") or "").strip().lower()
    if encoding not in ("", "identity"):
        raise refused(Refused(refusals.BODY_ENCODED, {"encoding": encoding}))
    announced = header(request.scope, b"content-length") or ""
    if announced.isdigit() and (len(announced) > LONGEST_LENGTH or int(announced) > limit):
        raise _too_big(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        if chunk:
            chunks.append(chunk)
            size += len(chunk)
        if size > limit:
            raise _too_big(limit)
        if size > AT_ONCE:
            lease.grow_to(size)
    return chunks, size


def _too_big(limit: int) -> ApiError:
    return refused(Refused(refusals.BODY_TOO_BIG, {"limit": str(limit)}))


def _check_type(written: str) -> None:
    if written == "application/json":
        return
    main, _, sub = written.partition(";")[0].strip().lower().partition("/")
    if main != "application" or not (sub == "json" or sub.endswith("+json")):
        raise refused(Refused(refusals.BODY_TYPE, {"type": written or "nothing"}))
