"""Stored templates. A template points to its newest version; a version never changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import template_versions, templates


@dataclass(frozen=True, slots=True)
class Template:
    """`domain_id` None: for all domains of the account; `categories` are one a line."""

    account_id: str
    id: str
    domain_id: str | None
    version_id: str
    name: str
    type: str
    categories: str
    created_at: int
    updated_at: int


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
_NEWEST = and_(
    template_versions.c.account_id == templates.c.account_id, template_versions.c.id == templates.c.version_id
)


def _one(account_id: str, template_id: str) -> Any:
    return and_(templates.c.account_id == account_id, templates.c.id == template_id)


async def add(connection: AsyncConnection, template: Template, version: TemplateVersion) -> None:
    await connection.execute(insert(templates).values(values(template)))
    await connection.execute(insert(template_versions).values(values(version)))
    await installation.bump(connection)


async def change(connection: AsyncConnection, account_id: str, template_id: str, **columns: Any) -> bool:
    """Set columns, and keep everybody else from the template until the transaction ends; False when there is none."""
    count = await changed(connection, update(templates).where(_one(account_id, template_id)).values(columns))
    await installation.bump(connection)
    return count == 1


async def add_version(connection: AsyncConnection, version: TemplateVersion, *, keep: int) -> None:
    """Call it behind `change`, which locks the template. Of the older versions the newest `keep` stay."""
    await connection.execute(insert(template_versions).values(values(version)))
    mine = (
        template_versions.c.account_id == version.account_id,
        template_versions.c.template_id == version.template_id,
    )
    await connection.execute(
        delete(template_versions).where(*mine, template_versions.c.number < version.number - keep)
    )


async def last_number(connection: AsyncConnection, account_id: str, template_id: str) -> int:
    mine = (template_versions.c.account_id == account_id, template_versions.c.template_id == template_id)
    return int(await connection.scalar(select(func.max(template_versions.c.number)).where(*mine)) or 0)


async def get(
    connection: AsyncConnection, account_id: str, template_id: str
) -> tuple[Template, TemplateVersion] | None:
    """A template with its newest version."""
    template = await first(connection, Template, _TEMPLATES.where(_one(account_id, template_id)))
    if template is None:
        return None
    newest = await version(connection, account_id, template.version_id)
    return None if newest is None else (template, newest)


async def version(connection: AsyncConnection, account_id: str, version_id: str) -> TemplateVersion | None:
    which = (template_versions.c.account_id == account_id, template_versions.c.id == version_id)
    return await first(connection, TemplateVersion, _VERSIONS.where(*which))


async def page(
    connection: AsyncConnection,
    account_id: str,
    domain_id: str | None = None,
    *,
    offset: int = 0,
    limit: int = 100,
) -> list[tuple[Template, TemplateVersion]]:
    """The newest first; with `domain_id` only those of that domain."""
    which = [templates.c.account_id == account_id]
    if domain_id is not None:
        which.append(templates.c.domain_id == domain_id)
    order = (templates.c.created_at.desc(), templates.c.id)
    statement = _TEMPLATES.where(*which).order_by(*order).offset(offset).limit(limit)
    found = await every(connection, Template, statement)
    newest = _VERSIONS.join_from(template_versions, templates, _NEWEST).where(
        template_versions.c.account_id == account_id, templates.c.id.in_([template.id for template in found])
    )
    versions = {one.template_id: one for one in await every(connection, TemplateVersion, newest)}
    return [(template, versions[template.id]) for template in found]


async def remove(connection: AsyncConnection, account_id: str, template_id: str) -> bool:
    """With all its versions; False when there is none."""
    mine = (template_versions.c.account_id == account_id, template_versions.c.template_id == template_id)
    await connection.execute(delete(template_versions).where(*mine))
    count = await changed(connection, delete(templates).where(_one(account_id, template_id)))
    await installation.bump(connection)
    return count == 1
