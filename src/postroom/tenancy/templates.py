"""Stored templates: content with versions. A version is immutable; who sends with a template keeps the id of the version
it began with, so an edit in the middle of a batch changes nothing in it (P06)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import zstandard

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import templates as store
from postroom.store.database import Database
from postroom.store.templates import Template, TemplateVersion
from postroom.tenancy import domains
from postroom.types.template import TemplateContent
from postroom.wire.smtp.address import AddressError, parse_mailbox
from postroom.wire.template import RESERVED, TemplateProblem, compile

TYPES = ("dd", "rt", "gh", "api")
"""Drag and drop, rich text, HTML editor (MailerSend's words), and made by the API."""
LONGEST_NAME = 50
LONGEST_SUBJECT = 998
MOST_TAGS, LONGEST_TAG = 5, 191
MOST_OCTETS = 8 * 1024 * 1024
"""Of one version with all its translations."""
VERSIONS_KEPT = 100
"""Old ones: far more than an edit can overtake while a batch runs."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


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


async def create(
    db: Database,
    account_id: str,
    content: TemplateContent,
    *,
    name: str = "Template",
    type: str = "api",
    domain: str | None = None,
    categories: Sequence[str] = (),
) -> StoredTemplate:
    """A new template in its first version. `domain` (name or id): only for that one.

    Raises NotFoundError for an account or a domain that is not there, PostroomError for anything wrong (`problems`).
    """
    _check(content)
    if type not in TYPES:
        raise PostroomError(f"{type!r} is no type of template; choose one of {', '.join(TYPES)}")
    now = Clock().now_ms()
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        version = TemplateVersion(account_id, ids.object_id(), ids.object_id(), 1, _packed(content), now)
        template = Template(
            account_id=account_id,
            id=version.template_id,
            domain_id=await domains.owned_id(connection, account_id, domain),
            version_id=version.id,
            name=_valid_name(name),
            type=type,
            categories="\n".join(categories),
            created_at=now,
            updated_at=now,
        )
        await store.add(connection, template, version)
    return _stored(template, version)


async def revise(db: Database, account_id: str, template_id: str, content: TemplateContent) -> StoredTemplate:
    """A new version; from now on it is the template. Raises like `create`."""
    _check(content)
    now = Clock().now_ms()
    version_id = ids.object_id()
    async with db.write() as connection:
        if not await store.change(connection, account_id, template_id, version_id=version_id, updated_at=now):
            raise _missing(template_id)
        number = await store.last_number(connection, account_id, template_id) + 1
        version = TemplateVersion(account_id, version_id, template_id, number, _packed(content), now)
        await store.add_version(connection, version, keep=VERSIONS_KEPT)
    return await get(db, account_id, template_id)


async def describe(
    db: Database,
    account_id: str,
    template_id: str,
    *,
    name: str | None = None,
    categories: Sequence[str] | None = None,
) -> StoredTemplate:
    """Change what is said about a template; its content stays in the version it is in."""
    columns: dict[str, object] = {"updated_at": Clock().now_ms()}
    if name is not None:
        columns["name"] = _valid_name(name)
    if categories is not None:
        columns["categories"] = "\n".join(categories)
    async with db.write() as connection:
        if not await store.change(connection, account_id, template_id, **columns):
            raise _missing(template_id)
    return await get(db, account_id, template_id)


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


async def list_all(
    db: Database, account_id: str, *, domain_id: str | None = None, offset: int = 0, limit: int = 100
) -> list[StoredTemplate]:
    """The newest first; with `domain_id` only those of that domain."""
    async with db.read() as connection:
        page = await store.page(connection, account_id, domain_id, offset=offset, limit=limit)
    return [_stored(*found) for found in page]


async def delete(db: Database, account_id: str, template_id: str) -> None:
    """With all its versions. Messages that were accepted keep the content they have."""
    async with db.write() as connection:
        if not await store.remove(connection, account_id, template_id):
            raise _missing(template_id)


# -- what may be in one ------------------------------------------------------------------------------------


def variables(content: TemplateContent) -> list[str]:
    """The variables that personalization has to bring, in all its sources and languages, in order of their names."""
    used = {name for field, source in content.sources() for name in _compiled(field, source)}
    return sorted(used - RESERVED)


def problems(content: TemplateContent) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it), field by field."""
    if content.wording.text is None and content.wording.html is None:
        yield "html", "one of html and text is needed"
    for field, source in content.sources():
        if field.endswith("subject") and len(source) > LONGEST_SUBJECT:
            yield field, f"it is longer than {LONGEST_SUBJECT} characters"
        try:
            _compiled(field, source)
        except TemplateProblem as problem:
            yield field, str(problem)
    if sum(len(source) for _, source in content.sources()) > MOST_OCTETS:
        yield "html", f"all translations together are longer than {MOST_OCTETS} characters"
    yield from _wrong_defaults(content)
    for code in content.translations:
        if not _LANGUAGE.fullmatch(code):
            yield f"translations.{code[:20]}", "the language must be a code like de or pt-BR"


def _wrong_defaults(content: TemplateContent) -> Iterator[tuple[str, str]]:
    if content.from_email:
        try:
            parse_mailbox(content.from_email)
        except AddressError as error:
            yield "from.email", f"it is no email address: {error}"
    if len(content.tags) > MOST_TAGS:
        yield "tags", f"there may be at most {MOST_TAGS} tags"
    for number, tag in enumerate(content.tags):
        if not tag or len(tag) > LONGEST_TAG:
            yield f"tags.{number}", f"a tag has 1 to {LONGEST_TAG} characters"


def _compiled(field: str, source: str) -> frozenset[str]:
    """The variables of a source. Raises TemplateProblem."""
    return compile(source, html=field.endswith("html")).variables


def _check(content: TemplateContent) -> None:
    for field, problem in problems(content):
        raise PostroomError(f"{field}: {problem}")


def _valid_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise PostroomError(f"a template needs a name of 1 to {LONGEST_NAME} characters")
    return name


def _missing(template_id: str) -> NotFoundError:
    return NotFoundError(f"there is no template {template_id}")


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
        categories=tuple(template.categories.split("\n")) if template.categories else (),
        content=_unpacked(version),
        created_at=template.created_at,
        updated_at=template.updated_at,
    )
