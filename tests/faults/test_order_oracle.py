"""Q02: the bytes `250` leave only after the fsync that covers the commit. SIGKILL cannot show that; system calls do.

The answer travels inside TLS, so it is known by its place (`faults.traced`). What is written and what is synced is
known by the message id, which lies plainly in the pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from faults.traced import SENDS, SYNCS, answers, connected, messages
from support.postgres import PostgresServer
from support.process import starting
from support.strace import Call, calls, children, recording
from support.world import World

CALLS = "write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,fsync,fdatasync"
WRITES = ("pwrite64", "pwritev", "pwritev2", "write")
RENAMES = ("rename", "renameat", "renameat2")
MESSAGES = 5
LARGE = "0123456789abcdef\r\n" * 20_000  # beyond `submission.spool_above`


def unproven(trace: Sequence[Call], answer: Call, message_id: str, log: str, commit: int = -1) -> str:
    """Why it is not shown that this message was durable before its answer left; "" if it is.

    `log` is a part of the path of the database's log. The id has to be written to it, and a sync of it has to begin
    after that (and after line `commit`, where the COMMIT was sent) and to end before the answer begins. Later
    transactions write pages with the same id, too; so it is the first write that counts.
    """
    first = next(
        (
            call
            for call in sorted(trace, key=lambda call: call.began)
            if call.name in WRITES and log in call.file and message_id.encode() in call.data
        ),
        None,
    )
    if first is None or first.began > answer.began:
        return f"{message_id} was not written to the log before its answer"
    for call in trace:
        synced = call.name in SYNCS and log in call.file and call.result == 0
        # SQLite: by the thread that wrote, after its last write. PostgreSQL: by whoever commits or writes the log.
        if synced and call.began > max(first.ended, commit) and (commit >= 0 or call.pid == first.pid):
            return (
                "" if call.ended < answer.began else f"the commit of {message_id} was synced after its answer"
            )
    return f"no sync of the log after the commit of {message_id}"


def test_q02_sqlite_syncs_its_log_before_the_250(tmp_path: Path) -> None:
    log = tmp_path / "trace"
    with starting(tmp_path / "data", "--first-run") as relay:
        tenant = World.of(relay.data).tenant("app.test")
        with connected(relay, tenant) as client:
            with recording(log, [relay.process.pid], CALLS):
                ids = messages(client, tenant, MESSAGES)
            trace = calls(log)
            found = answers(trace, client)
        assert relay.stop() == 0
    assert len(found) == MESSAGES
    for answer, message_id in zip(found, ids, strict=True):
        assert unproven(trace, answer, message_id, "postroom.db-wal") == ""
        without = [call for call in trace if call.name not in SYNCS]
        assert unproven(without, answer, message_id, "postroom.db-wal") != "", "the oracle would not see it"
        early = Call(answer.pid, answer.name, answer.args, answer.result, 0, 0)
        assert unproven(trace, early, message_id, "postroom.db-wal") != "", "the oracle would not see it"


def test_q02_postgresql_syncs_its_log_between_commit_and_250(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "trace"
    settings = {"POSTROOM_DATABASE__URL": postgres_url}
    with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
        tenant = World(postgres_url, relay.data).tenant("app.test")
        with connected(relay, tenant) as client:
            server = postmaster(postgres_server.port)
            with recording(log, [relay.process.pid, server, *children(server)], CALLS):
                ids = messages(client, tenant, MESSAGES)
            trace = calls(log)
            found = answers(trace, client)
        assert relay.stop() == 0
    assert len(found) == MESSAGES
    for answer, message_id in zip(found, ids, strict=True):
        commit = commit_of(trace, message_id, postgres_server.port)
        assert commit.began < answer.began
        assert unproven(trace, answer, message_id, "/pg_wal/", commit.began) == ""
        without = [call for call in trace if call.name not in SYNCS]
        assert unproven(without, answer, message_id, "/pg_wal/", commit.began) != "", (
            "the oracle would not see it"
        )


def test_q03_postgresql_hears_of_large_content_only_once_it_is_on_disk(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    """File, name, commit, in that order: else a power cut leaves a row without its body. (On SQLite the replay of power
    cuts shows it.)"""
    log = tmp_path / "trace"
    settings = {"POSTROOM_DATABASE__URL": postgres_url}
    with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
        tenant = World(postgres_url, relay.data).tenant("app.test")
        with connected(relay, tenant) as client:
            with recording(log, [relay.process.pid], f"{CALLS},{','.join(RENAMES)}"):
                (message_id,) = messages(client, tenant, 1, LARGE)
            trace = calls(log)
        assert relay.stop() == 0
    commit = commit_of(trace, message_id, postgres_server.port)
    assert uncovered(trace, commit) == ""
    file, *directories = [call for call in trace if call.name in SYNCS and "/blobs" in call.file]
    for forgotten in ([file], directories):
        left = [call for call in trace if call not in forgotten]
        assert uncovered(left, commit) != "", "the oracle would not see it"


def uncovered(trace: Sequence[Call], commit: Call) -> str:
    """Why it is not shown that the blob was on disk, and its name, before the commit was sent; "" if it is."""
    (rename,) = [call for call in trace if call.name in RENAMES and b"/blobs/" in call.data]
    temporary, blob = (text.decode() for text in rename.strings)

    def synced(path: str, after: int, before: int) -> bool:
        return any(
            call.name in SYNCS and call.file == path and call.began > after and call.ended < before
            for call in trace
        )

    written = max(call.ended for call in trace if call.name in WRITES and call.file == temporary)
    if not synced(temporary, written, rename.began):
        return "the file was not synced before it got its name"
    if not synced(str(Path(blob).parent), rename.ended, commit.began):
        return "the name was not synced before the commit"
    return ""


def commit_of(trace: Sequence[Call], message_id: str, port: int) -> Call:
    """The relay's COMMIT on the connection on which it had sent this message."""
    sent = [call for call in trace if call.name in SENDS and f"->127.0.0.1:{port}]" in call.file]
    copied = next(call for call in sent if message_id.encode() in call.data)
    return next(
        call
        for call in sent
        if call.file == copied.file and call.began > copied.began and b"COMMIT" in call.data
    )


def postmaster(port: int) -> int:
    """The process of the server that listens on this port."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        words = command.read_bytes().split(b"\0")
        if b"-p" in words and str(port).encode() in words and words[0].endswith(b"/postgres"):
            return int(command.parent.name)
    raise AssertionError(f"no PostgreSQL on port {port}")
