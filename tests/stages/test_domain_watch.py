"""What becomes of verified domains over time: the daily look, the grace, the pause, and who may take a name over (X06)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from postroom.notify import MemorySystemMail
from postroom.runtime.clock import Clock, FakeClock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox
from postroom.store import audit, dkim_keys
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.schema import queue
from postroom.tenancy import accounts, domain_removal, domains, keys, verification
from postroom.tenancy.directory import Directory
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.domain_watch import DomainWatch
from postroom.tenancy.entries import AccountState
from postroom.tenancy.verification import Checked, Verifier
from postroom.types.actor import SYSTEM
from postroom.types.notices import DomainCheckFailed, DomainRestored
from postroom.types.refusals import Refused
from support import people
from support.mail import insert, lay_out, message_row, rows

BOX = SecretBox(bytes(32))
HOUR = 3600
GRACE, DAY = 72 * HOUR, 24 * HOUR
NAME = "example.com"


class Wildcard(FakeResolver):
    """Every name below `NAME` has the records of `*.NAME` unless it has its own."""

    async def _look_up(self, name: str, kind: str) -> Any:
        star = self.zones.get(f"*.{NAME}")
        if star is not None and name.endswith(f".{NAME}") and name not in self.zones:
            name = f"*.{NAME}"
        return await super()._look_up(name, kind)


class World:
    """Accounts A and B on one installation, a DNS, and a clock that only the tests move."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.resolver = Wildcard()
        self.mail = MemorySystemMail()
        self.tools = Verifier(database, self.resolver, Hosts(bounce="bounce.pr.example"), GRACE)
        self.watch = DomainWatch(self.tools, self.mail, clock, every=DAY)

    async def account(self, name: str) -> str:
        account = await accounts.add(self.database, name, approved=True, by=SYSTEM)
        await people.make(self.database, account.id, email=f"{name}@x.test".lower())
        return account.id

    async def domain(self, account_id: str, name: str = NAME) -> Domain:
        return await domains.add(self.database, BOX, name, account_id=account_id, by=SYSTEM)

    async def publish(self, domain: Domain, name: str = "") -> None:
        """The key of this domain, in place of any other."""
        async with self.database.read() as connection:
            pair = await dkim_keys.of_domain(connection, domain.id)
        for key in pair:
            at = keys.record_name(key, name or domain.name)
            self.resolver.zones[at] = {"TXT": [keys.record_value(key)]}

    async def domain_of_another(self) -> Domain:
        """The name once more, for account B: its owner could add it only while nobody had it verified."""
        account_id = await self.account("B")
        other = await self.domain(account_id, "b.example.net")
        async with self.database.write() as connection:
            await domains.store.change(connection, other.id, name=NAME, organisation=NAME)
        return await self.now(other)

    async def queue(self, domain: Domain, number: int) -> None:
        """So many messages that wait for their first attempt."""
        for _ in range(number):
            row = message_row(domain.account_id, domain_id=domain.id, at=self.clock.now_ms())
            await insert(self.database, lay_out(row))
        async with self.database.write() as connection:
            await connection.execute(update(queue).values(domain_id=domain.id))

    def unpublish(self) -> None:
        self.resolver.zones.clear()

    async def check(self, domain: Domain) -> Checked:
        return await verification.check(self.tools, domain.id, by=SYSTEM)

    async def verified(self, account_id: str, name: str = NAME) -> Domain:
        domain = await self.domain(account_id, name)
        await self.publish(domain)
        return (await self.check(domain)).domain

    async def days(self, number: int) -> None:
        """With a look every hour, as a node does it every few minutes."""
        for _ in range(number * 24):
            self.clock.advance(HOUR)
            await self.watch.run_once()

    async def now(self, domain: Domain) -> Domain:
        return await domains.find(self.database, domain.id)

    async def state(self, account_id: str) -> AccountState:
        state = Directory(self.database, self.clock).account(account_id)
        found = state if isinstance(state, AccountState) else await state
        assert found is not None
        return found


@pytest.fixture
async def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    clock = FakeClock()
    monkeypatch.setattr(Clock, "now_ms", lambda _: FakeClock.now_ms(clock))
    return World(database, clock)


async def test_a_slip_is_told_and_mail_goes_on(world: World) -> None:
    domain = await world.verified(await world.account("A"))
    world.unpublish()
    await world.days(2)
    failing = await world.now(domain)
    assert failing.verified_at == domain.verified_at
    assert failing.failing_since is not None
    assert not failing.send_paused
    [notice] = world.mail.notices
    assert isinstance(notice, DomainCheckFailed)
    assert (notice.to, notice.account, notice.domain) == ("a@x.test", "A", NAME)
    assert notice.pauses_at == failing.failing_since + GRACE * 1000
    assert "pr1._domainkey.example.com TXT: Publish" in notice.problems[0]
    assert notice.link.endswith(f"/domains/{domain.id}")
    await world.publish(domain)
    await world.days(1)
    assert (await world.now(domain)).failing_since is None
    assert world.mail.notices[1:] == [DomainRestored("a@x.test", "A", NAME)]


async def test_after_the_grace_sending_is_paused_until_the_records_are_back(world: World) -> None:
    domain = await world.verified(await world.account("A"))
    world.unpublish()
    await world.days(5)
    paused = await world.now(domain)
    assert (paused.send_paused, paused.pause_reason) == (True, "dns")
    assert paused.verified_at is not None
    assert len(world.mail.notices) == 1
    refused = await domains.change(world.database, domain.id, send_paused=False, by=SYSTEM)
    assert isinstance(refused, Refused)
    assert refused.rule.id == "domain-records-gone"
    await world.publish(domain)
    await world.days(1)
    restored = await world.now(domain)
    assert (restored.send_paused, restored.pause_reason, restored.failing_since) == (False, "", None)
    async with world.database.read() as connection:
        entries = await audit.page(connection, domain.account_id, action="domain.", limit=10)
    actions = [entry.action.removeprefix("domain.") for entry in entries[::-1]]
    assert actions == ["created", "verified", "failing", "paused", "restored"]


async def test_what_its_owner_has_paused_stays_so(world: World) -> None:
    domain = await world.verified(await world.account("A"))
    await domains.pause(world.database, domain.id, by=SYSTEM)
    world.unpublish()
    await world.days(5)
    await world.publish(domain)
    await world.days(1)
    paused = await world.now(domain)
    assert (paused.send_paused, paused.pause_reason, paused.failing_since) == (True, "", None)


async def test_a_dns_that_does_not_answer_changes_nothing(world: World) -> None:
    domain = await world.verified(await world.account("A"))
    world.resolver.zones = dict.fromkeys(world.resolver.zones, "SERVFAIL")
    await world.days(5)
    after = await world.now(domain)
    assert (after.failing_since, after.send_paused) == (None, False)
    assert world.mail.notices == []


@pytest.mark.parametrize("options", [{"trusted": True}, {"mode": "sandbox"}])
async def test_what_nobody_proved_is_not_watched(world: World, options: dict[str, Any]) -> None:
    account_id = await world.account("A")
    await domains.add(world.database, BOX, NAME, account_id=account_id, by=SYSTEM, **options)
    await world.days(1)
    assert world.resolver.asked == []


async def test_each_domain_is_looked_at_once_a_day(world: World) -> None:
    await world.verified(await world.account("A"))
    world.resolver.asked.clear()
    await world.days(3)
    assert world.resolver.asked.count((f"pr1._domainkey.{NAME}", "TXT")) == 3


# -- whose name it is -----------------------------------------------------------------------------------------------


async def test_x06_another_account_gets_it_only_after_the_grace(world: World) -> None:
    a, b = await world.account("A"), await world.account("B")
    second = await world.domain(b)
    first = await world.verified(a)
    await world.publish(second)  # the name has been sold: the new owner publishes their key
    for _ in range(3):
        checked = await world.check(second)
        assert (checked.taken, checked.domain.verified_at) == (True, None)
        await world.days(1)
    assert (await world.now(first)).verified_at is not None
    await world.days(1)
    checked = await world.check(second)
    assert (checked.taken, checked.domain.verified_at is not None) == (False, True)
    assert checked.lost is not None
    lost = await world.now(first)
    assert (lost.verified_at, lost.send_paused, lost.pause_reason) == (None, True, "lost")
    assert (await world.state(a)).covering(NAME) is None
    assert (await world.state(b)).covering(NAME) is not None


async def test_x06_who_comes_back_in_time_keeps_it(world: World) -> None:
    first = await world.verified(await world.account("A"))
    second = await world.domain_of_another()
    await world.publish(second)
    await world.days(5)
    assert (await world.now(first)).pause_reason == "dns"
    await world.publish(first)  # just before the other one tries again; no daily look has seen it
    checked = await world.check(second)
    assert checked.domain.verified_at is None
    assert not checked.looked.proved
    assert (await world.check(first)).domain.send_paused is False


async def test_x06_with_both_keys_published_the_first_one_keeps_it(world: World) -> None:
    first = await world.verified(await world.account("A"))
    second = await world.domain_of_another()
    world.unpublish()
    await world.days(5)
    await world.publish(second)
    name = f"pr1._domainkey.{NAME}"
    theirs = world.resolver.zones[name]
    await world.publish(first)
    mine = world.resolver.zones[name]
    assert isinstance(theirs, dict)
    assert isinstance(mine, dict)
    world.resolver.zones[name] = {"TXT": [*theirs["TXT"], *mine["TXT"]]}
    checked = await world.check(second)
    assert (checked.taken, checked.domain.verified_at) == (True, None)
    assert (await world.now(first)).failing_since is None


async def test_x06_what_the_loser_has_queued_is_cancelled_and_signed_by_nobody(world: World) -> None:
    first = await world.verified(await world.account("A"))
    await world.queue(first, 3)
    second = await world.domain_of_another()
    await world.publish(second)
    await world.days(5)
    await world.check(second)
    assert {row["hold"] for row in await rows(world.database, "queue")} == {"paused"}
    await domain_removal.clean_up(world.database, 0)
    assert await rows(world.database, "queue") == []
    assert {row["status"] for row in await rows(world.database, "emails")} == {"cancelled"}
    assert "domain_lost" in {
        detail for row in await rows(world.database, "events") for detail in row["detail"].split('"')
    }
    found = await keys.private_key(world.database, BOX, NAME)
    async with world.database.read() as connection:
        active = await dkim_keys.active(connection, NAME)
    assert found is not None
    assert active is not None
    assert active.domain_id == second.id


async def test_x06_the_key_of_another_account_proves_nothing(world: World) -> None:
    first = await world.verified(await world.account("A"))
    second = await world.domain_of_another()
    checked = await world.check(second)
    assert (checked.looked.proved, checked.domain.verified_at) == (False, None)
    assert first.verified_at is not None


async def test_x06_records_that_are_left_prove_nothing_for_who_comes_next(world: World) -> None:
    first = await world.verified(await world.account("A"))
    await domain_removal.delete(world.database, first.id, by=SYSTEM, retention=0)
    second = await world.domain_of_another()
    assert (await world.check(second)).domain.verified_at is None
    again = await world.domain(first.account_id)
    assert (await world.check(again)).domain.verified_at is None


@pytest.mark.parametrize(
    "star",
    [
        {"TXT": ["v=DKIM1; k=rsa; p=AAAA"]},
        {"CNAME": ["bounce.pr.example."]},
        {"TXT": [""], "MX": ["0 ."], "A": ["192.0.2.1"]},
    ],
)
async def test_x06_a_wildcard_proves_nothing(world: World, star: dict[str, list[str]]) -> None:
    domain = await world.domain(await world.account("A"))
    world.resolver.zones[f"*.{NAME}"] = star
    checked = await world.check(domain)
    assert (checked.looked.proved, checked.domain.verified_at) == (False, None)


async def test_x06_two_who_verify_at_the_same_time_get_one_domain(world: World) -> None:
    first = await world.domain(await world.account("A"))
    second = await world.domain_of_another()
    await world.publish(first)
    name = f"pr1._domainkey.{NAME}"
    mine = world.resolver.zones[name]
    await world.publish(second)
    theirs = world.resolver.zones[name]
    assert isinstance(mine, dict)
    assert isinstance(theirs, dict)
    world.resolver.zones[name] = {"TXT": [*mine["TXT"], *theirs["TXT"]]}
    both = await asyncio.gather(world.check(first), world.check(second))
    assert sorted(one.domain.verified_at is not None for one in both) == [False, True]
    assert sorted(one.taken for one in both) == [False, True]


async def test_x06_the_longest_verified_name_wins_across_accounts(world: World) -> None:
    a, b = await world.account("A"), await world.account("B")
    await world.verified(a)
    assert (await world.state(a)).covering("mail.example.com") is not None
    sub = await world.verified(b, "mail.example.com")
    first, second = await world.state(a), await world.state(b)
    for name in ("mail.example.com", "x.mail.example.com"):
        assert first.covering(name) is None
        assert second.covering(name) is not None
    for name in (NAME, "other.example.com", "notmail.example.com"):
        assert first.covering(name) is not None
        assert second.covering(name) is None
    await domain_removal.delete(world.database, sub.id, by=SYSTEM, retention=0)
    assert (await world.state(a)).covering("mail.example.com") is not None
