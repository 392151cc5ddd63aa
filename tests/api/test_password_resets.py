"""A new password by mail: nobody learns who is known, and a link is good once (U10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from postroom.runtime.clock import FakeClock
from postroom.store import audit
from postroom.store.database import Database
from postroom.store.schema import one_time_links
from postroom.types.notices import PasswordChanged, PasswordReset
from postroom.web.console import strangers
from support import people
from support.api import ApiWorld

ORIGIN = {"origin": "http://api.test"}
NEW = "a much better one"


async def post(api: ApiWorld, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await api.http.post(f"/console{path}", json=body, headers=ORIGIN | headers)


async def ask(api: ApiWorld, email: str, **headers: str) -> httpx.Response:
    return await post(api, "/password-resets", {"email": email}, **headers)


def links(api: ApiWorld) -> list[str]:
    return [one.link for one in api.mail.notices if isinstance(one, PasswordReset)]


async def token(api: ApiWorld, email: str) -> str:
    await ask(api, email)
    return links(api)[-1].partition("#")[2]


async def sign_in(api: ApiWorld, email: str, password: str) -> int:
    api.http.cookies.clear()
    return (await post(api, "/session", {"email": email, "password": password})).status_code


async def test_a_new_password_by_a_link_ends_every_session(api: ApiWorld) -> None:
    person = await api.person()
    email = person.user.email
    answer = await ask(api, f" {email.upper()} ")
    assert (answer.status_code, answer.content) == (202, b"")
    (link,) = links(api)
    page, _, secret = link.partition("#")
    assert (page, len(secret)) == ("http://localhost:8025/reset", 43)
    looked = await post(api, "/password-resets/look", {"token": secret})
    assert looked.json() == {"data": {"email": email}}
    assert (await person.get("/console/session")).status_code == 200

    used = await post(api, "/password-resets/use", {"token": secret, "password": NEW})
    assert (used.status_code, "set-cookie" in used.headers) == (204, False)
    assert (await person.get("/console/session")).status_code == 401
    assert [await sign_in(api, email, one) for one in (people.PASSWORD, NEW)] == [401, 201]
    told = api.mail.notices[-1]
    assert told == PasswordChanged(email, "127.0.0.1", "http://localhost:8025/reset")


async def test_u10_a_link_is_good_once(api: ApiWorld) -> None:
    person = await api.person()
    secret = await token(api, person.user.email)
    body = {"token": secret, "password": NEW}
    assert [(await post(api, "/password-resets/use", body)).status_code for _ in range(2)] == [204, 410]
    assert (await post(api, "/password-resets/look", {"token": secret})).status_code == 410
    for wrong in ("", "x", "A" * 43, "Ä" * 43):
        answer = await post(api, "/password-resets/look", {"token": wrong})
        assert answer.status_code in (410, 422), wrong


async def test_u10_a_newer_link_takes_the_place_of_the_one_before(api: ApiWorld) -> None:
    person = await api.person()
    first, second = await token(api, person.user.email), await token(api, person.user.email)
    use = [
        (await post(api, "/password-resets/use", {"token": one, "password": NEW})).status_code
        for one in (first, second)
    ]
    assert use == [410, 204]


async def test_u10_after_an_hour_it_is_over(sqlite_database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock)
    person = await api.person()
    secret = await token(api, person.user.email)
    clock.advance(3599)
    assert (await post(api, "/password-resets/look", {"token": secret})).status_code == 200
    clock.advance(1)
    assert (await post(api, "/password-resets/use", {"token": secret, "password": NEW})).status_code == 410
    await api.stop()


async def test_u10_the_answer_is_the_same_and_comes_before_anybody_is_looked_up(api: ApiWorld) -> None:
    """So there is no time to measure, either."""
    person = await api.person()
    answers = [await ask(api, email) for email in (person.user.email, "nobody@example.com", "no address")]
    shown = [(one.status_code, one.content, sorted({*one.headers} - {"x-request-id"})) for one in answers]
    assert shown[0] == shown[1] == shown[2]
    assert len(links(api)) == 1

    answered: list[int] = []
    seen: list[int] = []

    async def send(notice: Any) -> Any:
        seen.append(len(answered))
        return await type(api.mail).send(api.mail, notice)

    async def tell(message: Any) -> None:
        if message["type"] == "http.response.body":
            answered.append(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.mail, "send", send)
        await _call(api, person.user.email, tell)
    assert seen == [1]


async def _call(api: ApiWorld, email: str, send: Any) -> None:
    body = b'{"email": "%s"}' % email.encode()
    scope = {
        "type": "http", "method": "POST", "path": "/console/password-resets", "raw_path": b"", "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("api.test", 80),
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    await api.app(scope, receive, send)


async def test_u10_the_link_is_ours_whatever_host_was_asked(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path)
    person = await api.person()
    evil = {"host": "evil.test", "origin": "http://evil.test", "x-forwarded-host": "evil.test"}
    await ask(api, person.user.email, **evil)
    assert [link.partition("#")[0] for link in links(api)] == ["http://localhost:8025/reset"]
    await api.stop()


async def test_an_address_gets_three_links_an_hour_and_a_network_ten(api: ApiWorld) -> None:
    person = await api.person()
    statuses = [(await ask(api, person.user.email)).status_code for _ in range(strangers.MAILS + 1)]
    assert statuses == [202] * 10 + [429]
    assert len(links(api)) == 3
    async with api.client_at("192.0.2.9", "https") as elsewhere:
        answer = await elsewhere.post(
            "/console/password-resets",
            json={"email": person.user.email},
            headers={"origin": "https://api.test"},
        )
    assert answer.status_code == 202
    assert len(links(api)) == 3


@pytest.mark.parametrize("password", ["short", "1234567890", "Password123", "{email}", "{EMAIL}"])
async def test_a_password_has_to_be_fit_and_the_link_stays_good(api: ApiWorld, password: str) -> None:
    person = await api.person()
    email = person.user.email
    body = {"token": await token(api, email), "password": password.format(email=email, EMAIL=email.upper())}
    answer = await post(api, "/password-resets/use", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["password"])
    assert (await post(api, "/password-resets/use", body | {"password": NEW})).status_code == 204


async def test_u01_another_site_cannot_ask_for_it(api: ApiWorld) -> None:
    person = await api.person()
    for path in ("", "/look", "/use"):
        answer = await post(
            api, f"/password-resets{path}", {"email": person.user.email}, origin="https://evil.test"
        )
        assert answer.status_code == 403
    assert links(api) == []


async def test_x01_the_secret_is_nowhere_and_u13_each_step_is_told(api: ApiWorld) -> None:
    person = await api.person()
    secret = await token(api, person.user.email)
    async with api.database.read() as connection:
        assert len(list(await connection.scalars(select(one_time_links.c.purpose)))) == 1
    await post(api, "/password-resets/use", {"token": secret, "password": NEW})
    async with api.database.read() as connection:
        entries = await audit.page(connection, "", object_id=person.user.id, limit=9)
        assert list(await connection.scalars(select(one_time_links.c.purpose))) == []
    assert [entry.action for entry in entries] == ["password_reset.used", "password_reset.requested"]
    assert secret not in str(entries)
    assert NEW not in str(entries)
