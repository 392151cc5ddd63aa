"""Messages: their envelope and content, and everything known about one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import attempts, emails, events, walk
from postroom.store.batches.rows import AttemptRow, EventRow
from postroom.store.database import Database
from postroom.store.emails import Email
from postroom.store.query import among, columns, first, slices, within
from postroom.store.schema import accounts, contents, messages
from postroom.store.schema import emails as emails_table
from postroom.store.walk import Series, Walk


@dataclass(frozen=True, slots=True)
class Message:
    """`credential_kind` is a `CredentialKind`, or "" where it was not noted; `tags` one a line; `blob` is the key of large content or ""; `content_gone` once retention has taken it."""

    account_id: str
    id: str
    domain_id: str
    credential_id: str
    edge: str
    sender: str
    header_from: str
    subject: str
    message_id: str
    signing_domain: str
    stream: str
    tags: str
    size: int
    header_size: int
    eight_bit: bool
    utf8: bool
    dsn_ret: str
    dsn_envid: str
    blob: str
    received_at: int
    content_expires_at: int | None
    content_gone: bool
    precedence_bulk: bool = False
    credential_kind: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message with its small content as it was stored (zstd); None when it is in the blob store, or gone."""

    message: Message
    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmailStory:
    email: Email
    attempts: list[AttemptRow]
    events: list[EventRow]


@dataclass(frozen=True, slots=True)
class MessageStory:
    """A message, and what became of each recipient."""

    message: Message
    emails: list[EmailStory]


_ALL = select(*columns(Message, messages))


async def get(connection: AsyncConnection, account_id: str, message_id: str) -> Message | None:
    which = (messages.c.account_id == account_id, messages.c.id == message_id)
    return await first(connection, Message, _ALL.where(*which))


async def find(connection: AsyncConnection, message_id: str) -> Message | None:
    """Whatever account it belongs to: for the operator."""
    mine = messages.c.account_id.in_(select(accounts.c.id))
    return await first(connection, Message, _ALL.where(mine, messages.c.id == message_id))


async def show(connection: AsyncConnection, message_or_email_id: str) -> MessageStory | None:
    """Everything known about a message, found by its own id or that of one of its emails."""
    message = await find(connection, message_or_email_id)
    if message is None:
        email = await emails.find(connection, message_or_email_id)
        message = None if email is None else await get(connection, email.account_id, email.message_id)
    return None if message is None else await _story(connection, message)


async def page(
    connection: AsyncConnection, *, account_id: str | None = None, limit: int = 50
) -> list[tuple[Message, int]]:
    """The newest first, each with the number of its recipients."""
    mine = (emails_table.c.account_id == messages.c.account_id, emails_table.c.message_id == messages.c.id)
    recipients = select(func.count()).where(*mine).scalar_subquery()
    statement = select(*columns(Message, messages), recipients).order_by(messages.c.id.desc()).limit(limit)
    if account_id is not None:
        statement = statement.where(messages.c.account_id == account_id)
    return [(Message(*row[:-1]), row[-1]) for row in await connection.execute(statement)]


async def newest(
    database: Database, account_id: str, *, domains: Collection[str] | None, offset: int, limit: int
) -> list[tuple[str, int]]:
    """(id, received at) of the messages of an account, or of some of its domains, from number `offset` on."""
    mine = messages.c.account_id == account_id

    def between(lowest: str, below: str) -> Select[Any]:
        fits = (mine, messages.c.id >= lowest, messages.c.id < below, within(messages.c.domain_id, domains))
        return select(messages.c.id, messages.c.received_at).where(*fits).order_by(messages.c.id.desc())

    all_of_them = Walk([Series(messages.c.id, [mine])], between)
    found = await walk.page(database, all_of_them, walk.BEHIND_ALL, offset=offset, limit=limit)
    return [(row.id, row.received_at) for row in found]


async def _story(connection: AsyncConnection, message: Message) -> MessageStory:
    found = await emails.of_message(connection, message.account_id, message.id)
    tried: dict[str, list[AttemptRow]] = {}
    happened: dict[str, list[EventRow]] = {}
    for part in slices([email.id for email in found], 500):
        tried |= await attempts.of_emails(connection, message.account_id, part)
        happened |= await events.of_emails(connection, message.account_id, part)
    return MessageStory(message, [EmailStory(email, tried[email.id], happened[email.id]) for email in found])


async def load(connection: AsyncConnection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """The messages with these (account id, message id) keys, with their content: a batch for composing."""
    content = and_(contents.c.account_id == messages.c.account_id, contents.c.id == messages.c.id)
    statement = (
        select(*columns(Message, messages), contents.c.data)
        .select_from(messages.outerjoin(contents, content))
        .where(among(connection, keys, messages.c.account_id, messages.c.id))
    )
    found: dict[tuple[str, str], Stored] = {}
    for row in await connection.execute(statement):
        message = Message(*row[:-1])
        found[message.account_id, message.id] = Stored(message, row[-1])
    return found


async def existing(connection: AsyncConnection, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (account id, message id) keys that are there: what became of an unknown commit."""
    mine = among(connection, keys, messages.c.account_id, messages.c.id)
    rows = await connection.execute(select(messages.c.account_id, messages.c.id).where(mine))
    return {(account_id, message_id) for account_id, message_id in rows}
