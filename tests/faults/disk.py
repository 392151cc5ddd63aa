"""A disk that may forget: what a power cut can leave behind, given the system calls up to it (Q03).

What was synced is there. Of everything else any part may be: writes to a file in any combination, the last one torn;
names (files made, renamed, removed) in the order in which they were made, up to any of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.strace import Call

CALLS = (
    "openat,write,pwrite64,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,mkdir,mkdirat,fallocate"
)
SECTOR = 512
FORGOTTEN = ("-shm",)
"""SQLite makes this file anew; nothing in it is ever synced."""


@dataclass(slots=True, eq=False)
class File:
    """`base` is what it held before the recording."""

    base: bytes = b""
    size: int = 0


@dataclass(slots=True, eq=False)
class Change:
    """To a file (`data` at `offset`, or a new `size`) or to a name (`path` is `file`, a directory, or gone: None)."""

    began: int
    ended: int
    file: File | None = None
    offset: int = 0
    data: bytes | None = None
    size: int = -1
    path: str = ""
    directory: bool = False

    @property
    def of_name(self) -> bool:
        return bool(self.path)


@dataclass(slots=True)
class Sync:
    began: int
    ended: int
    file: File | None
    directory: str


@dataclass
class Disk:
    """`record` the calls, then `leave` what a cut at some line may leave."""

    root: str
    names: dict[str, File | None] = field(default_factory=dict)
    base: dict[str, File | None] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    syncs: list[Sync] = field(default_factory=list)

    @classmethod
    def of(cls, before: Path, root: Path, calls: Sequence[Call]) -> Disk:
        """`before` is a copy of `root` from before the first call; it counts as synced."""
        disk = cls(str(root))
        for path in sorted(before.rglob("*")):
            name = str(root / path.relative_to(before))
            content = path.read_bytes() if path.is_file() else b""
            disk.base[name] = File(content, len(content)) if path.is_file() else None
        disk.names = dict(disk.base)
        for call in calls:
            if call.result >= 0:
                disk._record(call)
        return disk

    # -- recording -------------------------------------------------------------------------------------------------

    def _record(self, call: Call) -> None:
        if call.name == "openat":
            self._opened(call)
        elif call.name in ("fsync", "fdatasync"):
            self.syncs.append(Sync(call.began, call.ended, self.names.get(call.file), call.file))
        elif call.name in ("write", "pwrite64", "pwritev", "ftruncate", "fallocate"):
            file = self.names.get(call.file)
            if file is not None:
                self._changed(call, file)
        elif self._ours(paths := [text.decode() for text in call.strings]):
            self._named(call, paths)

    def _ours(self, paths: Sequence[str]) -> bool:
        return all(path.startswith(self.root) for path in paths)

    def _opened(self, call: Call) -> None:
        path = call.opened
        if not self._ours([path]) or path.endswith(FORGOTTEN):
            return
        if "O_CREAT" in call.args and path not in self.names:
            self._name(call, path, File())
        file = self.names.get(path)
        if "O_TRUNC" in call.args and file is not None and file.size:
            self.changes.append(Change(call.began, call.ended, file, size=0))
            file.size = 0

    def _changed(self, call: Call, file: File) -> None:
        if call.name == "ftruncate":
            self.changes.append(Change(call.began, call.ended, file, size=call.numbers[-1]))
            file.size = call.numbers[-1]
            return
        assert call.name != "fallocate", "teach the model what this does"
        offset = file.size if call.name == "write" else call.numbers[-1]
        data = call.data[: call.result]
        self.changes.append(Change(call.began, call.ended, file, offset, data))
        file.size = max(file.size, offset + len(data))

    def _named(self, call: Call, paths: Sequence[str]) -> None:
        if call.name.startswith("mkdir"):
            self._name(call, paths[0], None, directory=True)
        elif call.name.startswith("unlink"):
            self._name(call, paths[0], None)
        else:
            assert call.name.startswith(("rename", "link")), call.name
            self._name(call, paths[1], self.names[paths[0]])
            if call.name.startswith("rename"):
                self._name(call, paths[0], None)

    def _name(self, call: Call, path: str, file: File | None, *, directory: bool = False) -> None:
        self.changes.append(Change(call.began, call.ended, file, path=path, directory=directory))
        if file is None and not directory:
            self.names.pop(path, None)
        else:
            self.names[path] = file

    # -- forgetting ------------------------------------------------------------------------------------------------

    def leave(self, cut: int, where: Path, keep: Callable[[int], int]) -> None:
        """Write to `where` what a power cut at line `cut` may leave. `keep` is asked for a number up to the given
        one: how many of the names that were not synced are kept, and of each unsynced write whether (1) or not (0)."""
        seen = [change for change in self.changes if change.began <= cut]
        synced = {id(change) for change in seen if self._synced(change, cut)}
        loose = [change for change in seen if change.of_name and id(change) not in synced]
        lost_names = {id(change) for change in loose[keep(len(loose)) :]}
        names = dict(self.base)
        for change in seen:
            if change.of_name and id(change) not in lost_names:
                if change.file is None and not change.directory:
                    names.pop(change.path, None)
                else:
                    names[change.path] = change.file
        contents = {id(file): bytearray(file.base) for file in names.values() if file is not None}
        last = seen[-1] if seen else None
        for change in seen:
            content = contents.get(id(change.file))
            if content is not None and not change.of_name and (id(change) in synced or keep(1)):
                _apply(content, change, torn=change is last and id(change) not in synced and bool(keep(1)))
        _write(where, Path(self.root), names, contents)

    def _synced(self, change: Change, cut: int) -> bool:
        """Whether a sync of the file, or of the directory the name is in, began after it and ended before the cut."""
        directory = os.path.dirname(change.path)
        return any(
            sync.began > change.ended
            and sync.ended <= cut
            and (sync.directory == directory if change.of_name else sync.file is change.file)
            for sync in self.syncs
        )

    def cuts(self) -> Iterator[int]:
        """The lines at which something may be different from the line before."""
        yield from sorted({line for one in (*self.changes, *self.syncs) for line in (one.began, one.ended)})


def _apply(content: bytearray, change: Change, *, torn: bool) -> None:
    if change.data is None:
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    data = change.data[: len(change.data) // 2 // SECTOR * SECTOR] if torn else change.data
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(data)] = data


def _write(where: Path, root: Path, names: dict[str, File | None], contents: dict[int, bytearray]) -> None:
    where.mkdir()
    for name, file in sorted(names.items()):
        path = where / Path(name).relative_to(root)
        if file is None:
            if path.parent.is_dir():  # a directory in one that was lost is lost
                path.mkdir(exist_ok=True)
        elif path.parent.is_dir():
            path.write_bytes(contents[id(file)])


def nothing(_: int) -> int:
    """What is not synced is gone."""
    return 0


def everything(most: int) -> int:
    """Nothing is gone."""
    return most


def anything(seed: int) -> Callable[[int], int]:
    chance = random.Random(seed)
    return lambda most: chance.randint(0, most)
