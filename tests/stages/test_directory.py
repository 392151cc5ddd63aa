from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TypeVar

import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import FakeClock
from postroom.runtime.secrets import SecretBox
from postroom.store import database as store_database
from postroom.store.database import Database
from postroom.store.schema import domains as domains_table
from postroom.store.schema import smtp_users as smtp_users_table
from postroom.tenancy import accounts, domains, smtp_users
from postroom.tenancy.directory import POLL, Directory
from postroom.tenancy.entries import Credential
from postroom.tenancy.smtp_users import NewSmtpUser
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.refusals import Refused, Rule

T = TypeVar("T")

CLIENT = "192.0.2.7"


async def settled(answer: T | Awaitable[T]) -> T:
    return await answer if isawaitable(answer) else answer


def rule(answer: object) -> Rule:
    assert isinstance(answer, Refused)
    return answer.rule


class Office:
    """A directory, and an account with a domain and an SMTP user."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.directory = Directory(database, self.clock)

    async def prepare(self) -> Office:
        self.account = await accounts.add(self.database, "Shop", approved=True, by=SYSTEM)
        box = SecretBox(bytes(32))
        self.domain = await domains.add(
            self.database, box, "example.com", account_id=self.account.id, trusted=True, by=SYSTEM
        )
        self.user = await smtp_users.add(self.database, "example.com", name="App", by=SYSTEM)
        await self.directory.refresh()
        return self

    async def login(self, password: str | None = None, client: str = CLIENT) -> Credential | Refused:
        password = self.user.password if password is None else password
        return await settled(self.directory.login(self.user.username, password, client))

    async def change(self, **columns: object) -> None:
        """As another process would: the row changes and the version does not."""
        async with self.database.write() as connection:
            await connection.execute(update(smtp_users_table).values(**columns))


@pytest.fixture
async def office(sqlite_database: Database) -> Office:
    return await Office(sqlite_database).prepare()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to take the database away."""

    def take_away() -> None:
        def read(_self: Database) -> object:
            raise StorageUnavailableError("gone")

        monkeypatch.setattr(store_database.Database, "read", read)

    return take_away


async def test_a_cached_login_is_answered_at_once(office: Office) -> None:
    first = office.directory.login(office.user.username, office.user.password, CLIENT)
    assert isawaitable(first)
    credential = await first
    assert isinstance(credential, Credential)
    assert (credential.id, credential.account_id, credential.domain_id) == (
        office.user.id,
        office.account.id,
        office.domain.id,
    )
    assert office.directory.login(office.user.username.upper(), office.user.password, CLIENT) == credential


async def test_no_sql_while_warm(office: Office) -> None:
    credential = await office.login()
    assert isinstance(credential, Credential)
    await settled(office.directory.account(office.account.id))
    statements: list[str] = []
    engine = office.database._read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert office.directory.login(office.user.username, office.user.password, CLIENT) == credential
    assert office.directory.known_credential(credential, CLIENT) is credential
    assert not isawaitable(office.directory.account(office.account.id))
    assert office.directory.known(office.account.id) is not None
    assert statements == []


async def test_wrong_password_and_unknown_user_say_the_same(office: Office) -> None:
    wrong = await office.login("wrong")
    unknown = await settled(office.directory.login("pr_nobody@example.com", "wrong", CLIENT))
    empty = await settled(office.directory.login("", "", CLIENT))
    assert wrong == unknown == empty
    assert rule(wrong) is refusals.AUTH_FAILED


async def test_an_id_is_no_username(office: Office) -> None:
    answer = await settled(office.directory.login(office.user.id, office.user.password, CLIENT))
    assert rule(answer) is refusals.AUTH_FAILED


async def test_unknown_users_cost_the_same_queries(office: Office) -> None:
    counts: list[int] = []
    engine = office.database._read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *_: counts.append(1))
    await office.login("wrong")
    known = len(counts)
    await settled(office.directory.login("pr_nobody@example.com", "wrong", CLIENT))
    assert len(counts) == 2 * known


async def test_a_failed_login_reads_again_before_it_is_refused(office: Office) -> None:
    await office.login()
    renewed = await smtp_users.reset_password(office.database, office.user.user, by=SYSTEM)
    assert isinstance(
        await office.login(renewed.password), Credential
    )  # nobody has looked at the version yet
    assert rule(await office.login(office.user.password)) is refusals.AUTH_FAILED


async def test_switched_off_is_told_only_to_who_knows_the_password(office: Office) -> None:
    await smtp_users.change(office.database, office.user.user, enabled=False, by=SYSTEM)
    assert rule(await office.login("wrong")) is refusals.AUTH_FAILED
    assert rule(await office.login()) is refusals.SMTP_USER_DISABLED
    await smtp_users.change(office.database, office.user.user, enabled=True, by=SYSTEM)
    assert isinstance(await office.login(), Credential)  # also without a look at the version


async def test_smtp_switched_off_for_the_domain(office: Office) -> None:
    async with office.database.write() as connection:
        await connection.execute(update(domains_table).values(smtp_enabled=False))
    assert rule(await office.login("wrong")) is refusals.AUTH_FAILED
    assert rule(await office.login()) is refusals.DOMAIN_SMTP_DISABLED


@pytest.mark.parametrize(
    ("client", "allowed"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("fe80::1%eth0", False),
        ("198.51.100.1", False),
        ("no address", False),
    ],
)
async def test_addresses_that_may_use_an_smtp_user(office: Office, client: str, allowed: bool) -> None:
    await office.change(allowed_addresses="192.0.2.0/24\n2001:db8::/32")
    answer = await office.login(client=client)
    assert isinstance(answer, Credential) if allowed else rule(answer) is refusals.ADDRESS_NOT_ALLOWED
    assert rule(await office.login("wrong", client)) is refusals.AUTH_FAILED


async def test_our_own_fault_is_temporary(office: Office, broken: Callable[[], None]) -> None:
    credential = await office.login()
    broken()
    assert await office.login() == credential  # what is cached stays good
    assert rule(await office.login("wrong")) is refusals.LOGIN_UNAVAILABLE
    with pytest.raises(StorageUnavailableError):
        await settled(office.directory.account(office.account.id))


async def test_q09_nobody_waits_for_a_database_that_hangs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readings go on, and what they bring in the end is of use to the next one."""
    go = asyncio.Event()
    reading = Database.read

    @asynccontextmanager
    async def hanging(database: Database) -> AsyncIterator[AsyncConnection]:
        await go.wait()
        async with reading(database) as connection:
            yield connection

    monkeypatch.setattr(Database, "read", hanging)
    monkeypatch.setattr(office.database, "timeout", 0.02)
    directory = office.directory
    assert rule(await office.login()) is refusals.LOGIN_UNAVAILABLE
    for answer in (directory.account(office.account.id), directory.account("nobody")):
        with pytest.raises(StorageUnavailableError, match="in time"):
            await settled(answer)
    go.set()
    while directory.known(office.account.id) is None:
        await asyncio.sleep(0.001)
    assert isinstance(await office.login(), Credential)


async def test_a_change_by_any_process_is_seen_at_the_next_look(office: Office) -> None:
    credential = await office.login()
    assert isinstance(credential, Credential)
    state = await settled(office.directory.account(office.account.id))
    assert state is not None
    assert state.state == "approved"
    await accounts.suspend(office.database, office.account.id, "spam", by=SYSTEM)
    await smtp_users.change(office.database, office.user.user, enabled=False, by=SYSTEM)
    await office.directory.refresh()
    state = await settled(office.directory.account(office.account.id))
    assert state is not None
    assert (state.state, state.reason) == ("suspended", "spam")
    assert rule(await office.directory.read_credential(credential, CLIENT)) is refusals.LOGIN_REVOKED


async def test_no_change_keeps_the_cache(office: Office) -> None:
    await office.login()
    await office.directory.refresh()
    assert not isawaitable(office.directory.login(office.user.username, office.user.password, CLIENT))


@pytest.mark.parametrize("change", ["reset", "delete", "nothing"])
async def test_an_open_connection_ends_with_its_password(office: Office, change: str) -> None:
    credential = await office.login()
    assert isinstance(credential, Credential)
    if change == "reset":
        await smtp_users.reset_password(office.database, office.user.user, by=SYSTEM)
    elif change == "delete":
        await smtp_users.delete(office.database, office.user.user, by=SYSTEM)
    else:
        await accounts.add(office.database, "Another", by=SYSTEM)
    await office.directory.refresh()
    assert office.directory.known_credential(credential, CLIENT) is None
    renewed = await office.directory.read_credential(credential, CLIENT)
    assert (renewed == credential) is (change == "nothing")


@pytest.mark.parametrize(
    ("columns", "still"),
    [
        ({"enabled": False}, False),
        ({"expires_at": 1}, False),
        ({"allowed_addresses": "198.51.100.0/24"}, False),
        ({"allowed_addresses": "192.0.2.0/24"}, True),
        ({"name": "Another"}, True),
    ],
)
async def test_an_open_connection_goes_on_while_it_could_log_in(
    office: Office, columns: dict[str, object], still: bool
) -> None:
    credential = await office.login()
    assert isinstance(credential, Credential)
    await office.change(**columns)
    office.directory._logins.clear()
    for _ in range(2):  # from the database, then from the cache
        answer = office.directory.known_credential(credential, CLIENT)
        answer = answer or await office.directory.read_credential(credential, CLIENT)
        assert answer == credential if still else rule(answer) is refusals.LOGIN_REVOKED


async def test_an_open_connection_may_do_what_its_user_may_do_now(office: Office) -> None:
    credential = await office.login()
    assert isinstance(credential, Credential)
    assert (credential.from_domains, credential.caps) == (None, ())
    await smtp_users.change(
        office.database,
        office.user.user,
        by=SYSTEM,
        from_domains=office.domain.id,
        hourly_cap=5,
        daily_cap=9,
        refuse_suppressed=True,
        stream="broadcast",
    )
    await office.directory.refresh()
    now = await office.directory.read_credential(credential, CLIENT)
    assert isinstance(now, Credential)
    assert now.from_domains == {office.domain.id}
    assert [(cap.span, cap.most) for cap in now.caps] == [("hour", 5), ("day", 9)]
    assert (now.refuse_suppressed, now.stream) == (True, "broadcast")


async def test_an_smtp_user_expires_by_itself(office: Office) -> None:
    """Nothing is written when its time comes, so no cache hears of it."""
    soon = office.clock.now_ms() + 1000
    await office.change(expires_at=soon)
    credential = await office.login()
    assert isinstance(credential, Credential)
    office.clock.advance(1.0)
    assert rule(office.directory.known_credential(credential, CLIENT)) is refusals.LOGIN_REVOKED
    assert rule(await office.login("wrong")) is refusals.AUTH_FAILED
    refused = await office.login()
    assert rule(refused) is refusals.SMTP_USER_EXPIRED
    reply = str(refused.reply())  # type: ignore[union-attr]
    assert reply.startswith("535 5.7.8 ")
    assert office.user.username in reply


async def test_what_was_read_before_a_change_is_not_kept(office: Office) -> None:
    """The read is under way when the change is noticed: whoever asked gets the old state, the next one the new."""
    reading = asyncio.ensure_future(office.directory._read_account(office.account.id))
    await asyncio.sleep(0)
    office.directory._generation += 1  # as refresh does
    assert await reading is not None
    assert office.directory.known(office.account.id) is None


async def test_many_who_want_the_same_share_one_reader(office: Office) -> None:
    reads = 0
    original = office.directory._read_account

    async def counted(account_id: str) -> object:
        nonlocal reads
        reads += 1
        return await original(account_id)

    office.directory._read_account = counted  # type: ignore[method-assign,assignment]
    waiting = [asyncio.ensure_future(settled(office.directory.account(office.account.id))) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # one who goes away does not stop it
    answers = await asyncio.gather(*waiting[1:])
    assert reads == 1
    assert len({id(answer) for answer in answers}) == 1


async def test_verified_domains_cover_their_subdomains(office: Office) -> None:
    box = SecretBox(bytes(32))
    await domains.add(
        office.database, box, "mail.example.com", account_id=office.account.id, trusted=True, by=SYSTEM
    )
    await domains.add(office.database, box, "unverified.test", account_id=office.account.id, by=SYSTEM)
    state = await settled(office.directory.account(office.account.id))
    assert state is not None
    covered = {
        name: found.name if (found := state.covering(name)) else None
        for name in ("example.com", "a.b.example.com", "mail.example.com", "x.mail.example.com", "notexample.com",
                     "com", "", "unverified.test")
    }  # fmt: skip
    assert covered == {
        "example.com": "example.com",
        "a.b.example.com": "example.com",
        "mail.example.com": "mail.example.com",
        "x.mail.example.com": "mail.example.com",
        "notexample.com": None,
        "com": None,
        "": None,
        "unverified.test": None,
    }
    assert state.by_id[office.domain.id].return_path_host == ""


async def test_an_account_that_is_not_there(office: Office) -> None:
    assert await settled(office.directory.account("x" * 16)) is None


async def test_watch_looks_often_calls_listeners_and_outlives_trouble(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    office.directory.on_change(lambda: heard.append(1))
    looks = asyncio.Event()
    fail = True
    original = office.directory.refresh

    async def refresh() -> None:
        nonlocal fail
        if fail:
            fail = False
            raise StorageUnavailableError("gone")
        await original()
        looks.set()

    monkeypatch.setattr(office.directory, "refresh", refresh)
    await accounts.add(office.database, "Another", by=SYSTEM)
    watching = asyncio.create_task(office.directory.watch())
    await office.clock.run(0)
    office.clock.advance(POLL)
    await asyncio.wait_for(looks.wait(), 5)
    assert heard == [1]
    watching.cancel()


async def test_last_use_is_written_in_one_go(office: Office) -> None:
    await office.login()
    await office.login()
    assert (await smtp_users.find(office.database, office.user.id)).last_used_at is None
    await office.directory.flush()
    assert (await smtp_users.find(office.database, office.user.id)).last_used_at == office.clock.now_ms()
    version = office.directory._version
    await office.directory.refresh()
    assert office.directory._version == version  # no cache depends on it


async def test_the_password_is_not_in_what_is_logged(office: Office) -> None:
    credential = await office.login()
    assert isinstance(office.user, NewSmtpUser)
    shown = (
        repr(credential) + repr(office.user) + repr(await smtp_users.find(office.database, office.user.id))
    )
    assert office.user.password not in shown
    assert "password_hash" not in shown
