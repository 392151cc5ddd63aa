"""Every client against acceptance and every refusal: what it does, and the words it shows to its user.

The expected words are in clients.json (see support/clients/record.py); docs/clients.md is made of them.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as policy
from functools import cached_property
from smtplib import SMTPException

import pytest

from support.clients import ClientResult, Mail, Target, page, php, programs, python, record, relay
from support.clients.cases import CASES, MAX_RECIPIENTS, SETTINGS, TEXT, Login, build
from support.clients.versions import version_of
from support.process import Relay, starting
from support.waiting import until
from support.world import World

SEND: dict[str, Callable[[Target, Mail], ClientResult]] = {
    "smtplib": python.smtplib_send,
    "aiosmtplib": python.aiosmtplib_send,
    "swaks": programs.swaks_send,
    "msmtp": programs.msmtp_send,
    "phpmailer": php.phpmailer_send,
    "symfony": php.symfony_send,
}
CLIENTS = [*SEND, "postfix"]
RECORD = os.environ.get("POSTROOM_RECORD") == "1"


@dataclass
class Scene:
    """A relay with all the tenants of the cases."""

    relay: Relay
    world: World
    logins: dict[str, Login]
    pool: ThreadPoolExecutor

    def build(self, client: str, case: str) -> tuple[Target, Mail]:
        ports = {kind: self.relay.port(kind) for kind in ("starttls", "implicit")}
        return build(client, case, self.logins, ports, self.relay.authority)

    @cached_property
    def patient(self) -> dict[tuple[str, str], Future[ClientResult]]:
        """Those that wait for a time-out, all at once and beside the others."""
        names = [name for name, case in CASES.items() if case.patient]
        return {
            (client, name): self.pool.submit(SEND[client], *self.build(client, name))
            for client in SEND
            for name in names
        }

    def trouble(self, case: str) -> AbstractContextManager[None]:
        """What some cases need around them."""
        if case == "storage":
            return self._database("BEGIN IMMEDIATE", "ROLLBACK")  # nobody else can write
        if case == "logins-fail":
            return self._database("ALTER TABLE domains RENAME TO gone", "ALTER TABLE gone RENAME TO domains")
        if case == "rate":
            self._use_up_the_rate()
        return nullcontext()

    @contextmanager
    def _database(self, begin: str, end: str) -> Iterator[None]:
        path = self.relay.data / "postroom.db"
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
            other.execute(begin)
            yield
            other.execute(end)

    def _use_up_the_rate(self) -> None:
        """Of one message a minute. All clients come within that minute: see the order of the cases."""
        slow = self.logins["slow"]
        with suppress(SMTPException), self.relay.smtp(slow.username, slow.password) as client:
            client.sendmail(
                f"a@{slow.domain}", ["b@recipient.test"], f"From: a@{slow.domain}\r\n\r\nx\r\n".encode()
            )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("clients") / "data"
    with starting(data, "--first-run", settings=SETTINGS) as relay, ThreadPoolExecutor(8) as pool:
        world = World.of(data)
        tenants = {
            "app": world.tenant("app.test"),
            "off": world.tenant("off.test"),
            "unapproved": world.tenant("unapproved.test", approved=False),
            "suspended": world.tenant("suspended.test"),
            "quota": world.tenant("quota.test", quota=1),
            "slow": world.tenant("slow.test", plan="slow"),
            "unread": world.tenant("unread.test"),
            "smtp-off": world.tenant("smtp-off.test"),
            "elsewhere": world.tenant("elsewhere.test", allowed_addresses="192.0.2.0/24"),
        }
        world.disable(tenants["off"])
        world.without_smtp(tenants["smtp-off"])
        world.suspend(tenants["suspended"])
        logins = {
            name: Login(tenant.username, tenant.password, tenant.domain) for name, tenant in tenants.items()
        }
        with relay.smtp(*tenants["quota"].login) as client:
            client.sendmail(
                "a@quota.test", ["b@recipient.test"], b"From: a@quota.test\r\n\r\nthe only one\r\n"
            )
        scene = Scene(relay, world, logins, pool)
        assert scene.patient
        yield scene


@pytest.fixture(scope="module")
def postfix(scene: Scene) -> Iterator[relay.PostfixClient]:
    runs = {name: scene.build("postfix", name) for name in CASES}
    with relay.running(runs, scene.relay.authority) as client:
        yield client


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[tuple[str, str], ClientResult]]:
    results: dict[tuple[str, str], ClientResult] = {}
    yield results
    if RECORD:
        record.save({client: version_of(client) for client in CLIENTS}, results)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", CASES)
def test_client(
    client: str,
    case: str,
    scene: Scene,
    seen: dict[tuple[str, str], ClientResult],
    request: pytest.FixtureRequest,
) -> None:
    send = SEND.get(client) or request.getfixturevalue("postfix")
    target, mail = scene.build(client, case)
    with scene.trouble(case):
        waiting = scene.patient.get((client, case))
        result = waiting.result() if waiting else send(target, mail)
    check(result, scene, mail)
    seen[client, case] = result
    if not RECORD:
        compare(client, case, result)


def check(result: ClientResult, scene: Scene, mail: Mail) -> None:
    """What holds for every client: what was accepted is there as it was sent, and what was refused is not."""
    stored = scene.world.message_ids(mail.subject)
    if result.outcome not in ("accepted", "in part"):
        assert stored == [], result
        return
    assert len(stored) == 1, result
    if result.queue_id:
        assert result.queue_id == stored[0]
    scene.world.settled(stored[0])
    arrived = scene.world.inbox(stored[0])
    assert {recipient for recipient, _ in arrived} == set(mail.recipients[:MAX_RECIPIENTS])
    message = message_from_bytes(arrived[0][1], policy=policy)
    assert message["Message-ID"] == mail.message_id
    assert message["From"] == mail.sender
    if mail.text == TEXT:
        assert message.get_content().replace("\r\n", "\n").rstrip() == TEXT.rstrip()


def compare(client: str, case: str, result: ClientResult) -> None:
    recorded = record.load()[client]
    expected = recorded["cases"][case]
    assert result.outcome == expected["outcome"], result
    if recorded["version"] == version_of(client):
        assert record.normal(result.shown) == expected["shown"]


def test_every_refusal_is_recorded_for_the_customer(
    scene: Scene, seen: dict[tuple[str, str], ClientResult]
) -> None:
    rules = {rule for result in seen.values() for rule in re.findall(r"\[([a-z-]+)\]", result.shown)}
    if not rules:
        pytest.skip("no client was refused anything")
    until(
        lambda: rules <= {refusal.rule for refusal in scene.world.refusals()},
        what=f"{rules} are in {scene.world.refusals()}",
    )


def test_the_page_says_what_the_clients_show() -> None:
    assert page.PAGE.read_text("utf-8") == page.render(record.load()), "run: python scripts/clients_doc.py"
