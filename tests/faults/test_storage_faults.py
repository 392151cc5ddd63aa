"""Q04 to Q06: the disk is full or broken, descriptors run out, writes are cut short. 4xx or 503, never 250 or 202, and it
recovers.

The faults are put into the system calls of a running relay (strace), or its limits are lowered (prlimit).
"""

from __future__ import annotations

import os
import random
import resource
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from faults.ledger import state
from faults.ledger.trial import trial
from support.net import small_internet
from support.process import Relay, starting
from support.strace import injecting
from support.tools import need, unavailable
from support.waiting import until
from support.world import Tenant, World

TRIES = 10
"""Until the one sync that fails is a message's."""
SMALL, LARGE = 100, 60_000  # lines: in the database, in a file of its own
FULL = 16 << 20
"""Octets of a disk that is full soon."""
SETTINGS = {
    "POSTROOM_DATABASE__TIMEOUT": "2s",
    "POSTROOM_DELIVERY__RETRY": '["100ms"]',
    "POSTROOM_API__BULK_PER_MINUTE": "0",
}


@dataclass
class Scene:
    relay: Relay
    world: World
    tenant: Tenant
    token: str = ""

    def post(self, path: str, subject: str, lines: int) -> int:
        """The status of the answer."""
        domain, text = self.tenant.domain, "hello"
        if lines == LARGE:  # also when it is compressed
            text = random.Random(1).randbytes(400_000).hex()
        to = [{"email": f"you@{domain}"}]
        email = {"from": {"email": f"app@{domain}"}, "to": to, "subject": subject, "text": text}
        url = f"http://127.0.0.1:{self.relay.addresses['http']['port']}/v1/{path}"
        body = [email] if path == "bulk-email" else email
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.post(url, json=body, headers=headers, timeout=60).status_code

    @contextmanager
    def client(self) -> Iterator[smtplib.SMTP]:
        """Logged in before anything goes wrong."""
        client = self.relay.smtp(*self.tenant.login)
        try:
            yield client
        finally:
            client.close()

    def send(self, client: smtplib.SMTP, subject: str, lines: int) -> tuple[int, str]:
        """The answer to the end of data."""
        sender = f"app@{self.tenant.domain}"
        assert client.mail(sender)[0] == 250
        assert client.rcpt(f"you@{self.tenant.domain}")[0] == 250
        body = "hello\r\n" * lines
        code, reply = client.data(f"From: {sender}\r\nSubject: {subject}\r\n\r\n{body}".encode())
        return code, reply.decode()

    def recovered(self, subject: str, lines: int) -> None:
        """By itself: what comes now is taken and delivered, and what was refused is not there."""
        with self.client() as client:
            code, reply = self.send(client, "after", lines)
        assert code == 250, f"{reply}\n{self.relay.log[-3000:]}"
        self.world.settled(reply.rpartition(" ")[2])
        assert self.world.message_ids(subject) == []
        assert self.relay.process.poll() is None

    @property
    def url(self) -> str:
        return f"sqlite:///{self.relay.data / 'postroom.db'}"

    @property
    def blobs(self) -> int:
        return sum(path.is_file() for path in (self.relay.data / "blobs").rglob("*"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with starting(tmp_path_factory.mktemp("disk") / "data", "--first-run", settings=SETTINGS) as relay:
        world = World.of(relay.data)
        tenant = world.tenant("app.test")
        yield Scene(relay, world, tenant, world.token(tenant))


@pytest.mark.parametrize(
    ("calls", "error", "lines"),
    [
        ("fdatasync", "EIO", SMALL),
        ("pwrite64", "EIO", SMALL),
        ("pwrite64", "ENOSPC", SMALL),
        ("fsync", "EIO", LARGE),
        ("rename", "EIO", LARGE),
        ("openat", "EMFILE", LARGE),
        ("openat", "ENOSPC", LARGE),  # no inodes left
        ("mkdir", "EROFS", LARGE),
    ],
)
def test_i6_under_a_fault_of_the_disk_the_answer_is_4xx_and_it_recovers(
    scene: Scene, calls: str, error: str, lines: int
) -> None:
    subject = f"{calls} {error}"
    blobs = scene.blobs
    with scene.client() as client:
        with injecting(scene.relay.process.pid, f"{calls}:error={error}"):
            code, reply = scene.send(client, subject, lines)
            posted = [scene.post(path, subject, lines) for path in ("email", "bulk-email")]
        assert (code, reply[:5]) == (451, "4.3.0"), reply
        assert posted == [503, 503], scene.relay.log[-3000:]
        # Q05: the connection is as good as before, and so is the store.
        code, reply = scene.send(client, "again", lines)
        assert code == 250, f"{reply}\n{scene.relay.log[-3000:]}"
        assert scene.post("email", "again", lines) == 202
    scene.recovered(subject, lines)
    assert state.batches(scene.url) == []
    kept = scene.blobs - blobs
    assert kept == (3 if lines == LARGE else 0), "what was refused has left a file behind"


def test_q05_one_failed_sync_is_enough_to_refuse_and_is_not_tried_again(scene: Scene) -> None:
    faults = ("fdatasync:error=EIO:when=1", "fsync:error=EIO:when=1")
    with scene.client() as client:
        for number in range(TRIES):
            with injecting(scene.relay.process.pid, *faults):
                code, reply = scene.send(client, f"one sync {number}", SMALL)
                if code == 451:
                    code, reply = scene.send(client, "next", SMALL)
                    assert code == 250, reply
                    break
                assert code == 250, reply  # it was somebody else's sync that failed: last use, an outcome ...
        else:
            pytest.fail("the fault never met a message")
    scene.recovered(f"one sync {number}", SMALL)


@contextmanager
def limited(pid: int, limit: int, value: int) -> Iterator[None]:
    """A resource limit of another process, put back at the end."""
    before = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, limit, before)


def files_end_at(scene: Scene, octets: int) -> AbstractContextManager[None]:
    """No file may be longer: the write that goes beyond is cut short, the next one fails (EFBIG)."""
    return limited(scene.relay.process.pid, resource.RLIMIT_FSIZE, octets)


def test_q06_a_short_write_of_large_content_is_no_acceptance(scene: Scene) -> None:
    blobs = scene.blobs
    with scene.client() as client:
        with files_end_at(scene, 100_000):
            assert scene.send(client, "short blob", LARGE)[0] == 451
        assert scene.send(client, "whole", LARGE)[0] == 250
    scene.recovered("short blob", LARGE)
    assert scene.blobs == blobs + 2


def test_q06_a_short_write_of_the_log_is_no_acceptance(scene: Scene) -> None:
    log = scene.relay.data / "postroom.db-wal"
    with scene.client() as client:
        # Somewhere within the next commit, whatever the log's length is by then.
        with files_end_at(scene, 10_000):
            assert log.stat().st_size > 10_000
            assert scene.send(client, "short log", SMALL)[0] == 451
        assert scene.send(client, "whole", SMALL)[0] == 250
    scene.recovered("short log", SMALL)


def test_q06_without_descriptors_nothing_is_lost_and_it_recovers(scene: Scene) -> None:
    """New connections wait or are refused; one that is there gets a 4xx for what needs a file."""
    pid = scene.relay.process.pid
    with scene.client() as client:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        with limited(pid, resource.RLIMIT_NOFILE, descriptors - 5):
            code, reply = scene.send(client, "no descriptors", LARGE)
            assert code == 451, reply
        until(lambda: scene.send(client, "whole", LARGE)[0] == 250)
    scene.recovered("no descriptors", LARGE)


def test_q04_what_was_taken_before_the_disk_filled_is_delivered_after(tmp_path: Path) -> None:
    """Outcomes wait for the disk, they are not lost; and nothing is delivered twice."""
    with starting(tmp_path / "data", "--first-run", settings=SETTINGS) as relay:
        world = World.of(relay.data)
        scene = Scene(relay, world, world.tenant("app.test"))
        with scene.client() as client:
            code, reply = scene.send(client, "before", SMALL)
            assert code == 250
            with injecting(relay.process.pid, "pwrite64:error=ENOSPC"):
                assert scene.send(client, "full", SMALL)[0] == 451
        (email,) = world.settled(reply.rpartition(" ")[2])
        assert [event.type for event in email.events].count("delivered") == 1
        scene.recovered("full", SMALL)
        assert relay.stop() == 0


@contextmanager
def small_disk(directory: Path, octets: int) -> Iterator[None]:
    """A file system of its own, of that size."""
    directory.mkdir()
    mount = [need("mount"), "-t", "tmpfs", "-o", f"size={octets},mode=700", "tmpfs", directory]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        unavailable("mounting a file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


def fill(path: Path) -> None:
    """Until not one octet more can be written."""
    size = 1 << 20
    with path.open("wb", buffering=0) as file:
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def test_q04_under_load_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", FULL), small_internet() as net, trial(tmp_path, "", net) as one:
        until(lambda: one.acknowledged >= 20, what=f"20 messages are accepted\n{one.log}")
        fill(one.data / "filler")
        until(lambda: one.refused >= 5, what=f"5 messages are refused\n{one.log}")
        (one.data / "filler").unlink()
        before = one.acknowledged
        until(lambda: one.acknowledged >= before + 20, what=f"it takes mail again\n{one.log}")
        verdict = one.settle()
        assert one.stop() == 0
    assert verdict.violations == []
    assert verdict.extra == verdict.flagged == 0
