"""tenancy.name_watch: live mail under a name that receivers distrust is warned of, once (D17)."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import FakeClock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import accounts, domains
from postroom.tenancy.directory import Directory
from postroom.tenancy.name_watch import NameWatch
from postroom.types.actor import SYSTEM

GOOD = {"mail.example.com": {"A": ["192.0.2.1"]}, "1.2.0.192.in-addr.arpa": {"PTR": ["mail.example.com."]}}
SAID = "receivers will distrust this host name"


WITHIN = 20.0


class Scene:
    """A relay's directory, and a watch over its name; `domain` adds one, and the directory notices."""

    def __init__(self, database: Database, hostname: str) -> None:
        self.database = database
        self.directory = Directory(database, FakeClock())
        self.watch = NameWatch(database, FakeResolver(GOOD), hostname)
        self.directory.on_change(self.watch.changed)

    async def domain(self, name: str, mode: str) -> None:
        account = await accounts.add(self.database, name, approved=True, by=SYSTEM)
        box = SecretBox(bytes(32))
        await domains.add(self.database, box, name, account_id=account.id, mode=mode, by=SYSTEM)
        await self.directory.refresh()


@pytest.mark.parametrize(("hostname", "said"), [("box", [SAID]), ("mail.example.com", [])])
async def test_d17_a_live_domain_that_is_there_at_the_start(
    hostname: str, said: list[str], database: Database
) -> None:
    scene = Scene(database, hostname)
    await scene.domain("example.com", domains.LIVE)
    with capture_logs() as logs:
        await asyncio.wait_for(scene.watch.run(), WITHIN)
    assert [line["event"] for line in logs] == said
    assert all("server.hostname" in line["fix"] for line in logs)


async def test_d17_the_first_live_domain_that_appears_later(database: Database) -> None:
    scene = Scene(database, "box")
    with capture_logs() as logs:
        watching = asyncio.create_task(scene.watch.run())
        await scene.domain("sandbox.test", domains.SANDBOX)
        done, _ = await asyncio.wait({watching}, timeout=0.2)
        assert (done, logs) == (set(), [])
        await scene.domain("example.com", domains.LIVE)
        await asyncio.wait_for(watching, WITHIN)
        await scene.domain("example.org", domains.LIVE)
    assert [line["event"] for line in logs] == [SAID]


async def test_while_the_database_is_away_it_waits(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(sqlite_database, "box")
    await scene.domain("example.com", domains.LIVE)

    def away() -> None:
        raise StorageUnavailableError("away")

    with capture_logs() as logs:
        with monkeypatch.context() as broken:
            broken.setattr(sqlite_database, "read", away)
            watching = asyncio.create_task(scene.watch.run())
            done, _ = await asyncio.wait({watching}, timeout=0.05)
            assert not done
        await scene.domain("example.org", domains.LIVE)
        await asyncio.wait_for(watching, WITHIN)
    assert [line["event"] for line in logs] == [SAID]
