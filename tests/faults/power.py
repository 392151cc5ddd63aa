"""Cut the power at every point of a recorded run, in every way that is legal, and look what is left (Q03).

A relay on SQLite takes small and large messages while strace writes down what it does to its files. Then each point
is replayed into a scratch directory; the database is opened as a start would open it, and every message that had been
acknowledged up to there has to be whole.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from faults import disk
from faults.disk import Disk
from faults.ledger.provoke import is_whole
from faults.traced import BODY, SENDS, answers, connected, messages
from postroom.store import migrate
from postroom.store.database import Database
from support.process import starting
from support.strace import calls, from_the_start, recording
from support.waiting import until
from support.world import World

LARGE = "0123456789abcdef\r\n" * 20_000  # 360 KB: beyond `submission.spool_above`
STATUSES = "('delivered', 'bounced', 'expired')"


@dataclass(frozen=True)
class Acknowledged:
    """`line` is where its answer began to leave."""

    id: str
    line: int
    body: bytes


@dataclass
class Recording:
    disk: Disk
    acknowledged: list[Acknowledged]


def record(directory: Path, rounds: int) -> Recording:
    """Each round is two small messages and a large one; between rounds there is time for a checkpoint."""
    log, before = directory / "trace", directory / "before"
    with starting(directory / "data", "--first-run") as relay:
        tenant = World.of(relay.data).tenant("app.test")
        with connected(relay, tenant) as client:
            time.sleep(1)  # what the first messages left to do is done, and checkpointed
            os.kill(
                relay.process.pid, signal.SIGSTOP
            )  # so that nothing changes between the copy and the first call
            shutil.copytree(relay.data, before)
            with recording(log, [relay.process.pid], f"{disk.CALLS},{','.join(SENDS)}"):
                os.kill(relay.process.pid, signal.SIGCONT)
                sent: list[tuple[str, str]] = []
                for _ in range(rounds):
                    sent += [(one, BODY) for one in messages(client, tenant, 2)]
                    sent += [(one, LARGE) for one in messages(client, tenant, 1, LARGE)]
                    time.sleep(0.7)
            trace = calls(log)
            lines = [answer.began for answer in answers(trace, client)]
        relay.stop()
    acknowledged = [
        Acknowledged(id, line, body.encode()) for (id, body), line in zip(sent, lines, strict=True)
    ]
    return Recording(Disk.of(before, relay.data, trace), acknowledged)


def lost(recording: Recording, cut: int, scratch: Path, keep: Callable[[int], int]) -> list[str]:
    """What is wrong after a power cut at this line. `scratch` must not exist; it stays for whoever wants to look."""
    recording.disk.leave(cut, scratch, keep)
    path = scratch / "postroom.db"
    said = asyncio.run(_recover(f"sqlite:///{path}"))
    expected = [message for message in recording.acknowledged if message.line <= cut]
    with sqlite3.connect(path) as database:
        (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            said.append(f"the database is damaged: {verdict}")
        for message in expected:
            said += _missing(database, message, scratch / "blobs")
        (orphans,) = database.execute(
            "SELECT count(*) FROM messages m LEFT JOIN contents c ON c.account_id = m.account_id AND c.id = m.id "
            "WHERE c.id IS NULL AND m.blob = '' AND NOT m.content_gone"
        ).fetchone()
        if orphans:
            said.append(f"{orphans} messages have no content")
    database.close()
    return said


async def _recover(url: str) -> list[str]:
    """As a start does it."""
    database = await Database.open(url)
    try:
        applied = await migrate.upgrade(database)
    finally:
        await database.close()
    return [f"the tables were gone: {applied}"] if applied else []


def _missing(database: sqlite3.Connection, message: Acknowledged, blobs: Path) -> list[str]:
    row = database.execute("SELECT account_id, blob FROM messages WHERE id = ?", (message.id,)).fetchone()
    if row is None:
        return [f"{message.id} was acknowledged and is lost"]
    account_id, blob = row
    if blob:
        path = blobs / blob[:2] / blob[2:4] / blob
        content = path.read_bytes() if path.exists() else b""
    else:
        (data,) = database.execute(
            "SELECT data FROM contents WHERE account_id = ? AND id = ?", (account_id, message.id)
        ).fetchone()
        content = zstandard.decompress(data)
    said = [] if content.endswith(b"\r\n\r\n" + message.body) else [f"{message.id} has lost its content"]
    left = database.execute(
        "SELECT count(*) FROM emails e LEFT JOIN queue q ON q.account_id = e.account_id AND q.email_id = e.id "
        f"WHERE e.message_id = ? AND (q.email_id IS NOT NULL OR e.status IN {STATUSES})",
        (message.id,),
    ).fetchone()[0]
    return said if left == 1 else [*said, f"{message.id} has {left} recipients that are queued or final"]


def starts(scratch: Path, expected: Sequence[Acknowledged]) -> list[str]:
    """Start a relay on what is left: it has to come up, and to bring everything acknowledged to its end."""
    with starting(scratch) as relay:
        world = World.of(scratch)

        def open_ones() -> list[str]:
            stories = [world.story(message.id) for message in expected]
            return [story.message.id for story in stories if story.emails[0].email.status != "delivered"]

        try:
            until(lambda: not open_ones(), 15)
        except AssertionError:
            return [f"{one} was not delivered after the restart" for one in open_ones()]
        finally:
            relay.stop()
    return []


# -- the first run ------------------------------------------------------------------------------------------------


@dataclass
class FirstRun:
    """`shown` is the line at which the card was there for people to read, `login` what it says."""

    disk: Disk
    shown: int
    login: tuple[str, ...]


def record_first_run(directory: Path, url: str = "") -> FirstRun:
    """From nothing: the tables are made, keys, certificates, and the card. `url` is an empty PostgreSQL database: then
    only the relay's own files are recorded."""
    log, before, root = directory / "trace", directory / "before", directory / "root"
    before.mkdir()
    root.mkdir()
    with (
        from_the_start(log, disk.CALLS) as launch,
        starting(
            root / "data", "--first-run", settings={"POSTROOM_DATABASE__URL": url}, launch=launch
        ) as relay,
    ):
        login = is_whole(relay, World(url, relay.data) if url else World.of(relay.data))
        relay.kill()
    trace = calls(log)
    shown = next(
        call.began for call in trace if b"--auth-password" in call.data and call.file.endswith(".log")
    )
    return FirstRun(Disk.of(before, root, trace), shown, login)


def begins_again(first: FirstRun, cut: int, scratch: Path, keep: Callable[[int], int]) -> list[str]:
    """What is wrong when the first run is started again after a power cut at this line."""
    first.disk.leave(cut, scratch, keep)
    try:
        with starting(scratch / "data", "--first-run") as relay:
            login = is_whole(relay, World.of(relay.data))
            relay.stop()
    except (Exception, pytest.fail.Exception) as error:
        return [f"{type(error).__name__}: {error}"]
    return (
        ["the card that was shown is not true any more"] if cut > first.shown and login != first.login else []
    )


# -- all of it ---------------------------------------------------------------------------------------------------

ROUNDS = 4
EVERY = 5
"""One point in so many of a first run is tried; each takes a start."""
MEMORY = Path("/dev/shm")
"""Replays need no disk: what they sync is thrown away."""


def every_cut(say: Callable[[str], None]) -> list[str]:
    """Every point of a recorded run, in four ways each, and a start after each answer; every few points of a first run,
    with a start each. What is wrong."""
    said: list[str] = []
    with (
        tempfile.TemporaryDirectory() as directory,
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratches,
    ):
        recording = record(Path(directory), ROUNDS)
        cuts = list(recording.disk.cuts())
        for cut in cuts:
            said += _in_every_way(recording, cut, Path(scratches) / "scratch")
        for number, message in enumerate(recording.acknowledged):
            scratch = Path(scratches) / f"start-{number}"
            recording.disk.leave(message.line, scratch, disk.nothing)
            said += starts(scratch, recording.acknowledged[: number + 1])
    say(f"power: {len(cuts)} points x 4 ways, {len(recording.acknowledged)} starts, {len(said)} violations")
    return said + _first_run_cuts(say)


def _first_run_cuts(say: Callable[[str], None]) -> list[str]:
    said: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        first = record_first_run(Path(directory))
        cuts = list(first.disk.cuts())[::EVERY]
        for cut in cuts:
            for name, keep in (("none", disk.nothing), ("some", disk.anything(cut))):
                scratch = Path(directory) / "scratch"
                wrong = begins_again(first, cut, scratch, keep)
                said += [f"power cut at line {cut} of a first run, {name} kept: {one}" for one in wrong]
                shutil.rmtree(scratch)
    say(f"power: {len(cuts)} points of a first run x 2 ways, {len(said)} violations")
    return said


def _in_every_way(recording: Recording, cut: int, scratch: Path) -> list[str]:
    said: list[str] = []
    ways = (("none", disk.nothing), ("all", disk.everything), ("some", disk.anything(cut)))
    for name, keep in (*ways, ("others", disk.anything(-cut))):
        wrong = lost(recording, cut, scratch, keep)
        said += [f"power cut at line {cut}, {name} of what was not synced is kept: {one}" for one in wrong]
        shutil.rmtree(scratch)
    return said
