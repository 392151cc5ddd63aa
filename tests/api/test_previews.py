"""HTML that is not sent yet, as a page that can do nothing. What a browser does with it is in test_preview_in_browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from postroom.runtime.clock import FakeClock
from postroom.store.database import Database
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role
from support.api import ApiWorld
from support.people import SignedIn
from support.sent import sent

PREVIEWS = "/console/previews"


async def made(person: SignedIn, html: str) -> str:
    answer = await person.post(PREVIEWS, json={"html": html})
    assert answer.status_code == 201, answer.text
    return f"{PREVIEWS}/{answer.json()['data']['id']}"


async def test_it_is_shown_as_a_stored_email_is(api: ApiWorld) -> None:
    person = await api.person()
    page = await person.get(await made(person, "<p>Grüße</p><base href=x><script>alert(1)</script>"))
    assert page.content.decode() == "<p>Grüße</p><x-base href=x><script>alert(1)</script>"
    mail = await sent(api, api.first)
    stored = await api.get(f"/email/{mail.emails[0].id}/preview")
    same = (
        "content-type",
        "cache-control",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
    )
    assert [page.headers[name] for name in same] == [stored.headers[name] for name in same]
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_pictures_from_elsewhere_only_when_asked_for(api: ApiWorld) -> None:
    person = await api.person()
    path = await made(person, "<img src=https://example.com/a.png>")
    policies = [
        (await person.get(path + query)).headers["content-security-policy"] for query in ("", "?images=1")
    ]
    assert ["img-src data:;" in policy for policy in policies] == [True, False]


async def test_only_who_wrote_it_sees_it_for_a_minute(sqlite_database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock)
    person, colleague = await api.person(), await api.person()
    path = await made(person, "<p>secret</p>")
    assert (await colleague.get(path)).status_code == 404
    assert (await api.http.get(path)).status_code == 401
    assert (await person.get(path)).status_code == 200
    clock.advance(60)
    assert (await person.get(path)).status_code == 404
    await api.stop()


async def test_the_next_takes_its_place(api: ApiWorld) -> None:
    person = await api.person()
    first, second = await made(person, "first"), await made(person, "second")
    assert [(await person.get(path)).status_code for path in (first, second)] == [404, 200]


@pytest.mark.parametrize(
    ("permission", "status"),
    [(Permission.CONTROL_SENDINGS, 201), (Permission.MANAGE_TEMPLATE, 201), (Permission.READ_EMAIL, 403)],
)
async def test_it_is_for_who_writes(api: ApiWorld, permission: Permission, status: int) -> None:
    person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({permission})))
    assert (await person.post(PREVIEWS, json={"html": "x"})).status_code == status


async def test_u01_another_site_cannot_make_one(api: ApiWorld) -> None:
    person = await api.person()
    for headers in ({"x-csrf-token": ""}, {"origin": "https://evil.test"}):
        answer = await person.post(PREVIEWS, json={"html": "x"}, headers=headers)
        assert answer.status_code == 403


async def test_no_html_and_too_much(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.post(PREVIEWS, json={})).status_code == 422
    assert (await person.post(PREVIEWS, json={"html": "x" * 1024 * 1024})).status_code == 413
