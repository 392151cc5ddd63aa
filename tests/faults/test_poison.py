"""Q15: a message that ends the process each time it is touched. It is counted, found and put aside; the rest goes on."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from postroom.store.emails import Email
from support.net import small_internet
from support.process import SOURCE, Relay, launch_cold, starting
from support.waiting import until
from support.world import World

POISON = "X-Poison: yes"
STATUS = 86
INNOCENTS = 12
MOST_DEATHS = 4
"""Three attempts are counted; the first one may end the process before its mark is durable."""
SETTINGS = {"POSTROOM_DELIVERY__CONNECTIONS_PER_SITE": "8"}


@pytest.fixture
def poisonous(tmp_path: Path) -> dict[str, str]:
    """Settings of a relay whose composer dies of that header, as a parser with a hole in it would; and its disk is so
    slow that it dies before anything can be written down of it."""
    directory = tmp_path / "poison"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(
        dedent(f"""
            import asyncio, os
            from postroom.compose import composer
            from postroom.store import batches

            compose, tick = composer.compose, batches.tick

            def touch(stored, *rest, **more):
                if {POISON.encode()!r} in stored.content.data:
                    os._exit({STATUS})
                return compose(stored, *rest, **more)

            async def late(*rest):
                await asyncio.sleep(0.3)
                return await tick(*rest)

            composer.compose, batches.tick = touch, late
        """)
    )
    return {"PYTHONPATH": f"{directory}:{SOURCE}"}


def died(data: Path, settings: dict[str, str], world: World, poison: str) -> bool:
    """Whether a relay dies of it; False when it has put it aside and lives."""
    try:
        relay = Relay(data, settings, [], launch_cold)
    except pytest.fail.Exception:  # on its way up
        return True
    try:
        held = "held"
        until(lambda: relay.process.poll() is not None or status(world, poison) == held, 30, what=relay.log)
        if relay.process.poll() is None:
            assert relay.stop() == 0
            return False
        assert relay.process.returncode == STATUS
        return True
    finally:
        relay.close()


def status(world: World, message_id: str) -> str:
    (story,) = world.story(message_id).emails
    return story.email.status


def others(world: World, poison: str) -> list[Email]:
    return [email for email in world.emails() if email.message_id != poison and "@sink." in email.recipient]


@pytest.mark.slow
def test_q15_a_message_that_ends_the_process_is_put_aside(tmp_path: Path, poisonous: dict[str, str]) -> None:
    data = tmp_path / "data"
    with small_internet() as net, net.peer("sink.test") as sink:
        settings = SETTINGS | net.settings
        with starting(data, "--first-run", "--role", "submission,http", settings=settings) as relay:
            world = World.of(data)
            tenant = world.tenant("app.test", mode="live")
            with relay.smtp(*tenant.login) as client:
                for number in range(INNOCENTS):
                    headers = POISON if number == INNOCENTS // 2 else f"X-Number: {number}"
                    content = f"From: app@app.test\r\nSubject: {number}\r\n{headers}\r\n\r\nhello\r\n"
                    client.sendmail("app@app.test", f"user{number}@sink.test", content)
            assert relay.stop() == 0
        (poison,) = world.message_ids(str(INNOCENTS // 2))
        deaths = 0
        while died(data, settings | poisonous, world, poison):
            deaths += 1
            assert deaths <= MOST_DEATHS
        assert deaths >= 3
        with starting(data, settings=settings | poisonous, launch=launch_cold) as relay:
            until(lambda: all(email.status == "delivered" for email in others(world, poison)))
            assert relay.process.poll() is None
            (story,) = world.story(poison).emails
            assert story.events[-1].type == "held"
            assert "quarantined" in story.events[-1].detail
            relay.json("queue", "cancel", story.email.id)
            assert relay.stop() == 0
        assert status(world, poison) == "cancelled"
        copies = [to for to in sink.commands if to.startswith("RCPT ")]
        flagged = {email.recipient for email in world.emails() if email.possible_duplicate}
    assert not any(POISON.encode() in message for message in sink.messages)
    assert {f"RCPT TO:<{email.recipient}>" for email in others(world, poison)} == set(copies)
    assert {to for to in copies if copies.count(to) > 1} <= {f"RCPT TO:<{to}>" for to in flagged}
