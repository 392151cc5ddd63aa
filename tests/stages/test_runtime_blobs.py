"""runtime/blobs.py: both stores keep the same promise; the file store keeps it on a disk that fails."""

import asyncio
import os
import time

import pytest

from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import CHUNK, BlobMissingError, FileBlobs, MemoryBlobs
from postroom.runtime.clock import FakeClock

DAY = 86400
CONTENT = bytes(range(256)) * 2500  # 640 KB: several buffers and a rest


@pytest.fixture
def clock():
    return FakeClock(int(time.time() * 1000))


@pytest.fixture
def files(tmp_path, clock):
    return FileBlobs(tmp_path / "blobs", clock)


@pytest.fixture(params=["files", "memory"])
def blobs(request, files, clock):
    return files if request.param == "files" else MemoryBlobs(clock)


async def keep_nothing(keys):
    return set()


async def stored(blobs, content=CONTENT, step=50_000):
    writer = blobs.writer()
    for at in range(0, len(content), step):
        await writer.write(content[at : at + step])
    assert writer.size == len(content)
    return await writer.commit()


def left(blobs):
    """Every file of a file store."""
    return [path for path in blobs._directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, b"y" * 256 * 1024])
async def test_what_is_committed_is_read_back(blobs, content):
    key = await stored(blobs, content)
    chunks = [chunk async for chunk in blobs.read(key)]
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks)


async def test_reading_from_an_offset(blobs):
    key = await stored(blobs)
    assert b"".join([chunk async for chunk in blobs.read(key, 100_001)]) == CONTENT[100_001:]
    with blobs.open(key, 5) as file:
        assert file.read(3) == CONTENT[5:8]


async def test_a_reader_may_leave_early(blobs):
    reader = blobs.read(await stored(blobs))
    await anext(reader)
    await reader.aclose()


async def test_deleting_twice_is_harmless_and_reading_after_is_an_error(blobs):
    key = await stored(blobs)
    await blobs.delete(key)
    await blobs.delete(key)
    with pytest.raises(BlobMissingError):
        blobs.open(key)
    with pytest.raises(StorageUnavailableError):
        await anext(blobs.read(key))


async def test_abort_leaves_nothing_and_ends_the_writer(blobs):
    writer = blobs.writer()
    await writer.write(CONTENT)
    await writer.abort()
    await writer.abort()
    with pytest.raises(StorageUnavailableError):
        await writer.commit()
    assert await blobs.sweep(-DAY, keep_nothing) == 0


async def test_abort_after_commit_keeps_the_content(blobs):
    writer = blobs.writer()
    await writer.write(b"kept")
    key = await writer.commit()
    await writer.abort()
    assert [chunk async for chunk in blobs.read(key)] == [b"kept"]


async def test_q03_sweep_deletes_what_has_no_row_after_a_day(blobs, clock):
    named, garbage = await stored(blobs, b"named"), await stored(blobs, b"garbage")

    async def keep(keys):
        assert set(keys) == {named, garbage}
        return {named}

    assert await blobs.sweep(DAY, keep) == 0
    clock.advance(DAY + 10)
    assert await blobs.sweep(DAY, keep) == 1
    assert blobs.open(named).read() == b"named"
    with pytest.raises(BlobMissingError):
        blobs.open(garbage)


async def test_q03_sweep_deletes_left_over_spools(files, clock):
    writer = files.writer()
    await writer.write(CONTENT)
    assert len(left(files)) == 1
    clock.advance(DAY + 10)
    assert await files.sweep(DAY, keep_nothing) == 1
    assert left(files) == []
    with pytest.raises(StorageUnavailableError):
        await writer.commit()


async def test_q07_sweep_spares_fresh_content_when_the_wall_clock_leaps(files, clock):
    key = await stored(files)
    clock.jump(10 * DAY)
    assert await files.sweep(DAY, keep_nothing) == 0
    clock.advance(3700)
    assert await files.sweep(DAY, keep_nothing) == 1
    assert not files.path(key).exists()


async def test_sweeping_an_empty_store(blobs):
    assert await blobs.sweep(DAY, keep_nothing) == 0


async def test_q03_file_then_rename_then_directories(files, monkeypatch):
    steps = []
    fsync, rename = os.fsync, type(files._directory).rename

    def seen_fsync(descriptor):
        steps.append(("fsync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def seen_rename(path, target):
        steps.append(("rename", str(target)))
        return rename(path, target)

    monkeypatch.setattr("os.fsync", seen_fsync)
    monkeypatch.setattr("pathlib.Path.rename", seen_rename)
    key = await stored(files)
    path = files.path(key)
    assert steps == [
        ("fsync", str(files.spool(key))),
        ("rename", str(path)),
        ("fsync", str(path.parent)),
        ("fsync", str(path.parent.parent)),
        ("fsync", str(files._directory)),
    ]
    assert path.parts[-3:] == (key[:2], key[2:4], key)
    assert path.stat().st_mode & 0o777 == 0o600


def _failing(number, error):
    """os.fsync that fails at its n-th call, counting from 1."""
    fsync, calls = os.fsync, []

    def fail(descriptor):
        calls.append(descriptor)
        if len(calls) == number:
            raise error
        fsync(descriptor)

    return fail


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_q05_any_failed_fsync_refuses_and_leaves_nothing(files, monkeypatch, number):
    monkeypatch.setattr("os.fsync", _failing(number, OSError(5, "Input/output error")))
    writer = files.writer()
    await writer.write(CONTENT)
    with pytest.raises(StorageUnavailableError, match="Input/output error"):
        await writer.commit()
    assert left(files) == []
    with pytest.raises(StorageUnavailableError):
        await writer.commit()


@pytest.mark.parametrize("call", ["os.open", "pathlib.Path.rename", "pathlib.Path.mkdir"])
async def test_q04_a_full_disk_refuses_and_leaves_nothing(files, monkeypatch, call):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(call, full)
        with pytest.raises(StorageUnavailableError):
            await stored(files)
    assert left(files) == []
    await stored(files)


async def test_q04_a_disk_that_fills_up_while_writing(files):
    writer = files.writer()
    await writer.write(CONTENT)
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), writer._file.fileno())
    with pytest.raises(StorageUnavailableError, match="No space"):
        await writer.write(CONTENT)
    assert left(files) == []


async def test_a_cancelled_write_can_be_aborted(files):
    writer = files.writer()
    task = asyncio.create_task(writer.write(CONTENT))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await writer.abort()
    assert left(files) == []
