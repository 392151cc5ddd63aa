"""Q07: somebody sets the wall clock of a running relay, by hours or days, forwards or backwards.

Nothing is lost, nothing fresh expires, nothing is sent twice, nothing waits for the clock to come round again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faults.ledger.trial import Trial, trial
from postroom.runtime.clock import SWITCH, Clock
from support.net import small_internet
from support.process import Relay, starting
from support.waiting import until
from support.world import Tenant, World

HOUR, DAY = 3600, 86_400
SETTINGS = {
    "POSTROOM_DELIVERY__LEASE": "2s",
    "POSTROOM_DELIVERY__RETRY": '["100ms"]',
    "POSTROOM_DELIVERY__LIFETIME": "1h",
    "POSTROOM_RETENTION__EVERY": "300ms",
}
AGAIN_AND_AGAIN = {"RCPT": ["450 4.7.1 later"] * 1000}
NOTICED = "the wall clock was set"


class Wall:
    """The wall clock as the relay sees it."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "wrong-by"
        self.set(0)

    @property
    def settings(self) -> dict[str, str]:
        return {SWITCH: str(self._file)}

    def set(self, wrong_by: float) -> None:
        """From now on it is wrong by so many seconds."""
        self.wrong_by = wrong_by
        new = self._file.with_suffix(".new")
        new.write_text(str(wrong_by))
        os.replace(new, self._file)


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


@pytest.fixture
def relay(tmp_path: Path, wall: Wall) -> Iterator[Relay]:
    with small_internet({"later.test": "SERVFAIL"}) as net:
        settings = SETTINGS | net.settings | wall.settings
        with starting(tmp_path / "data", "--first-run", settings=settings) as started:
            yield started


def send(relay: Relay, tenant: Tenant, to: str) -> tuple[int, str]:
    """The answer to MAIL, or to the end of data; its last word is the message's id."""
    sender = f"app@{tenant.domain}"
    with relay.smtp(*tenant.login) as client:
        code, reply = client.mail(sender)
        if code == 250:
            client.rcpt(to)
            code, reply = client.data(f"From: {sender}\r\nSubject: hello\r\n\r\nhello\r\n".encode())
    return code, reply.decode()


def tried_again(world: World, message_id: str) -> None:
    """And that comes to a deferral."""

    def attempts() -> int:
        (story,) = world.story(message_id).emails
        assert story.email.status in ("queued", "deferred")
        return story.email.attempts

    before = attempts()
    until(lambda: attempts() > before, what=f"{message_id} is tried again")


@pytest.mark.slow
@pytest.mark.parametrize(("database", "days"), [("sqlite", 10), ("sqlite", -10), ("postgresql", 10)])
def test_q07_retries_go_on_and_nothing_expires(
    database: str, days: int, tmp_path: Path, wall: Wall, request: pytest.FixtureRequest
) -> None:
    """Before and after a restart, and when the mistake is mended again."""
    data = tmp_path / "data"
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    with small_internet() as net, net.peer("away.test", AGAIN_AND_AGAIN) as peer:
        settings = SETTINGS | net.settings | wall.settings | {"POSTROOM_DATABASE__URL": url}
        with starting(data, "--first-run", settings=settings) as relay:
            world = World(url, data) if url else World.of(data)
            tenant = world.tenant("app.test", mode="live")
            code, reply = send(relay, tenant, "you@away.test")
            assert code == 250, reply
            message_id = reply.rpartition(" ")[2]
            tried_again(world, message_id)
            wall.set(days * DAY)
            tried_again(world, message_id)
            if not url:
                until(lambda: NOTICED in relay.log)
            tried_again(world, message_id)
            assert relay.stop() == 0
        with starting(data, settings=settings) as relay:
            tried_again(world, message_id)
            _, reply = send(relay, tenant, "me@away.test")
            tried_again(world, reply.rpartition(" ")[2])
            wall.set(0)
            tried_again(world, message_id)
            peer.scripts = [{}]
            peer.drop_all()
            for one in (message_id, reply.rpartition(" ")[2]):
                (story,) = world.settled(one)
                assert not story.email.possible_duplicate
                assert [event.type for event in story.events].count("delivered") == 1
            assert "lease lost" not in relay.log
            assert relay.stop() == 0
    assert len([message for message in peer.messages if message]) == 2


def test_q07_people_see_when_the_next_attempt_comes(relay: Relay, wall: Wall) -> None:
    """By the clock that they see everywhere else."""
    world = World.of(relay.data)
    tenant = world.tenant("app.test", mode="live")
    _, reply = send(relay, tenant, "you@later.test")
    message_id = reply.rpartition(" ")[2]
    wall.set(-3 * DAY)
    until(lambda: NOTICED in relay.log)
    tried_again(world, message_id)
    (row,) = relay.json("queue", "list")
    now = datetime.fromtimestamp(Clock().now_ms() / 1000 + wall.wrong_by, UTC)
    for name in ("due_at", "expires_at"):
        assert abs((datetime.fromisoformat(row[name]) - now).total_seconds()) < 2 * HOUR


def test_q07_a_quota_is_that_of_the_day_the_clock_shows(relay: Relay, wall: Wall) -> None:
    world = World.of(relay.data)
    tenant = world.tenant("quota.test", quota=1)
    answers = []
    for days in (0, 0, 1, 1, 0, -1, -1):
        wall.set(days * DAY)
        answers.append(send(relay, tenant, "you@quota.test")[0])
    assert answers == [250, 451, 250, 451, 451, 250, 451]


def test_q07_what_waits_for_midnight_goes_out_when_the_clock_is_set_past_it(
    tmp_path: Path, wall: Wall
) -> None:
    settings = SETTINGS | wall.settings | {"POSTROOM_LIMITS__OVER_QUOTA": "hold"}
    with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
        world = World.of(relay.data)
        tenant = world.tenant("quota.test", quota=1)
        first, second = (send(relay, tenant, "you@quota.test")[1].rpartition(" ")[2] for _ in range(2))
        world.settled(first)
        world.settled(second, "held")
        wall.set(DAY)
        world.settled(second)


def test_q07_nothing_is_deleted_because_it_looks_old(relay: Relay, wall: Wall) -> None:
    world = World.of(relay.data)
    tenant = world.tenant("box.test")
    message_id = send(relay, tenant, "you@box.test")[1].rpartition(" ")[2]
    world.settled(message_id)
    wall.set(400 * DAY)
    until(lambda: "nothing is deleted for a day" in relay.log)
    time.sleep(1)  # retention has several turns
    assert len(world.inbox(message_id)) == 1
    assert [event.type for event in world.story(message_id).emails[0].events][-1] == "delivered"


@pytest.mark.slow
def test_q07_under_load_nothing_is_lost_or_sent_twice(tmp_path: Path, wall: Wall) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    with small_internet() as net, trial(tmp_path, "", net, begin=False) as one:
        one.settings |= wall.settings
        one.begin()
        for number in range(6):
            accepted_more(one, 15)
            wall.set(wall.wrong_by + chance.choice((-1, 1)) * chance.uniform(HOUR, 20 * DAY))
            if number == 3:
                assert one.stop() == 0
                one.note("stop")
                one.restart()
        accepted_more(one, 15)
        verdict = one.settle()
        assert "lease lost" not in one.relay.log
    assert verdict.violations == [], f"seed {seed}"
    assert verdict.extra == verdict.flagged == 0


def accepted_more(one: Trial, messages: int) -> None:
    wanted: Callable[[], bool] = lambda: one.acknowledged >= before + messages  # noqa: E731
    before = one.acknowledged
    until(wanted, what=f"{messages} more messages are accepted\n{one.log}")
