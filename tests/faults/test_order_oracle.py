"""Q02: the bytes `250`, or `202`, leave only after the fsync that covers the commit. SIGKILL cannot show that; system
calls do.

By SMTP the answer travels inside TLS, so it is known by its place (`faults.traced`). What is written and what is synced
is known by the id of the message or of the batch, which lies plainly in the pages.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from faults.traced import BODY, SENDS, SYNCS, answers, connected, messages
from support.postgres import PostgresServer
from support.process import Relay, starting
from support.strace import Call, calls, children, recording
from support.world import Tenant, World

CALLS = "write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2"
WRITES = ("pwrite64", "pwritev", "pwritev2", "write")
RENAMES = ("rename", "renameat", "renameat2")
LARGE = "0123456789abcdef\r\n" * 20_000  # beyond `submission.spool_above`
NOISE = b64encode(Random(1).randbytes(400_000)).decode()  # beyond it also when it is compressed


@dataclass
class Scene:
    """A relay and a client that is connected. `log` is a part of the path of the database's log, `server` the port of
    PostgreSQL, 0 on SQLite."""

    relay: Relay
    tenant: Tenant
    token: str
    client: Any
    log: str
    server: int

    @property
    def processes(self) -> list[int]:
        """Those that write."""
        if not self.server:
            return [self.relay.process.pid]
        of_server = postmaster(self.server)
        return [self.relay.process.pid, of_server, *children(of_server)]

    def post(self, path: str, body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.relay.addresses['http']['port']}/v1/{path}"
        answer = httpx.post(url, json=body, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        return answer

    def email(self, **more: Any) -> dict[str, Any]:
        domain = self.tenant.domain
        to = [{"email": f"you@{domain}"}]
        return {"from": {"email": f"app@{domain}"}, "to": to, "subject": "Hi", "text": "hi", **more}


def by_smtp(body: str) -> Callable[[Scene], str]:
    def send(scene: Scene) -> str:
        (message_id,) = messages(scene.client, scene.tenant, 1, body)
        return message_id

    return send


def by_email(**more: Any) -> Callable[[Scene], str]:
    return lambda scene: scene.post("email", scene.email(**more)).headers["x-message-id"]


def by_bulk(**more: Any) -> Callable[[Scene], str]:
    return lambda scene: scene.post("bulk-email", [scene.email(**more)] * 2).json()["bulk_email_id"]


ATTACHED = {"attachments": [{"content": NOISE, "filename": "noise.txt"}]}
SMALL: dict[str, Callable[[Scene], str]] = {
    "SMTP": by_smtp(BODY),
    "email": by_email(),
    "bulk": by_bulk(),
}
LARGE_ONES: dict[str, Callable[[Scene], str]] = {
    "large SMTP": by_smtp(LARGE),
    "large email": by_email(**ATTACHED),
    "large bulk": by_bulk(**ATTACHED),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        data, url, log, port = tmp_path_factory.mktemp("order") / "data", "", "postroom.db-wal", 0
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url, log, port = stack.enter_context(server.fresh()), "/pg_wal/", server.port
        relay = stack.enter_context(starting(data, "--first-run", settings={"POSTROOM_DATABASE__URL": url}))
        world = World(url, data) if url else World.of(data)
        tenant = world.tenant("app.test")
        client = connected(relay, tenant)
        made = Scene(relay, tenant, world.token(tenant), client, log, port)
        SMALL["email"](made)  # the connections to the database that the API needs are made
        yield made
        client.close()


def unproven(trace: Sequence[Call], answer: Call, message_id: str, log: str, commit: int = -1) -> str:
    """Why it is not shown that this message was durable before its answer left; "" if it is.

    `log` is a part of the path of the database's log. The id has to be written to it, and a sync of it has to begin
    after that (and after line `commit`, where the COMMIT was sent) and to end before the answer begins. Later
    transactions write pages with the same id, too; so it is the first write that counts.
    """
    first = first_write(trace, message_id, log)
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


def first_write(trace: Sequence[Call], message_id: str, log: str) -> Call | None:
    """Of a page with this id to the database's log."""
    return next(
        (
            call
            for call in sorted(trace, key=lambda call: call.began)
            if call.name in WRITES and log in call.file and message_id.encode() in call.data
        ),
        None,
    )


@pytest.mark.parametrize("way", [*SMALL, *LARGE_ONES])
def test_q02_the_answer_leaves_after_the_sync_of_the_commit(scene: Scene, way: str, tmp_path: Path) -> None:
    """Large content lies in a file of its own: file, name, commit, in that order; else a power cut leaves a row without
    its body (Q03)."""
    send = (SMALL | LARGE_ONES)[way]
    trace, kept = recorded(scene, send, tmp_path / "trace")
    answer = answers(trace, scene.client)[-1] if "SMTP" in way else answer_202(trace)
    commit = commit_of(trace, kept, scene.server).began if scene.server else -1
    assert commit < answer.began
    assert unproven(trace, answer, kept, scene.log, commit) == ""
    without = [call for call in trace if call.name not in SYNCS]
    assert unproven(without, answer, kept, scene.log, commit) != "", "the oracle would not see it"
    early = Call(answer.pid, answer.name, answer.args, answer.result, 0, 0)
    assert unproven(trace, early, kept, scene.log, commit) != "", "the oracle would not see it"
    if way in LARGE_ONES:
        log = first_write(trace, kept, scene.log) if commit < 0 else commit_of(trace, kept, scene.server)
        assert log is not None
        before = [call for call in trace if call.ended < log.began]
        assert uncovered(before) == ""
        file, *directories = [call for call in before if call.name in SYNCS and "/blobs" in call.file]
        for forgotten in ([file], directories):
            left = [call for call in before if call not in forgotten]
            assert uncovered(left) != "", "the oracle would not see it"


def recorded(scene: Scene, send: Callable[[Scene], str], log: Path) -> tuple[list[Call], str]:
    """The calls while this was sent, and its id."""
    with recording(log, scene.processes, CALLS):
        kept = send(scene)
    return calls(log), kept


def answer_202(trace: Sequence[Call]) -> Call:
    """The write in which it began; plain HTTP can be read."""
    (answer,) = [call for call in trace if call.name in SENDS and b"HTTP/1.1 202" in call.data]
    return answer


def uncovered(before: Sequence[Call]) -> str:
    """Why it is not shown that the blob was on disk, and its name, `before` the commit; "" if it is."""
    renames = [call for call in before if call.name in RENAMES and b"/blobs/" in call.data]
    if len(renames) != 1:
        return f"{len(renames)} files got their names before the commit"
    (rename,) = renames
    temporary, blob = (text.decode() for text in rename.strings)

    def synced(path: str, after: int) -> list[int]:
        return [
            call.ended for call in before if call.name in SYNCS and call.file == path and call.began > after
        ]

    written = max(call.ended for call in before if call.name in WRITES and call.file == temporary)
    if not any(line < rename.began for line in synced(temporary, written)):
        return "the file was not synced before it got its name"
    if not synced(str(Path(blob).parent), rename.ended):
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
