"""Stored templates. A template points to its newest version; a version never changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, delete, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values, within
from postroom.store.schema import api_messages, emails, template_versions, templates
from postroom.types.status import EmailStatus


@dataclass(frozen=True, slots=True)
class Template:
    """`domain_id` None: for all domains of the account; `categories` and `variables` are one a line."""

    account_id: str
    id: str
    domain_id: str | None
    version_id: str
    name: str
    type: str
    categories: str
    variables: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """`domains`: only those of these domains, and with `shared` those for all domains, too; `ids`: only these. None:
    all."""

    account_id: str
    domains: Collection[str] | None = None
    shared: bool = False
    ids: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class TemplateStats:
    """Emails by the API's word for their status; `last_at`: when the newest was accepted."""

    counts: Mapping[str, int]
    last_at: int | None


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """`number` counts from 1; `content` is what `types.template` encodes, in zstd."""

    account_id: str
    id: str
    template_id: str
    number: int
    content: bytes = field(repr=False)
    created_at: int = 0


_TEMPLATES = select(*columns(Template, templates))
_VERSIONS = select(*columns(TemplateVersion, template_versions))


def _one(account_id: str, template_id: str) -> Any:
    return and_(templates.c.account_id == account_id, templates.c.id == template_id)


async def add(connection: AsyncConnection, template: Template, version: TemplateVersion) -> None:
    await connection.execute(insert(templates).values(values(template)))
    await connection.execute(insert(template_versions).values(values(version)))
    await installation.bump(connection)


async def change(connection: AsyncConnection, account_id: str, template_id: str, **columns: Any) -> bool:
    """Set columns; False when there is no such template."""
    count = await changed(connection, update(templates).where(_one(account_id, template_id)).values(columns))
    await installation.bump(connection)
    return count == 1


async def add_version(connection: AsyncConnection, version: TemplateVersion, *, keep: int) -> None:
    """Call it while the template is locked. Of the older versions the newest `keep` stay."""
    await connection.execute(insert(template_versions).values(values(version)))
    mine = (
        template_versions.c.account_id == version.account_id,
        template_versions.c.template_id == version.template_id,
    )
    await connection.execute(
        delete(template_versions).where(*mine, template_versions.c.number < version.number - keep)
    )


async def lock(connection: AsyncConnection, account_id: str, template_id: str) -> Template | None:
    """Keep everybody else from changing the template until the transaction ends."""
    statement = _TEMPLATES.where(_one(account_id, template_id)).with_for_update()
    return await first(connection, Template, statement)


async def count(connection: AsyncConnection, account_id: str) -> int:
    mine = templates.c.account_id == account_id
    return int(await connection.scalar(select(func.count()).select_from(templates).where(mine)) or 0)


async def get(
    connection: AsyncConnection, account_id: str, template_id: str
) -> tuple[Template, TemplateVersion] | None:
    """A template with its newest version."""
    template = await first(connection, Template, _TEMPLATES.where(_one(account_id, template_id)))
    if template is None:
        return None
    newest = await version(connection, account_id, template.version_id)
    return None if newest is None else (template, newest)


async def load(connection: AsyncConnection, account_id: str, ids: Iterable[str]) -> list[Template]:
    """Those with these ids, without their content."""
    which = (templates.c.account_id == account_id, templates.c.id.in_(sorted(set(ids))))
    return await every(connection, Template, _TEMPLATES.where(*which).order_by(templates.c.id))


async def version(connection: AsyncConnection, account_id: str, version_id: str) -> TemplateVersion | None:
    which = (template_versions.c.account_id == account_id, template_versions.c.id == version_id)
    return await first(connection, TemplateVersion, _VERSIONS.where(*which))


async def page(
    connection: AsyncConnection, wanted: TemplateFilter, *, offset: int = 0, limit: int = 100
) -> list[Template]:
    """The newest first."""
    shared = templates.c.domain_id.is_(None) if wanted.shared else false()
    which = (
        templates.c.account_id == wanted.account_id,
        or_(within(templates.c.domain_id, wanted.domains), shared),
        within(templates.c.id, wanted.ids),
    )
    order = (templates.c.created_at.desc(), templates.c.id)
    return await every(
        connection, Template, _TEMPLATES.where(*which).order_by(*order).offset(offset).limit(limit)
    )


async def stats(connection: AsyncConnection, account_id: str, template_id: str, most: int) -> TemplateStats:
    """What became of the newest `most` messages with a template, as long as they are kept."""
    newest = (
        select(api_messages.c.id)
        .where(api_messages.c.account_id == account_id, api_messages.c.template_id == template_id)
        .order_by(api_messages.c.id.desc())
        .limit(most)
        .subquery("newest")
    )
    of_it = and_(emails.c.account_id == account_id, emails.c.message_id == newest.c.id)
    statement = (
        select(emails.c.status, emails.c.sent, func.count(), func.max(emails.c.created_at))
        .join_from(newest, emails, of_it)
        .group_by(emails.c.status, emails.c.sent)
    )
    rows = (await connection.execute(statement)).all()
    counts: Counter[str] = Counter()
    for status, sent, number, _ in rows:
        counts[EmailStatus(status).api_word(attempted=sent)] += number
    return TemplateStats(counts, max((row[3] for row in rows), default=None))


async def remove(connection: AsyncConnection, account_id: str, template_id: str) -> bool:
    """With all its versions; False when there is none."""
    mine = (template_versions.c.account_id == account_id, template_versions.c.template_id == template_id)
    await connection.execute(delete(template_versions).where(*mine))
    count = await changed(connection, delete(templates).where(_one(account_id, template_id)))
    await installation.bump(connection)
    return count == 1
