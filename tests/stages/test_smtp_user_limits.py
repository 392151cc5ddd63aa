"""What an SMTP user may do, from its login to the commit: senders, caps, suppressed recipients; while its connection is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from inspect import isawaitable
from typing import Any, TypeVar

import pytest
from sqlalchemy import update

from postroom.accept.commit import GroupCommit
from postroom.accept.rate import Pace
from postroom.accept.refused import RefusalLog
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.suppressed import SuppressedRecipients
from postroom.accept.usage import Usage
from postroom.config import Config
from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import FakeClock
from postroom.runtime.secrets import SecretBox
from postroom.store import database as store_database
from postroom.store import messages, sender_identities
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.schema import smtp_users as smtp_users_table
from postroom.store.schema import suppressions as suppressions_table
from postroom.store.sender_identities import SenderIdentity
from postroom.tenancy import accounts, domains, smtp_users, suppressions
from postroom.tenancy.directory import Directory
from postroom.tenancy.entries import Credential
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.draft import Content, Stream
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused, Rule
from postroom.types.suppression import SuppressionList

T = TypeVar("T")

CLIENT = "192.0.2.7"
BOX = SecretBox(bytes(32))
MINUTE, HOUR, DAY = 60, 3600, 86400


async def settled(answer: T | Awaitable[T]) -> T:
    return await answer if isawaitable(answer) else answer


def rule(answer: object) -> Rule:
    assert isinstance(answer, Refused), answer
    return answer.rule


class Relay:
    """The policy of one node; `restarted` is another one on the same database."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.directory = Directory(database, clock)
        usage = Usage(database)
        self.commit = GroupCommit(
            database,
            clock,
            lifetime=3600,
            owner_for=lambda _: 0,
            handed=lambda _: None,
            counted=usage.count,
            capped=usage.count_capped,
        )
        self.policy = SubmissionPolicy(
            Config(),
            clock,
            self.directory,
            usage,
            self.commit,
            RefusalLog(database, clock),
            suppressed=SuppressedRecipients(database, clock).refusal,
        )


class Shop:
    """An account with a domain and an SMTP user, whose connection stays open."""

    login: Credential

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.relay = Relay(database, self.clock)

    async def prepare(self) -> Shop:
        self.account = await accounts.add(self.database, "Shop", approved=True, by=SYSTEM)
        self.domain = await self.add_domain("example.com")
        self.user = await smtp_users.add(self.database, "example.com", name="App", by=SYSTEM)
        await self.log_in()
        return self

    async def add_domain(self, name: str) -> Domain:
        return await domains.add(
            self.database, BOX, name, account_id=self.account.id, trusted=True, by=SYSTEM
        )

    async def log_in(self) -> None:
        await self.relay.directory.refresh()
        found = await settled(self.relay.policy.login(self.user.username, self.user.password, CLIENT))
        assert isinstance(found, Credential)
        self.login = found

    async def restart(self) -> None:
        self.relay = Relay(self.database, self.clock)
        await self.log_in()

    async def change(self, **columns: Any) -> None:
        """Seen by the relay; the connection that is open stays open."""
        async with self.database.write() as connection:
            await connection.execute(update(smtp_users_table).values(**columns))
        await self.look()

    async def look(self) -> None:
        """Forget what is cached, as within a second of any change."""
        self.relay.directory._version = -1
        await self.relay.directory.refresh()

    async def suppress(self, address: str, **terms: Any) -> None:
        await suppressions.add(self.database, self.account.id, address, by=SYSTEM, **terms)
        await self.look()

    async def mail(self) -> Refused | Pace:
        return await settled(self.relay.policy.mail(self.login, _envelope(), CLIENT))

    async def rcpt(self, address: str) -> Refused | None:
        envelope = _envelope()
        return await settled(self.relay.policy.rcpt(self.login, envelope, _recipient(address), CLIENT))

    async def data(self, *to: str, author: str = "app@example.com", more: str = "") -> str | Refused:
        """At the end of data, whatever was said before."""
        header = f"From: {author}\r\nSubject: hi\r\n{more}".encode()
        data = header + b"\r\nbody\r\n"
        content = Content(data, len(data), len(header))
        envelope = _envelope(*(to or ("r@x.test",)))
        return await settled(self.relay.policy.message(self.login, envelope, content, CLIENT))


def _recipient(address: str) -> Recipient:
    return Recipient(Address(*address.split("@")))


def _envelope(*to: str) -> Envelope:
    return Envelope(Address("app", "example.com"), [_recipient(address) for address in to])


@pytest.fixture
async def shop(sqlite_database: Database) -> Shop:
    return await Shop(sqlite_database).prepare()


# -- senders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("author", "allowed"),
    [
        ("a@example.com", True),
        ("a@news.example.com", True),
        ("a@x.news.example.com", True),
        ("a@example.org", False),
        ("a@example.com, b@example.org", False),
        ("a@example.com\r\nSender: b@example.org", False),
        ("a@example.com\r\nSender: b@example.com", True),
    ],
)
async def test_from_only_under_some_domains(shop: Shop, author: str, allowed: bool) -> None:
    """And what lies under them, also where that is verified by itself."""
    await shop.add_domain("example.org")
    await shop.add_domain("news.example.com")
    await shop.change(from_domains=shop.domain.id)
    answer = await shop.data(author=author)
    assert isinstance(answer, str) if allowed else rule(answer) is refusals.FROM_NOT_ALLOWED


async def test_without_a_list_every_verified_domain(shop: Shop) -> None:
    await shop.add_domain("example.org")
    await shop.look()
    assert isinstance(await shop.data(author="a@example.org"), str)
    assert rule(await shop.data(author="a@example.net")) is refusals.FROM_NOT_VERIFIED


async def test_a_list_whose_domains_are_gone_allows_nothing(shop: Shop) -> None:
    await shop.change(from_domains="x" * 16)
    refused = await shop.data()
    assert rule(refused) is refusals.FROM_NOT_ALLOWED
    assert str(refused.reply()).startswith("550 5.7.1 This SMTP user may not send from example.com")  # type: ignore[union-attr]


async def test_a_sender_identity_counts_as_its_domain(shop: Shop) -> None:
    other, now = await shop.add_domain("example.org"), shop.clock.now_ms()
    identity = SenderIdentity(
        account_id=shop.account.id,
        id="i" * 16,
        domain_id=shop.domain.id,
        email="anna@mail.test",
        organisation="mail.test",
        name="Anna",
        reply_to_email="",
        reply_to_name="",
        add_note=False,
        personal_note="",
        resends=0,
        secret_hash=None,
        expires_at=now,
        verified_at=now,
        problem="",
        checked_at=now,
        created_at=now,
        updated_at=now,
    )
    async with shop.database.write() as connection:
        await sender_identities.add(connection, identity)
    await shop.change(from_domains=shop.domain.id)
    assert isinstance(await shop.data(author=identity.email), str)
    await shop.change(from_domains=other.id)
    assert rule(await shop.data(author=identity.email)) is refusals.FROM_NOT_ALLOWED


# -- caps ---------------------------------------------------------------------------------------------------------


async def test_a_cap_counts_accepted_recipients(shop: Shop) -> None:
    await shop.change(hourly_cap=3)
    assert isinstance(await shop.data("a@x.test", "b@x.test"), str)
    assert rule(await shop.data("c@x.test", "d@x.test")) is refusals.SMTP_USER_HOURLY_CAP
    assert rule(await shop.data(author="a@example.net")) is refusals.FROM_NOT_VERIFIED
    assert isinstance(await shop.data("e@x.test"), str)
    shop.clock.advance(12 * MINUTE)
    refused = await shop.data("f@x.test")
    assert str(refused.reply()).startswith(  # type: ignore[union-attr]
        "451 4.7.1 This SMTP user's hourly cap of 3 emails is used up (3 used); it resets at 01:00 UTC, in 48 min."
    )


async def test_once_it_is_used_up_mail_says_so(shop: Shop) -> None:
    await shop.change(daily_cap=1)
    assert isinstance(await shop.mail(), Pace)
    await shop.data()
    shop.clock.advance(5 * HOUR)
    refused = await shop.mail()
    assert rule(refused) is refusals.SMTP_USER_DAILY_CAP
    assert "it resets at 00:00 UTC, in 19 h 0 min" in str(refused.reply())  # type: ignore[union-attr]


@pytest.mark.parametrize(("cap", "span"), [("hourly_cap", HOUR), ("daily_cap", DAY)])
async def test_it_begins_anew(shop: Shop, cap: str, span: int) -> None:
    await shop.change(**{cap: 1})
    shop.clock.advance(span - MINUTE)
    await shop.data()
    assert isinstance(await shop.mail(), Refused)
    shop.clock.advance(MINUTE)
    assert isinstance(await shop.mail(), Pace)
    assert isinstance(await shop.data(), str)


async def test_the_smaller_of_two_caps_counts(shop: Shop) -> None:
    await shop.change(hourly_cap=2, daily_cap=3)
    for hour in range(3):
        answers = [await shop.data(), await shop.data(), await shop.data()]
        kept = sum(isinstance(answer, str) for answer in answers)
        assert kept == {0: 2, 1: 1, 2: 0}[hour]
        shop.clock.advance(HOUR)


async def test_x04_a_cap_holds_across_connections_and_restarts(shop: Shop) -> None:
    await shop.change(hourly_cap=10)
    answers = await asyncio.gather(*(shop.data("a@x.test", "b@x.test") for _ in range(4)))
    assert all(isinstance(answer, str) for answer in answers)
    await shop.restart()
    answers = await asyncio.gather(*(shop.data("a@x.test", "b@x.test") for _ in range(4)))
    assert sum(isinstance(answer, str) for answer in answers) == 1


async def test_a_cap_is_one_users_and_another_cap_counts_at_once(shop: Shop) -> None:
    await shop.change(hourly_cap=1)
    await shop.data()
    first = shop.login
    shop.user = await smtp_users.add(shop.database, "example.com", name="Other", hourly_cap=1, by=SYSTEM)
    await shop.log_in()
    assert isinstance(await shop.data(), str)
    shop.login = first
    assert rule(await shop.mail()) is refusals.SMTP_USER_HOURLY_CAP
    await shop.change(hourly_cap=2)
    assert isinstance(await shop.mail(), Pace)
    assert isinstance(await shop.data(), str)
    await shop.change(hourly_cap=None)
    assert isinstance(await shop.data(), str)


# -- suppressed recipients ----------------------------------------------------------------------------------------


async def test_rcpt_is_quiet_unless_it_is_set_to_refuse(shop: Shop) -> None:
    await shop.suppress("gone@x.test", on=SuppressionList.HARD_BOUNCES)
    assert await shop.rcpt("gone@x.test") is None
    assert isinstance(await shop.data("gone@x.test"), str)
    await shop.change(refuse_suppressed=True)
    refused = await shop.rcpt("gone@x.test")
    assert rule(refused) is refusals.RECIPIENT_SUPPRESSED
    assert str(refused.reply()).startswith("550 5.7.1 gone@x.test is on a suppression list")  # type: ignore[union-attr]
    assert "(hard_bounced)" in str(refused.reply())  # type: ignore[union-attr]
    assert await shop.rcpt("there@x.test") is None
    assert rule(await shop.data("there@x.test", "gone@x.test")) is refusals.RECIPIENT_SUPPRESSED


async def test_rcpt_refuses_what_no_domain_of_the_user_may_write_to(shop: Shop) -> None:
    """Who the message is from is not known yet: the rest is refused at the end of data."""
    other = await shop.add_domain("example.org")
    await shop.change(refuse_suppressed=True)
    await shop.suppress("gone@x.test", domain=shop.domain.id)
    assert await shop.rcpt("gone@x.test") is None
    assert rule(await shop.data("gone@x.test")) is refusals.RECIPIENT_SUPPRESSED
    assert isinstance(await shop.data("gone@x.test", author="a@example.org"), str)
    await shop.change(from_domains=shop.domain.id)
    assert rule(await shop.rcpt("gone@x.test")) is refusals.RECIPIENT_SUPPRESSED
    await shop.change(from_domains=other.id)
    assert await shop.rcpt("gone@x.test") is None


@pytest.mark.parametrize("stream", Stream)
async def test_rcpt_asks_for_the_users_stream(shop: Shop, stream: Stream) -> None:
    await shop.change(refuse_suppressed=True, stream=stream.value)
    await shop.suppress("left@x.test", on=SuppressionList.UNSUBSCRIBES, stream=Stream.BROADCAST.value)
    assert (await shop.rcpt("left@x.test") is not None) is (stream is Stream.BROADCAST)


async def test_rcpt_when_nobody_can_tell(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.change(refuse_suppressed=True)
    await shop.suppress("gone@x.test")
    await shop.mail()

    def read(_self: Database) -> object:
        raise StorageUnavailableError("gone")

    monkeypatch.setattr(store_database.Database, "read", read)
    assert rule(await shop.rcpt("a@x.test")) is refusals.STORAGE_UNAVAILABLE


async def test_nobody_else_waits_at_rcpt(shop: Shop) -> None:
    """Without an entry in the account, or without the setting, the answer is there at once."""
    await shop.change(refuse_suppressed=True)
    await shop.mail()
    assert shop.relay.policy.rcpt(shop.login, _envelope(), _recipient("a@x.test"), CLIENT) is None
    await shop.suppress("gone@x.test")
    await shop.change(refuse_suppressed=False)
    await shop.mail()
    assert shop.relay.policy.rcpt(shop.login, _envelope(), _recipient("gone@x.test"), CLIENT) is None
    async with shop.database.write() as connection:
        await connection.execute(suppressions_table.delete())


# -- while a connection is open -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", [{"enabled": False}, {"expires_at": 1}, {"allowed_addresses": "198.51.100.1"}]
)
async def test_what_ends_it_is_told_at_every_step(shop: Shop, end: dict[str, object]) -> None:
    assert isinstance(await shop.mail(), Pace)
    await shop.change(**end)
    assert rule(await shop.data()) is refusals.LOGIN_REVOKED
    assert rule(await shop.mail()) is refusals.LOGIN_REVOKED
    assert rule(await shop.data()) is refusals.LOGIN_REVOKED
    assert rule(await shop.rcpt("a@x.test")) is refusals.LOGIN_REVOKED


async def test_the_domains_switch_ends_it(shop: Shop) -> None:
    await domains.change(shop.database, shop.domain.id, smtp_enabled=False, by=SYSTEM)
    await shop.look()
    assert rule(await shop.mail()) is refusals.LOGIN_REVOKED
    refused = await settled(shop.relay.policy.login(shop.user.username, shop.user.password, CLIENT))
    assert rule(refused) is refusals.DOMAIN_SMTP_DISABLED


async def test_the_stream_of_now_is_kept_with_the_message(shop: Shop) -> None:
    await shop.change(stream="broadcast")
    kept = [await shop.data(), await shop.data(more="X-Postroom-Stream: transactional\r\n")]
    async with shop.database.read() as connection:
        found = [await messages.get(connection, shop.account.id, str(one)) for one in kept]
    assert [one.stream for one in found if one] == ["broadcast", "transactional"]


async def test_precedence_bulk_is_kept_with_the_message(shop: Shop) -> None:
    """What the domain's setting was when it was accepted; `compose` adds the field."""
    before = await shop.data()
    await domains.change(shop.database, shop.domain.id, precedence_bulk=True, by=SYSTEM)
    await shop.look()
    after = await shop.data()
    async with shop.database.read() as connection:
        found = [await messages.get(connection, shop.account.id, str(one)) for one in (before, after)]
    assert [one.precedence_bulk for one in found if one] == [False, True]
