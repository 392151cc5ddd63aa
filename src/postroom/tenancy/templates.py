"""Stored templates: content with versions. A version is immutable; who sends with a template keeps the id of the version
it began with, so an edit in the middle of a batch changes nothing in it (P06)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import zstandard
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import templates as store
from postroom.store.database import Database
from postroom.store.templates import Template, TemplateVersion
from postroom.tenancy import audit, domains, template_rules
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.types.template import TemplateContent, Wording

API = "api"
TYPES = ("dd", "rt", "gh", API)
"""Drag and drop, rich text, HTML editor (MailerSend's words), and made by the API."""
LONGEST_NAME = 50
MOST_CATEGORIES, LONGEST_CATEGORY = 20, 50
MOST = 5000
"""Of one account."""
VERSIONS_KEPT = 100
"""Old ones: far more than an edit can overtake while a batch runs."""


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template as it is, or was, in one version. `version_id` is what a message keeps."""

    account_id: str
    id: str
    version_id: str
    version: int
    domain_id: str | None
    name: str
    type: str
    categories: tuple[str, ...]
    content: TemplateContent
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """What is None stays as it is. `domain`: name or id."""

    name: str | None = None
    domain: str | None = None
    categories: Sequence[str] | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    from_email: str | None = None
    from_name: str | None = None
    tags: Sequence[str] | None = None
    translations: Mapping[str, Wording] | None = None

    def applied(self, content: TemplateContent) -> TemplateContent:
        def said(new: str | None, old: str | None) -> str | None:
            return old if new is None else new

        wording = Wording(*map(said, (self.subject, self.text, self.html), content.wording))
        return replace(
            content,
            wording=wording,
            from_email=content.from_email if self.from_email is None else self.from_email,
            from_name=content.from_name if self.from_name is None else self.from_name,
            tags=content.tags if self.tags is None else tuple(self.tags),
            translations=content.translations if self.translations is None else self.translations,
        )


async def create(
    db: Database,
    account_id: str,
    content: TemplateContent,
    *,
    name: str = "Template",
    type: str = API,
    domain: str | None = None,
    categories: Sequence[str] = (),
    most: int | None = None,
    by: Actor,
) -> StoredTemplate:
    """A new template in its first version. `domain` (name or id): only for that one; `most`: how many there may be.

    Raises NotFoundError for an account or a domain that is not there, ContentError for what it says, PostroomError for
    anything else that is wrong.
    """
    variables = await _checked(content)
    if type not in TYPES:
        raise PostroomError(f"{type!r} is no type of template; choose one of {', '.join(TYPES)}")
    now = Clock().now_ms()
    version = TemplateVersion(account_id, ids.object_id(), ids.object_id(), 1, _packed(content), now)
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        await accounts.adding_to(connection, account_id)
        most = MOST if most is None else min(most, MOST)
        if await store.count(connection, account_id) >= most:
            raise PostroomError(Refused(refusals.PLAN_LIMIT, {"most": str(most), "what": "templates"}).text)
        template = Template(
            account_id=account_id,
            id=version.template_id,
            domain_id=await domains.owned_id(connection, account_id, domain),
            version_id=version.id,
            name=_valid_name(name),
            type=type,
            categories=_joined(categories),
            variables="\n".join(variables),
            created_at=now,
            updated_at=now,
        )
        await store.add(connection, template, version)
        await _record(connection, by, "created", template, None, template)
    return _stored(template, version)


async def update(
    db: Database, account_id: str, template_id: str, change: TemplateChange, *, by: Actor
) -> StoredTemplate:
    """Content that differs makes a new version, which is the template from now on. Without a change nothing happens.

    Raises like `create`.
    """
    while True:
        before = await get(db, account_id, template_id)
        content = change.applied(before.content)
        variables = None if content == before.content else await _checked(content)
        async with db.write() as connection:
            template = await store.lock(connection, account_id, template_id)
            if template is None:
                raise _missing(template_id)
            if template.version_id == before.version_id:  # else somebody was quicker
                await _change(connection, template, before.version, change, content, variables, by)
                break
    return await get(db, account_id, template_id)


async def _change(
    connection: AsyncConnection,
    template: Template,
    number: int,
    change: TemplateChange,
    content: TemplateContent,
    variables: list[str] | None,
    by: Actor,
) -> None:
    """`variables` None: the content, which is version `number`, is not changed."""
    new: dict[str, object] = {}
    if change.name is not None:
        new["name"] = _valid_name(change.name)
    if change.categories is not None:
        new["categories"] = _joined(change.categories)
    if change.domain is not None:
        new["domain_id"] = await domains.owned_id(connection, template.account_id, change.domain)
    version_id = ids.object_id()
    if variables is not None:
        new |= {"version_id": version_id, "variables": "\n".join(variables)}
    after = replace(template, **new)  # type: ignore[arg-type]
    if after == template:
        return
    now = Clock().now_ms()
    await store.change(connection, template.account_id, template.id, **new, updated_at=now)
    if variables is not None:
        packed = _packed(content)
        version = TemplateVersion(template.account_id, version_id, template.id, number + 1, packed, now)
        await store.add_version(connection, version, keep=VERSIONS_KEPT)
    await _record(connection, by, "updated", template, template, after)


async def get(db: Database, account_id: str, template_id: str) -> StoredTemplate:
    """In its newest version. Raises NotFoundError, also for a template of another account."""
    async with db.read() as connection:
        found = await store.get(connection, account_id, template_id)
    if found is None:
        raise _missing(template_id)
    return _stored(*found)


async def pinned(db: Database, account_id: str, version_id: str) -> TemplateContent | None:
    """What a template said in this version; None when the template is gone."""
    async with db.read() as connection:
        version = await store.version(connection, account_id, version_id)
    return None if version is None else _unpacked(version)


async def delete(db: Database, account_id: str, template_id: str, *, by: Actor) -> None:
    """With all its versions. Messages that were accepted keep the content they have, but what is scheduled with it and not
    yet tried is not sent (`deliver` asks when its time comes). Raises NotFoundError."""
    async with db.write() as connection:
        template = await store.lock(connection, account_id, template_id)
        if template is None:
            raise _missing(template_id)
        await store.remove(connection, account_id, template_id)
        await _record(connection, by, "deleted", template, template, None)


def categories_of(template: Template) -> tuple[str, ...]:
    return tuple(template.categories.split("\n")) if template.categories else ()


async def _checked(content: TemplateContent) -> list[str]:
    """Its variables; compiling megabytes takes longer than the loop may be held."""
    return await asyncio.to_thread(template_rules.check, content)


def _valid_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise PostroomError(f"a template needs a name of 1 to {LONGEST_NAME} printable characters")
    return name


def _joined(categories: Collection[str]) -> str:
    for category in categories:
        if not category or len(category) > LONGEST_CATEGORY or not category.isprintable():
            raise PostroomError(f"a category has 1 to {LONGEST_CATEGORY} printable characters")
    if len(categories) > MOST_CATEGORIES:
        raise PostroomError(f"a template may have at most {MOST_CATEGORIES} categories")
    return "\n".join(categories)


def _missing(template_id: str) -> NotFoundError:
    return NotFoundError(f"there is no template {template_id}")


async def _record(
    connection: AsyncConnection,
    by: Actor,
    verb: str,
    template: Template,
    before: Template | None,
    after: Template | None,
) -> None:
    await audit.record(
        connection,
        by,
        f"template.{verb}",
        account_id=template.account_id,
        object_id=template.id,
        name=template.name,
        before=before,
        after=after,
    )


def _packed(content: TemplateContent) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(content.encode())


def _unpacked(version: TemplateVersion) -> TemplateContent:
    return TemplateContent.decode(zstandard.ZstdDecompressor().decompress(version.content))


def _stored(template: Template, version: TemplateVersion) -> StoredTemplate:
    return StoredTemplate(
        account_id=template.account_id,
        id=template.id,
        version_id=version.id,
        version=version.number,
        domain_id=template.domain_id,
        name=template.name,
        type=template.type,
        categories=categories_of(template),
        content=_unpacked(version),
        created_at=template.created_at,
        updated_at=template.updated_at,
    )
