"""Q03: after a power cut at any point everything acknowledged is there, whole. A selection; `make faults` tries all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import disk
from faults.power import Recording, lost, record, starts
from support.strace import Call

ROUNDS = 2
CUTS = 24
"""Points of a run that are tried, each in three ways."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    return record(tmp_path_factory.mktemp("power"), ROUNDS)


def cuts(recording: Recording) -> list[int]:
    """Just when an answer leaves, which is the worst moment, and some others evenly."""
    lines = list(recording.disk.cuts())
    others = lines[:: max(1, len(lines) // (CUTS - len(recording.acknowledged)))]
    return sorted({*(message.line for message in recording.acknowledged), *others, lines[-1]})


def test_q03_a_power_cut_loses_nothing_that_was_acknowledged(recording: Recording, tmp_path: Path) -> None:
    assert len(recording.acknowledged) == 3 * ROUNDS
    for cut in cuts(recording):
        for name, keep in (("none", disk.nothing), ("all", disk.everything), ("some", disk.anything(cut))):
            said = lost(recording, cut, tmp_path / f"{cut}-{name}", keep)
            assert said == [], f"cut at line {cut}, {name} of what was not synced is kept"


def test_q03_a_relay_starts_on_what_a_power_cut_left(recording: Recording, tmp_path: Path) -> None:
    last = recording.acknowledged[-1]
    recording.disk.leave(last.line, tmp_path / "data", disk.nothing)
    assert starts(tmp_path / "data", recording.acknowledged) == []


def test_the_replay_would_see_a_missing_fsync(recording: Recording, tmp_path: Path) -> None:
    """The same run on a disk that never syncs: the last message is lost."""
    syncs, recording.disk.syncs = recording.disk.syncs, []
    try:
        last = recording.acknowledged[-1]
        assert f"{last.id} was acknowledged and is lost" in lost(
            recording, last.line, tmp_path / "x", disk.nothing
        )
    finally:
        recording.disk.syncs = syncs


def test_the_model_forgets_what_it_may_and_keeps_what_it_must(tmp_path: Path) -> None:
    """A file written and renamed: without a sync of file and directory it may be empty, or not there."""
    (tmp_path / "before").mkdir()
    root = tmp_path / "root"

    def call(name: str, args: str, line: int, opened: str = "", result: int = 0) -> Call:
        return Call(1, name, args, result, line, line, opened)

    path, target = f"{root}/a", f"{root}/b"
    hexed = "".join(f"\\x{octet:02x}" for octet in b"data")
    names = ", ".join(
        '"' + "".join(f"\\x{octet:02x}" for octet in one.encode()) + '"' for one in (path, target)
    )
    trace = [
        call("openat", "O_CREAT", 1, path, 3),
        call("write", f'3<{path}>, "{hexed}", 4', 2, result=4),
        call("fsync", f"3<{path}>", 3),
        call("rename", names, 4),
        call("fsync", f"4<{root}>", 5),
    ]
    made = disk.Disk.of(tmp_path / "before", root, trace)

    def left(cut: int, keep) -> dict[str, bytes]:
        where = tmp_path / f"left-{cut}-{keep.__name__}"
        made.leave(cut, where, keep)
        return {path.name: path.read_bytes() for path in where.iterdir()}

    assert left(2, disk.nothing) == {}
    assert left(3, disk.everything) == {"a": b"data"}
    assert left(4, disk.nothing) == {}
    assert left(4, disk.everything) == left(5, disk.nothing) == {"b": b"data"}
