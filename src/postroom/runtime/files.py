"""Files that are either whole or not there, and the lock on a data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

from postroom.errors import ConflictError
from postroom.runtime.killpoints import reach

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700


def fsync_directory(directory: Path) -> None:
    """Make names that were added to or removed from `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> Path:
    """Make a directory and those above it that are missing; their names survive a power cut."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    for path in missing:
        fsync_directory(path.parent)
    return directory


def write_file(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` durably: whoever reads it finds the old content or the new one, never a part."""
    temporary = _write_temporary(path, data, mode)
    try:
        reach("files.before_rename")
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    reach("files.after_rename")
    fsync_directory(path.parent)


def create_file(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> bytes:
    """Create `path` durably unless it is there already. Returns what it holds: of two creators one wins."""
    temporary = _write_temporary(path, data, mode)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        temporary.unlink()
    fsync_directory(path.parent)
    return data


def _write_temporary(path: Path, data: bytes, mode: int) -> Path:
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask says
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises ConflictError that names the holder's process id."""
        make_directory(directory)
        self._descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise ConflictError(
                f"{directory} is in use by another postroom (process {holder}). "
                "Stop that one, or choose another data directory with --data."
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        # The file stays: removing it would let two processes hold locks on two files of one name.
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def __enter__(self) -> DirectoryLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
