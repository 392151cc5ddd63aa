"""Stored templates and their versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import templates as store
from postroom.store.database import Database
from postroom.store.schema import template_versions
from postroom.store.templates import TemplateFilter
from postroom.tenancy import accounts, domains, template_rules, templates
from postroom.tenancy.directory import Directory
from postroom.tenancy.template_library import TemplateLibrary
from postroom.tenancy.templates import TemplateChange
from postroom.types.actor import SYSTEM
from postroom.types.template import TemplateContent, Wording

HELLO = TemplateContent(
    Wording("Hello {{ name }}", "Hi {{ name }}", "<p>Hi {{ name }}, {{ shop.city }}</p>{{ unsubscribe }}"),
    from_email="shop@x.test",
    from_name="The shop",
    tags=("welcome",),
    translations={
        "de": Wording("Hallo {{ name }}", "Hallo {{ name }}", None),
        "pt-BR": Wording(None, None, "<p>Oi {{ apelido }}</p>"),
    },
)


@pytest.fixture
async def account(database: Database) -> str:
    return (await accounts.add(database, "Shop", approved=True, by=SYSTEM)).id


async def ids_of(database: Database, account: str, **wanted: Any) -> list[str]:
    async with database.read() as connection:
        return [one.id for one in await store.page(connection, TemplateFilter(account, **wanted))]


def plain(text: str) -> TemplateContent:
    return TemplateContent(Wording(text=text))


@pytest.mark.parametrize("content", [HELLO, plain("x"), TemplateContent(Wording(html="ü\U0001f600"))])
def test_content_is_stored_as_it_is(content: TemplateContent):
    assert TemplateContent.decode(content.encode()) == content


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, HELLO.wording),
        ("", HELLO.wording),
        ("fr", HELLO.wording),
        ("de", Wording("Hallo {{ name }}", "Hallo {{ name }}", HELLO.wording.html)),
        ("pt-br", Wording(HELLO.wording.subject, HELLO.wording.text, "<p>Oi {{ apelido }}</p>")),
        ("pt", HELLO.wording),
    ],
)
def test_what_a_translation_does_not_say_is_said_by_the_base(language: str | None, expected: Wording):
    assert HELLO.in_language(language) == expected


def test_the_variables_of_all_languages():
    assert template_rules.variables(HELLO) == ["apelido", "name", "shop"]


async def test_a_template_comes_back_as_it_was_made(database: Database, account: str) -> None:
    made = await templates.create(
        database, account, HELLO, name="Welcome", type="gh", categories=["c1", "c2"], by=SYSTEM
    )
    assert (made.name, made.type, made.version, made.domain_id) == ("Welcome", "gh", 1, None)
    assert (made.content, made.categories) == (HELLO, ("c1", "c2"))
    assert await templates.get(database, account, made.id) == made
    assert await ids_of(database, account) == [made.id]


async def test_p06_a_version_never_changes(database: Database, account: str) -> None:
    first = await templates.create(database, account, plain("one"), by=SYSTEM)
    second = await templates.update(database, account, first.id, TemplateChange(text="two"), by=SYSTEM)
    third = await templates.update(database, account, first.id, TemplateChange(text="three"), by=SYSTEM)
    assert [second.version, third.version] == [2, 3]
    assert len({first.version_id, second.version_id, third.version_id}) == 3
    assert await templates.get(database, account, first.id) == third
    async with database.read() as connection:
        old = await store.version(connection, account, first.version_id)
    assert old is not None
    assert old.number == 1
    assert await templates.pinned(database, account, first.version_id) == plain("one")
    assert await templates.pinned(database, account, "nothing") is None


async def test_old_versions_go_some_time(
    database: Database, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "VERSIONS_KEPT", 2)
    made = await templates.create(database, account, plain("first"), by=SYSTEM)
    for number in range(5):
        newest = await templates.update(
            database, account, made.id, TemplateChange(text=f"{number}"), by=SYSTEM
        )
    async with database.read() as connection:
        numbers = list(await connection.scalars(select(template_versions.c.number).order_by("number")))
    assert (newest.version, numbers) == (6, [4, 5, 6])


async def test_describing_makes_no_version(database: Database, account: str) -> None:
    made = await templates.create(database, account, plain("x"), categories=["a"], by=SYSTEM)
    changed = await templates.update(
        database, account, made.id, TemplateChange(name="New", categories=[]), by=SYSTEM
    )
    assert (changed.name, changed.categories, changed.version_id) == ("New", (), made.version_id)
    assert (await templates.update(database, account, made.id, TemplateChange(), by=SYSTEM)).name == "New"


async def test_a_template_of_one_domain(database: Database, account: str, tmp_path: Path) -> None:
    box = SecretBox.load(tmp_path / "secret.key", create=True)
    other = await accounts.add(database, "Other", approved=True, by=SYSTEM)
    own = await domains.add(database, box, "own.test", account_id=account, trusted=True, by=SYSTEM)
    await domains.add(database, box, "foreign.test", account_id=other.id, trusted=True, by=SYSTEM)
    made = await templates.create(database, account, plain("x"), domain="OWN.test", by=SYSTEM)
    await templates.create(database, account, plain("y"), by=SYSTEM)
    assert made.domain_id == own.id
    assert await ids_of(database, account, domains=[own.id]) == [made.id]
    assert len(await ids_of(database, account, domains=[own.id], shared=True)) == 2
    with pytest.raises(NotFoundError, match="no domain"):
        await templates.create(database, account, plain("x"), domain="foreign.test", by=SYSTEM)


async def test_pages(database: Database, account: str) -> None:
    made = [await templates.create(database, account, plain(f"{number}"), by=SYSTEM) for number in range(5)]
    wanted = TemplateFilter(account)
    async with database.read() as connection:
        pages = [await store.page(connection, wanted, offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert {one.id for page in pages for one in page} == {one.id for one in made}
    assert pages[0][0].created_at >= pages[2][0].created_at
    assert await ids_of(database, account, ids=[made[2].id]) == [made[2].id]


async def test_h01_another_accounts_template_is_not_there(database: Database, account: str) -> None:
    other = await accounts.add(database, "Other", approved=True, by=SYSTEM)
    made = await templates.create(database, account, plain("x"), by=SYSTEM)
    for step in (
        templates.get(database, other.id, made.id),
        templates.update(database, other.id, made.id, TemplateChange(text="y"), by=SYSTEM),
        templates.update(database, other.id, made.id, TemplateChange(name="y"), by=SYSTEM),
        templates.delete(database, other.id, made.id, by=SYSTEM),
        templates.create(database, "nobody", plain("x"), by=SYSTEM),
    ):
        with pytest.raises(NotFoundError):
            await step
    assert await ids_of(database, other.id) == []
    assert (await templates.get(database, account, made.id)).version == 1


async def test_deleting_takes_all_versions(database: Database, account: str) -> None:
    made = await templates.create(database, account, plain("x"), by=SYSTEM)
    await templates.update(database, account, made.id, TemplateChange(text="y"), by=SYSTEM)
    await templates.delete(database, account, made.id, by=SYSTEM)
    with pytest.raises(NotFoundError):
        await templates.get(database, account, made.id)
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(template_versions)) == 0


@pytest.mark.parametrize(
    ("content", "field", "why"),
    [
        (TemplateContent(Wording("only a subject")), "html", "is needed"),
        (TemplateContent(Wording("x" * 999, "x")), "subject", "longer than 998"),
        (TemplateContent(Wording("x", "a\n{{ b")), "text", "line 2: the braces are never closed"),
        (TemplateContent(Wording("x", "x", "{% include 'x' %}")), "html", "not available"),
        (TemplateContent(Wording(text="x"), translations={"de": Wording(html="{{")}), "translations.de.html", "braces"),
        (TemplateContent(Wording(text="x"), translations={"d_e": Wording()}), "translations.d_e", "a code like"),
        (TemplateContent(Wording(text="x"), from_email="nobody"), "from.email", "no email address"),
        (TemplateContent(Wording(text="x"), tags=("a",) * 6), "tags", "at most 5"),
        (TemplateContent(Wording(text="x"), tags=("a", "")), "tags.1", "1 to 191"),
        (TemplateContent(Wording(text="x"), translations={f"l{chr(97 + n)}": Wording(text="x" * 2_000_000) for n in range(5)}),
         "html", "together are longer"),
    ],
    ids=range(10),
)  # fmt: skip
async def test_what_cannot_be_a_template(
    sqlite_database: Database, content: TemplateContent, field: str, why: str
) -> None:
    found = {one.field: one.text for one in template_rules.problems(content)}
    assert list(found) == [field]
    assert why in found[field]
    owner = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    with pytest.raises(PostroomError, match=why):
        await templates.create(sqlite_database, owner.id, content, by=SYSTEM)


@pytest.mark.parametrize("facts", [{"name": " "}, {"name": "x" * 51}, {"type": "pdf"}])
async def test_names_and_types(sqlite_database: Database, facts: dict[str, str]) -> None:
    owner = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    with pytest.raises(PostroomError):
        await templates.create(sqlite_database, owner.id, plain("x"), **facts, by=SYSTEM)
    assert await ids_of(sqlite_database, owner.id) == []


# -- the library -------------------------------------------------------------------------------------------


async def test_the_library_reads_once_and_hears_of_changes(
    database: Database, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Directory(database, Clock())
    await directory.refresh()
    library = TemplateLibrary(database, directory)
    made = await templates.create(database, account, plain("one"), by=SYSTEM)
    assert await library.get(account, made.id) == made
    assert await library.get(account, made.id) is await library.get(account, made.id)
    revised = await templates.update(database, account, made.id, TemplateChange(text="two"), by=SYSTEM)
    assert (await library.get(account, made.id)) == made  # for at most a second
    await directory.refresh()
    assert await library.get(account, made.id) == revised
    assert await library.get("another", made.id) is None
    await templates.delete(database, account, made.id, by=SYSTEM)
    await directory.refresh()
    assert await library.get(account, made.id) is None


async def test_the_library_starts_over_when_it_is_full(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.tenancy.template_library.OCTETS", 1000)
    owner = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    directory = Directory(sqlite_database, Clock())
    library = TemplateLibrary(sqlite_database, directory)
    made = [await templates.create(sqlite_database, owner.id, plain("x" * 600), by=SYSTEM) for _ in range(2)]
    first = await library.get(owner.id, made[0].id)
    assert await library.get(owner.id, made[0].id) is first
    await library.get(owner.id, made[1].id)
    assert await library.get(owner.id, made[0].id) is not first
