"""Tokens: made, shown once, changed; and as the directory answers for them."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime.clock import FakeClock
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import accounts, domains, passwords, tokens
from postroom.tenancy.directory import Directory
from postroom.tenancy.entries import Bearer
from postroom.tenancy.tokens import NewToken
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.refusals import Refused, Rule
from postroom.types.scopes import Scope

CLIENT = "192.0.2.7"


@pytest.fixture
async def account(sqlite_database: Database) -> str:
    return (await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)).id


async def made(database: Database, account: str, **options: Any) -> NewToken:
    return await tokens.add(
        database, account, **{"name": "App", "scopes": [Scope.EMAIL_FULL], "by": SYSTEM, **options}
    )


async def test_a_token_is_random_and_only_its_hash_is_kept(sqlite_database: Database, account: str) -> None:
    one, two = await made(sqlite_database, account), await made(sqlite_database, account)
    assert one.secret != two.secret
    assert tokens.SHAPE.fullmatch(one.secret)
    assert one.token.secret_hash == passwords.digest(one.secret)
    assert one.token.preview == f"{one.secret[:9]}...{one.secret[-4:]}"
    assert one.secret not in repr(one)
    assert await tokens.get(sqlite_database, one.token.id) == one.token


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"name": " "}, "1 to 50"),
        ({"name": "x" * 51}, "1 to 50"),
        ({"scopes": []}, "at least one scope"),
        ({"scopes": ["email_full", "everything"]}, "everything: no such scope"),
        ({"allowed_addresses": ["192.0.2.0/33"]}, "no address or network"),
        ({"allowed_addresses": ["example.com"]}, "no address or network"),
        ({"expires_at": 1}, "in the past"),
        ({"domain": "nobody.test"}, "no domain"),
    ],
)
async def test_what_a_token_cannot_be(
    sqlite_database: Database, account: str, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(PostroomError, match=why):
        await made(sqlite_database, account, **options)


async def test_h01_a_token_is_for_a_domain_of_its_own_account(
    sqlite_database: Database, account: str
) -> None:
    box = SecretBox(bytes(32))
    other = await accounts.add(sqlite_database, "Other", by=SYSTEM)
    domain = await domains.add(
        sqlite_database, box, "shop.test", account_id=account, mode="sandbox", by=SYSTEM
    )
    found = (await made(sqlite_database, account, domain="shop.test")).token.domain_id
    assert found == domain.id
    with pytest.raises(NotFoundError):
        await made(sqlite_database, other.id, domain="shop.test")


async def test_what_is_not_there(sqlite_database: Database, account: str) -> None:
    token = (await made(sqlite_database, account)).token
    with pytest.raises(NotFoundError):
        await made(sqlite_database, "nobody")
    for change in (
        tokens.get(sqlite_database, "nobody"),
        tokens.get(sqlite_database, token.id, account_id="other"),
        tokens.change(sqlite_database, token.id, paused=True, account_id="other", by=SYSTEM),
        tokens.change(sqlite_database, token.id, name="New", account_id="other", by=SYSTEM),
        tokens.delete(sqlite_database, token.id, account_id="other", by=SYSTEM),
        tokens.list_all(sqlite_database, "nobody"),
    ):
        with pytest.raises(NotFoundError):
            await change
    assert await tokens.list_all(sqlite_database, account) == [token]


async def test_networks_are_written_as_networks(sqlite_database: Database, account: str) -> None:
    allowed = ["192.0.2.7", " 10.1.2.3/8 ", "2001:db8::1/64"]
    token = (await made(sqlite_database, account, allowed_addresses=allowed)).token
    assert token.allowed_addresses.splitlines() == ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/64"]


# -- as the directory answers -------------------------------------------------------------------------------------


class Desk:
    def __init__(self, database: Database, account: str) -> None:
        self.database = database
        self.account = account
        self.clock = FakeClock()
        self.directory = Directory(database, self.clock)

    async def ask(self, secret: str, client: str = CLIENT) -> Bearer | Rule:
        """As the API asks: memory first, then the database."""
        found = self.directory.known_bearer(secret, client) or await self.directory.read_bearer(
            secret, client
        )
        return found.rule if isinstance(found, Refused) else found


@pytest.fixture
async def desk(sqlite_database: Database, account: str) -> Desk:
    desk = Desk(sqlite_database, account)
    await desk.directory.refresh()
    return desk


async def test_a_token_is_read_once_and_then_known(desk: Desk) -> None:
    secret = (await made(desk.database, desk.account)).secret
    await desk.directory.refresh()
    assert desk.directory.known_bearer(secret, CLIENT) is None
    found = await desk.ask(secret)
    assert isinstance(found, Bearer)
    assert (found.account_id, found.scopes) == (desk.account, {Scope.EMAIL_FULL})
    assert desk.directory.known_bearer(secret, CLIENT) is found


async def test_a_change_is_seen_with_the_next_look(desk: Desk) -> None:
    new = await made(desk.database, desk.account)
    await desk.directory.refresh()
    assert isinstance(await desk.ask(new.secret), Bearer)
    await tokens.change(desk.database, new.token.id, paused=True, by=SYSTEM)
    assert desk.directory.known_bearer(new.secret, CLIENT) is not None  # until then
    await desk.directory.refresh()
    assert await desk.ask(new.secret) is refusals.TOKEN_INVALID
    await tokens.change(desk.database, new.token.id, paused=False, by=SYSTEM)
    assert isinstance(await desk.ask(new.secret), Bearer)  # a refusal is never from memory
    await tokens.delete(desk.database, new.token.id, by=SYSTEM)
    await desk.directory.refresh()
    assert await desk.ask(new.secret) is refusals.TOKEN_INVALID


async def test_what_was_read_before_a_change_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is paused while it is being read."""
    new = await made(desk.database, desk.account)
    await desk.directory.refresh()
    read = desk.directory._db.read

    def slow() -> Any:
        monkeypatch.setattr(desk.directory._db, "read", read)
        desk.directory._generation += 1
        return read()

    monkeypatch.setattr(desk.directory._db, "read", slow)
    await desk.directory.read_bearer(new.secret, CLIENT)
    assert desk.directory.known_bearer(new.secret, CLIENT) is None


async def test_expiry_needs_no_change(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "Clock", lambda: desk.clock)
    ends = desk.clock.now_ms() + 1000
    secret = (await made(desk.database, desk.account, expires_at=ends)).secret
    assert isinstance(await desk.ask(secret), Bearer)
    desk.clock.advance(0.999)
    assert isinstance(await desk.ask(secret), Bearer)
    desk.clock.advance(0.001)
    assert await desk.ask(secret) is refusals.TOKEN_INVALID


@pytest.mark.parametrize(
    ("client", "welcome"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.1", False),
        ("2001:db8::5", True),
        ("::1", False),
    ],
)
async def test_addresses(desk: Desk, client: str, welcome: bool) -> None:
    allowed = ["192.0.2.0/24", "2001:db8::/32"]
    secret = (await made(desk.database, desk.account, allowed_addresses=allowed)).secret
    for _ in range(2):  # read, and from memory
        found = await desk.ask(secret, client)
        assert isinstance(found, Bearer) if welcome else found is refusals.TOKEN_ADDRESS


async def test_scopes_of_a_newer_version_are_left_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "Scope", ["email_full", "time_travel"])
    secret = (await made(desk.database, desk.account, scopes=["email_full", "time_travel"])).secret
    found = await desk.ask(secret)
    assert isinstance(found, Bearer)
    assert found.scopes == {Scope.EMAIL_FULL}


async def test_use_is_written_in_batches(desk: Desk) -> None:
    new = await made(desk.database, desk.account)
    for _ in range(3):
        await desk.ask(new.secret)
        desk.clock.advance(1)
    assert (await tokens.get(desk.database, new.token.id)).last_used_at is None
    await desk.directory.flush()
    assert (await tokens.get(desk.database, new.token.id)).last_used_at == desk.clock.now_ms() - 1000
