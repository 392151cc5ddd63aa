"""`kill -9` in the middle of load, a restart, and a look at both ends: what was acknowledged has arrived (I1, I3)."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from postroom.types.status import EmailStatus
from support.load import Load
from support.net import small_internet
from support.process import starting
from support.waiting import until
from support.world import World

KILLS = 2
"""Three attempts that never ended would put a message into quarantine (Q15)."""
CONCURRENCY = 10
SETTINGS = {
    "POSTROOM_DELIVERY__CONCURRENCY": str(CONCURRENCY),
    "POSTROOM_DELIVERY__LEASE": "1s",
    "POSTROOM_DELIVERY__RETRY": '["100ms"]',
}
MESSAGES = 100
"""Accepted before the first kill, and after each one, at least."""
UNDER_WAY = CONCURRENCY * 2
"""Most recipients whose outcome one kill can lose: those in conversation, and one batch of outcomes on its way."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'data' / 'postroom.db'}"


def test_what_was_acknowledged_survives_kill_9(url: str, tmp_path: Path) -> None:
    data, ledger = tmp_path / "data", tmp_path / "ledger"
    with small_internet() as net, net.peer("sink.test") as sink, ExitStack() as stack:
        settings = SETTINGS | net.settings | {"POSTROOM_DATABASE__URL": url}
        relays = [stack.enter_context(starting(data, "--first-run", settings=settings))]
        world = World(url, data)
        tenant = world.tenant("busy.test", mode="live")
        tls = relays[0].tls()

        def port() -> int:
            return relays[-1].port()

        with Load(port, tls, tenant.login, "app@busy.test", "you@sink.test", ledger) as load:
            for number in range(1, KILLS + 1):
                load.wait_for(number * MESSAGES)
                time.sleep(random.uniform(0, 0.3))
                relays[-1].kill()
                relays.append(stack.enter_context(starting(data, settings=settings)))
            load.wait_for((KILLS + 1) * MESSAGES)
        relay = relays[-1]
        until(lambda: all_final(world), 30, what=f"everything is final\n{relay.log[-5000:]}")
        assert relay.stop() == 0
        emails = {email.message_id: email for email in world.emails()}
        acknowledged = load.acknowledged()
        copies = Counter(re.findall(rb"(?m)^Message-ID: (<.*>)\r$", b"".join(sink.messages)))
    lost = [written for written in acknowledged.values() if not copies[written.encode()]]
    assert lost == []
    assert {emails[message_id].status for message_id in acknowledged} == {EmailStatus.DELIVERED}
    assert copies.total() - len(copies) <= KILLS * UNDER_WAY
    said = {
        acknowledged[id] for id, email in emails.items() if email.possible_duplicate and id in acknowledged
    }
    assert {written for written in acknowledged.values() if copies[written.encode()] > 1} <= said


def all_final(world: World) -> bool:
    return all(EmailStatus(email.status).final for email in world.emails())
