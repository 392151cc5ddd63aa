"""Q03: after a power cut at any point everything acknowledged is there, whole. A selection; `make faults` tries all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import disk
from faults.power import FirstRun, Recording, begins_again, lost, record, record_first_run, starts
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


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    return record_first_run(tmp_path_factory.mktemp("first"))


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_q03_a_first_run_that_lost_its_power_is_made_whole_by_the_next(
    first_run: FirstRun, part: float, tmp_path: Path
) -> None:
    """Tables half made, keys without certificates: the card is true, and nothing is there twice."""
    lines = list(first_run.disk.cuts())
    cut = lines[int(part * len(lines))]
    assert begins_again(first_run, cut, tmp_path / "left", disk.anything(cut)) == []


def test_q03_what_a_first_run_has_shown_outlives_a_power_cut(
    first_run: FirstRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = first_run.shown + 1
    assert begins_again(first_run, cut, tmp_path / "left", disk.nothing) == []
    monkeypatch.setattr(first_run.disk, "syncs", [])
    (said,) = begins_again(first_run, cut, tmp_path / "not synced", disk.nothing)
    assert "not true any more" in said, "the replay would not see it"


def test_q03_the_key_to_what_is_in_postgresql_outlives_a_power_cut(tmp_path: Path, postgres_url: str) -> None:
    """With it everything that is encrypted in the database would be lost."""
    first = record_first_run(tmp_path, postgres_url)
    first.disk.leave(first.shown, tmp_path / "left", disk.nothing)
    key = (tmp_path / "root" / "data" / "secret.key").read_bytes()
    assert (tmp_path / "left" / "data" / "secret.key").read_bytes() == key


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
