"""What a client says in MAIL, RCPT and the header, from the dialogue through the database to the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from postroom.accept.refused import RefusalLog
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.usage import Usage
from postroom.deliver.courier import OneRecipient
from postroom.store import email_search
from postroom.store.database import Database
from postroom.store.email_search import EmailFilter
from postroom.store.schema import emails, messages, queue
from postroom.tenancy import smtp_users
from postroom.types.actor import SYSTEM
from postroom.types.draft import Content
from postroom.types.envelope import Address
from postroom.wire.smtp.client_commands import Needs, mail, rcpt
from support.engine import Engine
from support.smtp_owner import Owner, logged_in_owner

CLIENT = "192.0.2.7"

MAIL = b"MAIL FROM:<app@sender.test> RET=HDRS ENVID=order+2B7"
VISIBLE = b"RCPT TO:<you@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;you+2Bbox@x.test"
HIDDEN = b"RCPT TO:<hidden@x.test> NOTIFY=NEVER"
MESSAGE = (
    b"From: app@sender.test\r\n"
    b"To: you@x.test\r\n"
    b"Bcc: other@x.test\r\n"
    b"Subject: hi\r\n"
    b'X-MailerSend-Tags: "order, paid"\r\n'
    b"X-Postroom-Stream: broadcast\r\n"
    b"\r\n"
    b"hello\r\n"
)


class Desk:
    """A dialogue's message handed to the real policy of an engine that does not deliver yet."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        usage = Usage(engine.database)
        refusal_log = RefusalLog(engine.database, engine.clock)
        self.policy = SubmissionPolicy(
            engine.config, engine.clock, engine.directory, usage, engine.commit, refusal_log
        )

    async def accept(self, *commands: bytes) -> None:
        """MESSAGE with the envelope that these commands make."""
        engine = self.engine
        user = await smtp_users.add(engine.database, "sender.test", name="App", by=SYSTEM)
        await engine.directory.refresh()
        login = await settled(self.policy.login(user.username, user.password, CLIENT))
        owner = logged_in_owner()
        for line in (*commands, b"DATA"):
            assert owner.feed(line + b"\r\n")[:1] in (b"2", b"3"), line
        owner.feed(MESSAGE + b".\r\n")
        answer = await settled(self.policy.message(login, owner.envelopes[0], content(owner), CLIENT))
        assert isinstance(answer, str), answer

    async def delivered(self) -> dict[str, tuple[OneRecipient, bytes]]:
        """By recipient: the envelope and the message, as the carrier was given them, out of the database."""
        await self.engine.run()
        async with asyncio.timeout(5):
            while await rows(self.engine.database, queue.c.email_id):
                await asyncio.sleep(0.01)
        return {
            str(envelope.recipient): (envelope, composed.head + composed.body)
            for envelope, composed in self.engine.post.delivered
        }

    async def found(self, **wanted: str) -> int:
        """How many emails the activity finds by this."""
        engine = self.engine
        everything = EmailFilter(
            engine.account, domains=None, start=0, end=engine.clock.now_ms() + 1, **wanted
        )
        return len(await email_search.page(engine.database, everything, offset=0, limit=10))


async def settled(answer: Any) -> Any:
    return await answer if isawaitable(answer) else answer


def content(owner: Owner) -> Content:
    return Content(owner.kept[0], owner.ends[0].size, owner.ends[0].header_size)


async def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    async with database.read() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns))]


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    engine = await Engine.start(database, tmp_path, running=False)
    yield Desk(engine)
    await engine.stop()


async def test_s27_dsn_parameters_are_kept_and_handed_on(desk: Desk) -> None:
    await desk.accept(MAIL, VISIBLE, HIDDEN)
    database = desk.engine.database
    assert await rows(database, messages.c.dsn_ret, messages.c.dsn_envid) == [("HDRS", "order+2B7")]
    kept = await rows(database, emails.c.recipient, emails.c.dsn_notify, emails.c.dsn_orcpt)
    assert sorted(kept) == [
        ("hidden@x.test", "NEVER", ""),
        ("you@x.test", "SUCCESS,DELAY", "rfc822;you+2Bbox@x.test"),
    ]
    delivered = await desk.delivered()
    sender = "app@sender.test"
    visible, hidden = delivered["you@x.test"][0], delivered["hidden@x.test"][0]
    assert visible == OneRecipient(
        sender, Address("you", "x.test"), "HDRS", "order+2B7", "SUCCESS,DELAY", "rfc822;you+2Bbox@x.test"
    )
    assert hidden == OneRecipient(sender, Address("hidden", "x.test"), "HDRS", "order+2B7", "NEVER")
    for offers, given, received in (({"DSN": ""}, MAIL, VISIBLE), ({}, MAIL[:27], VISIBLE[:20])):
        assert mail(visible, Needs(9), offers).encode() == given
        assert rcpt(visible, offers).encode() == received


async def test_without_dsn_parameters_none_are_made_up(desk: Desk) -> None:
    await desk.accept(b"MAIL FROM:<>", b"RCPT TO:<you@x.test>")
    envelope, _ = (await desk.delivered())["you@x.test"]
    assert envelope == OneRecipient("", Address("you", "x.test"))


async def test_tags_and_stream_are_kept_and_not_sent(desk: Desk) -> None:
    await desk.accept(MAIL, VISIBLE)
    kept = await rows(desk.engine.database, messages.c.tags, messages.c.stream)
    assert kept == [("order\npaid", "broadcast")]
    assert await desk.found(tag="order") == await desk.found(tag="paid", stream="broadcast") == 1
    assert await desk.found(tag="pai") == await desk.found(stream="transactional") == 0
    _, copy = (await desk.delivered())["you@x.test"]
    assert b"x-mailersend-tags" not in copy.lower()
    assert b"x-postroom-" not in copy.lower()


async def test_who_is_not_in_the_header_gets_the_mail_unseen(desk: Desk) -> None:
    await desk.accept(MAIL, VISIBLE, HIDDEN)
    delivered = await desk.delivered()
    visible, hidden = delivered["you@x.test"][1], delivered["hidden@x.test"][1]
    assert set(delivered) == {"you@x.test", "hidden@x.test"}
    for copy in (visible, hidden):
        assert b"\r\nTo: you@x.test\r\n" in copy
        assert copy.endswith(b"\r\n\r\nhello\r\n")
        assert b"hidden@x.test" not in copy
        assert b"other@x.test" not in copy
