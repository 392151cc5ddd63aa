"""runtime/files.py"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.errors import ConflictError
from postroom.runtime import files
from postroom.runtime.files import DirectoryLock, create_file, write_file


def test_write_replaces_with_the_mode_whatever_the_umask(tmp_path):
    path = tmp_path / "new" / "file"
    before = os.umask(0o077)
    try:
        write_file(path, b"one", mode=0o644)
        write_file(path, b"two", mode=0o644)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_write_is_private_by_default(tmp_path):
    write_file(tmp_path / "file", b"one")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_create_keeps_what_is_there(tmp_path):
    assert create_file(tmp_path / "file", b"one") == b"one"
    assert create_file(tmp_path / "file", b"two") == b"one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_q04_a_fault_of_the_disk_leaves_the_old_content(tmp_path, monkeypatch, step):
    write_file(tmp_path / "file", b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync" if step == "fsync" else "pathlib.Path.rename", full)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_second_process_is_told_who_holds_the_directory(tmp_path):
    script = (
        "import sys; from pathlib import Path; from postroom.errors import ConflictError\n"
        "from postroom.runtime.files import DirectoryLock\n"
        "try: DirectoryLock(Path(sys.argv[1]))\n"
        "except ConflictError as error: print(error)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    with DirectoryLock(tmp_path):
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert f"process {os.getpid()}" in said
        assert "--data" in said


def test_the_lock_can_be_taken_again_after_release(tmp_path):
    lock = DirectoryLock(tmp_path / "data")
    with pytest.raises(ConflictError):
        DirectoryLock(tmp_path / "data")
    lock.release()
    lock.release()
    DirectoryLock(tmp_path / "data").release()


def test_q03_a_directory_is_made_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "fsync_directory", synced.append)
    wanted = tmp_path / "one" / "two"
    assert files.make_directory(wanted) == wanted
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o700
    assert set(synced) == {tmp_path, tmp_path / "one"}
    synced.clear()
    files.make_directory(wanted)
    assert synced == []
