"""The mail of Postroom itself on its whole way: into the sandbox inbox, or out from a domain of the installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import func, insert, select

from postroom.accept.api import ApiEdge, letters
from postroom.config import Config
from postroom.errors import PostroomError, StorageUnavailableError
from postroom.notify import SystemMailer
from postroom.runtime.blobs import MemoryBlobs
from postroom.store import domains as domain_store
from postroom.store import inbox, messages
from postroom.store.database import Database
from postroom.store.inbox import InboxItem
from postroom.store.schema import messages as message_rows
from postroom.store.schema import quota_days
from postroom.tenancy import accounts, domains, suppressions, system_account
from postroom.tenancy.grants import Grant
from postroom.tenancy.quota_watch import QuotaWatch
from postroom.tenancy.quotas import day_number
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.notices import ApprovalRequest, Invitation, QuotaNotice, Sent
from postroom.types.permissions import Role
from postroom.types.refusals import Refused
from postroom.wire import dkim_keys
from support import people
from support.engine import Engine

INVITATION = Invitation("ada@x.test", "Shop", "Bob", "https://mail.example.com/i/1")
QUOTA = QuotaNotice("bob@x.test", "Shop", 80, 1000, held=False)
FROM = "Our Mail <noreply@mail.sender.test>"


@pytest.fixture(autouse=True)
def one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim_keys, "generate_rsa", _same_key)


_same_key = cache(dkim_keys.generate_rsa)


@pytest.fixture
async def engine(database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    """`sender.test` is a live verified domain of an account."""
    engine = await Engine.start(database, tmp_path)
    yield engine
    await engine.stop()


def mailer(engine: Engine, sender: str = "", **server: Any) -> SystemMailer:
    config = Config(system={"from": sender}, server=server)  # type: ignore[arg-type]
    edge = ApiEdge(config, engine.clock, engine.database, MemoryBlobs(engine.clock), engine.commit)
    return SystemMailer(
        config, engine.database, engine.box, partial(letters.keep, edge), lambda: "http://localhost:8025/"
    )


async def inbox_of(engine: Engine) -> list[tuple[InboxItem, EmailMessage]]:
    """What lies in the sandbox, the oldest first."""
    async with engine.database.read() as connection:
        items = (await inbox.page(connection))[::-1]
        stored = await messages.load(connection, {(item.account_id, item.message_id) for item in items})
    contents = [zstandard.decompress(stored[item.account_id, item.message_id].data or b"") for item in items]
    return [(item, parsed(content)) for item, content in zip(items, contents, strict=True)]


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


async def arrived(engine: Engine, number: int = 1) -> list[tuple[InboxItem, EmailMessage]]:
    async with asyncio.timeout(20):
        while len(found := await inbox_of(engine)) < number:
            await asyncio.sleep(0.02)
    return found


async def posted(engine: Engine) -> None:
    """Until something was given to another server."""
    async with asyncio.timeout(20):
        while not engine.post.delivered:
            await asyncio.sleep(0.02)


async def test_without_a_domain_it_lies_in_the_sandbox(engine: Engine) -> None:
    sent = await mailer(engine).send(INVITATION)
    assert not sent.leaves
    [(item, message)] = await arrived(engine)
    assert (item.message_id, item.recipient) == (sent.message_id, "ada@x.test")
    assert item.account_id != engine.account
    assert engine.post.delivered == []
    assert message["From"] == f"Postroom <postroom@{system_account.SANDBOX}>"
    assert (message["To"], message["Subject"]) == ("ada@x.test", "Bob invites you to Shop")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Reply-To"] is None
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert INVITATION.link in text.get_content()
    assert INVITATION.link in html.get_content()


async def test_from_a_live_verified_domain_it_leaves_signed(engine: Engine) -> None:
    sent = await mailer(engine, FROM, contact="Ann <ann@example.com>").send(INVITATION)
    assert sent.leaves
    await posted(engine)
    [(envelope, composed)] = engine.post.delivered
    assert str(envelope.recipient) == "ada@x.test"
    message = parsed(composed.head + composed.body)
    assert (message["From"], message["Reply-To"]) == (FROM, "Ann <ann@example.com>")
    assert "d=sender.test;" in message["DKIM-Signature"]
    assert await inbox_of(engine) == []
    async with engine.database.read() as connection:
        story = await messages.show(connection, sent.message_id)
    assert story is not None
    assert story.message.account_id != engine.account


async def test_what_is_sent_once_is_kept_once(engine: Engine) -> None:
    """For each person, whichever node tries, and also when `system.from` has changed meanwhile. Its key is in the
    transaction of the message: it is there if and only if the message is."""
    here, there = mailer(engine), mailer(engine, FROM)
    await here.send(INVITATION)
    sent = await asyncio.gather(*(one.send(QUOTA, once="quota 1") for one in (here, there) * 3))
    again = await there.send(QUOTA, once="quota 1")
    assert {one.message_id for one in sent} == {again.message_id}
    others = [await here.send(QUOTA, once="quota 2"), await here.send(INVITATION, once="quota 1")]
    assert len({again.message_id, *(one.message_id for one in others)}) == 3
    async with engine.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(message_rows)) == 4


@pytest.mark.parametrize("dies_before", ["accept.api.letters.keep", "store.quota_days.note"])
async def test_a_quota_notice_outlives_its_process_and_comes_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, dies_before: str
) -> None:
    config = Config(limits={"daily_quota": 10})  # type: ignore[arg-type]
    await people.make(engine.database, engine.account, Grant(Role.ADMIN), email="ann@x.test")
    async with engine.database.write() as connection:
        row = {"account_id": engine.account, "day": day_number(engine.clock.now_ms()), "used": 8}
        await connection.execute(insert(quota_days).values(row))

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(f"postroom.{dies_before}", die)
        with pytest.raises(asyncio.CancelledError):
            await QuotaWatch(engine.database, mailer(engine), config, engine.clock).run_once()
    for _ in range(2):
        await QuotaWatch(engine.database, mailer(engine), config, engine.clock).run_once()
    [(item, _)] = await arrived(engine)
    assert item.recipient == "ann@x.test"
    async with engine.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(message_rows)) == 1


@pytest.mark.parametrize("sender", ["noreply@unknown.test", "noreply@unverified.test", "noreply@box.test"])
async def test_a_domain_that_is_not_live_and_verified_does_not_count(sender: str, engine: Engine) -> None:
    for name, mode in (("unverified.test", domains.LIVE), ("box.test", domains.SANDBOX)):
        await domains.add(engine.database, engine.box, name, account_id=engine.account, mode=mode, by=SYSTEM)
    assert not (await mailer(engine, sender).send(INVITATION)).leaves
    [(_, message)] = await arrived(engine)
    assert system_account.SANDBOX in message["From"]


async def test_the_account_is_made_once(engine: Engine) -> None:
    mail = mailer(engine)
    sent = await asyncio.gather(*(mail.send(notice) for notice in (INVITATION, QUOTA, INVITATION)))
    assert len({one.message_id for one in sent}) == 3
    items = [item for item, _ in await arrived(engine, 3)]
    assert len({(item.account_id, item.domain_id) for item in items}) == 1
    names = [account.name for account in await accounts.list_all(engine.database)]
    assert names.count(system_account.NAME) == 1


async def test_what_a_crash_left_is_gone_on_with(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = mailer(engine)

    async def crash(*_: object, **__: object) -> None:
        raise StorageUnavailableError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(domains, "add", crash)
        with pytest.raises(StorageUnavailableError):
            await mail.send(INVITATION)
    await mail.send(INVITATION)
    names = [account.name for account in await accounts.list_all(engine.database)]
    assert names.count(system_account.NAME) == 1


async def test_neither_the_owners_pause_nor_his_suspension_is_about_this_mail(engine: Engine) -> None:
    async with engine.database.write() as connection:
        assert await domain_store.change(connection, engine.domain, send_paused=True)
    await accounts.suspend(engine.database, engine.account, by=SYSTEM)
    await engine.directory.refresh()
    await mailer(engine, FROM).send(INVITATION)
    await posted(engine)


async def test_the_operator_is_told_at_server_contact(engine: Engine) -> None:
    request = ApprovalRequest("Shop", (("Why?", "Because"),), "https://mail.example.com/a/1")
    assert await mailer(engine).send(request) == Sent("", leaves=False)
    assert await inbox_of(engine) == []
    await mailer(engine, contact="operator@x.test").send(request)
    [(item, message)] = await arrived(engine)
    assert item.recipient == "operator@x.test"
    assert message["Subject"] == "Shop asks to be approved"


async def test_somebody_on_a_suppression_list_gets_nothing(engine: Engine) -> None:
    await mailer(engine).send(QUOTA)
    [(item, _)] = await arrived(engine)
    await suppressions.add(engine.database, item.account_id, "ada@x.test", by=SYSTEM)
    sent = await mailer(engine).send(INVITATION)
    assert (sent.message_id, sent.leaves) == ("", False)


@pytest.mark.parametrize("to", ["", "ada", "ada@x.test\r\nBcc: b@x.test", "a@b@c"])
async def test_what_is_no_address_is_refused(to: str, engine: Engine) -> None:
    with pytest.raises(PostroomError, match="is no email address"):
        await mailer(engine).send(QuotaNotice(to, "Shop", 80, 1000, held=False))


async def test_what_cannot_be_kept_is_an_error(engine: Engine) -> None:
    async def full(*_: object) -> Refused:
        return Refused(refusals.STORAGE_UNAVAILABLE)

    mail = SystemMailer(Config(), engine.database, engine.box, full, lambda: "")
    with pytest.raises(StorageUnavailableError):
        await mail.send(INVITATION)


async def test_links_lead_to_this_installation(engine: Engine) -> None:
    assert mailer(engine).link("/invites/1") == "http://localhost:8025/invites/1"
