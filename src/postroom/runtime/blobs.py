"""Large content: on stable storage before its key is known, read back in chunks (Q02, Q03).

A writer spools to a temporary file; `commit` fsyncs it, renames it to its key and fsyncs the directories, in that
order. Only then may a database row name the key. A file without a row (the process died in between) is garbage that
`sweep` removes after a day. Every fault of the disk is a StorageUnavailableError and leaves nothing behind; a failed
fsync is never tried again (Q05), since the kernel may have dropped what it could not write.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.runtime.files import PRIVATE_DIRECTORY, PRIVATE_FILE, fsync_directory
from postroom.runtime.killpoints import reach

CHUNK = 64 * 1024
_BUFFER = 256 * 1024
_SLICE = 500
_FRESH_SECONDS = 3600.0

Keep = Callable[[list[str]], Awaitable[set[str]]]
"""Which of these keys does a row still name?"""


class BlobMissingError(StorageUnavailableError):
    """No content has this key."""


class BlobWriter(Protocol):
    size: int
    """Octets written so far."""

    async def write(self, data: bytes) -> None: ...

    async def commit(self) -> str:
        """Returns the key, after the content is on stable storage."""

    async def abort(self) -> None:
        """Throw away what was written. Harmless after commit or abort."""


class Blobs(Protocol):
    def writer(self) -> BlobWriter: ...

    def read(self, key: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Chunks of at most 64 KB."""

    def open(self, key: str, offset: int = 0) -> BinaryIO:
        """A file for use inside a thread; the caller closes it."""

    async def delete(self, key: str) -> None:
        """Harmless if it is gone already."""

    async def sweep(self, older_than_seconds: float, keep: Keep) -> int:
        """Delete content older than that which `keep` does not name, and left-over spools. Returns how many."""


@contextlib.contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissingError(f"{error.filename}: {error.strerror}") from error
    except OSError as error:
        raise StorageUnavailableError(f"{error.filename or 'blob'}: {error.strerror}") from error


class FileBlobs:
    """One file per key below `directory`, two levels deep: `ab/cd/abcd...`. Spools lie in `spool/`."""

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        self._directory = directory
        self._clock = clock or Clock()
        self._fresh: dict[str, float] = {}

    def writer(self) -> BlobWriter:
        return _FileWriter(self)

    async def read(self, key: str, offset: int = 0) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(self.open, key, offset)
        try:
            with _storage():
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    yield chunk
        finally:
            file.close()

    def open(self, key: str, offset: int = 0) -> BinaryIO:
        with _storage():
            file = self.path(key).open("rb")
            file.seek(offset)
            return file

    async def delete(self, key: str) -> None:
        with _storage():
            await asyncio.to_thread(self.path(key).unlink, missing_ok=True)

    async def sweep(self, older_than_seconds: float, keep: Keep) -> int:
        self._forget_fresh()
        with _storage():
            old, spools = await asyncio.to_thread(self._old_files, older_than_seconds)
            for spool in spools:
                await asyncio.to_thread(spool.unlink, missing_ok=True)
        deleted = len(spools)
        for at in range(0, len(old), _SLICE):
            keys = old[at : at + _SLICE]
            kept = await keep(keys)
            garbage = [key for key in keys if key not in kept and key not in self._fresh]
            for key in garbage:
                await self.delete(key)
            deleted += len(garbage)
        return deleted

    def path(self, key: str) -> Path:
        return self._directory / key[:2] / key[2:4] / key

    def spool(self, key: str) -> Path:
        return self._directory / "spool" / key

    def place(self, key: str) -> None:
        """The spool becomes the blob. Every level is fsynced, as another writer may just have made it."""
        path = self.path(key)
        path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        self._fresh[key] = self._clock.monotonic()
        reach("blobs.before_rename")
        self.spool(key).rename(path)
        try:
            reach("blobs.after_rename")
            for directory in (path.parent, path.parent.parent, self._directory):
                fsync_directory(directory)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def _old_files(self, older_than_seconds: float) -> tuple[list[str], list[Path]]:
        """Keys and spools whose file is older, in one walk."""
        limit = self._clock.now_ms() / 1000 - older_than_seconds
        old: list[str] = []
        spools: list[Path] = []
        for folder, _, names in os.walk(self._directory):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < limit:
                        spools.append(path) if path.parent.name == "spool" else old.append(name)
        return old, spools

    def _forget_fresh(self) -> None:
        """A leap of the wall clock (Q07) must not sweep content whose row is still being committed."""
        limit = self._clock.monotonic() - _FRESH_SECONDS
        for key in [key for key, since in list(self._fresh.items()) if since < limit]:
            self._fresh.pop(key, None)


class _FileWriter:
    """Collects 256 KB, then writes in a thread. The lock keeps a cancelled write off a descriptor abort closed."""

    def __init__(self, blobs: FileBlobs) -> None:
        self.size = 0
        self._blobs = blobs
        self._key = os.urandom(16).hex()
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._file: BinaryIO | None = None
        self._done = False
        self._lock = threading.Lock()

    async def write(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_size += len(data)
        self.size += len(data)
        if self._pending_size >= _BUFFER:
            await asyncio.to_thread(self._guarded, self._flush, self._take())

    async def commit(self) -> str:
        await asyncio.to_thread(self._guarded, self._finish, self._take())
        return self._key

    async def abort(self) -> None:
        self._take()
        await asyncio.to_thread(self._discard)

    def _take(self) -> bytes:
        data = b"".join(self._pending)
        self._pending, self._pending_size = [], 0
        return data

    def _guarded(self, action: Callable[[bytes], None], data: bytes) -> None:
        try:
            with self._lock, _storage():
                action(data)
        except StorageUnavailableError:
            self._discard()
            raise

    def _flush(self, data: bytes) -> None:
        if self._done:
            raise StorageUnavailableError("this writer has ended")
        if self._file is None:
            path = self._blobs.spool(self._key)
            path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            self._file = open(path, "xb", buffering=0, opener=_open_private)  # noqa: SIM115
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def _finish(self, data: bytes) -> None:
        self._flush(data)
        assert self._file is not None
        reach("blobs.written")
        os.fsync(self._file.fileno())
        self._file.close()
        self._blobs.place(self._key)
        self._done = True
        reach("blobs.stored")

    def _discard(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
            if self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.close()
                with contextlib.suppress(OSError):
                    self._blobs.spool(self._key).unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


class MemoryBlobs:
    """The twin: content in a dict (`content`), with the time it was committed."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self.content: dict[str, tuple[bytes, int]] = {}

    def writer(self) -> BlobWriter:
        return _MemoryWriter(self)

    async def read(self, key: str, offset: int = 0) -> AsyncIterator[bytes]:
        with self.open(key, offset) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def open(self, key: str, offset: int = 0) -> BinaryIO:
        if key not in self.content:
            raise BlobMissingError(f"{key}: no such content")
        file = BytesIO(self.content[key][0])
        file.seek(offset)
        return file

    async def delete(self, key: str) -> None:
        self.content.pop(key, None)

    async def sweep(self, older_than_seconds: float, keep: Keep) -> int:
        limit = self._clock.now_ms() - older_than_seconds * 1000
        old = [key for key, (_, since) in self.content.items() if since < limit]
        garbage = set(old) - await keep(old) if old else set()
        for key in garbage:
            await self.delete(key)
        return len(garbage)

    def store(self, content: bytes) -> str:
        key = os.urandom(16).hex()
        self.content[key] = (content, self._clock.now_ms())
        return key


class _MemoryWriter:
    def __init__(self, blobs: MemoryBlobs) -> None:
        self.size = 0
        self._blobs = blobs
        self._chunks: list[bytes] | None = []

    async def write(self, data: bytes) -> None:
        if self._chunks is None:
            raise StorageUnavailableError("this writer has ended")
        self._chunks.append(bytes(data))
        self.size += len(data)

    async def commit(self) -> str:
        if self._chunks is None:
            raise StorageUnavailableError("this writer has ended")
        content, self._chunks = b"".join(self._chunks), None
        return self._blobs.store(content)

    async def abort(self) -> None:
        self._chunks = None
