"""What people change about themselves, and their password (U03, U10)."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.store import audit, users
from postroom.tenancy import sign_in_links
from postroom.tenancy.common_passwords import COMMON
from postroom.tenancy.passwords import SHORTEST
from postroom.types.actor import SYSTEM
from postroom.types.notices import PasswordChanged
from support import people
from support.api import ApiWorld
from support.people import SignedIn, secret_in

NEW = "a much better one"


async def test_name_time_zone_and_preferences(api: ApiWorld) -> None:
    person = await api.person()
    new = {
        "name": "Anna",
        "last_name": "Smith",
        "time_zone": "Europe/Berlin",
        "preferences": {"theme": "dark", "rows": 50},
    }
    changed = (await person.put("/console/profile", json=new)).json()["data"]
    assert changed.items() >= new.items()
    assert (await person.get("/console/profile")).json()["data"] == changed
    assert (await person.get("/console/session")).json()["data"]["user"] == changed
    kept = (await person.put("/console/profile", json={"last_name": "", "name": None})).json()["data"]
    assert (kept["name"], kept["last_name"], kept["time_zone"]) == ("Anna", "", "Europe/Berlin")
    await person.put("/console/profile", json={"name": "Anna"})
    async with api.database.read() as connection:
        entries = await audit.page(connection, "", action="profile.updated", limit=9)
    assert len(entries) == 2  # what changes nothing is not told
    assert entries[0].before == '{"last_name": "Smith"}'


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "x" * 192}, "name"),
        ({"time_zone": "x" * 65}, "time_zone"),
        ({"preferences": []}, "preferences"),
        ({"preferences": {"a": "x" * 4096}}, "preferences"),
    ],
)
async def test_what_is_wrong_with_a_profile(api: ApiWorld, wrong: dict[str, Any], field: str) -> None:
    answer = await (await api.person()).put("/console/profile", json=wrong)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


@pytest.mark.parametrize("zone", ["Mars/ Crater", "../etc/passwd", "<b>", "Europe/Berlin/"])
async def test_what_is_no_time_zone(api: ApiWorld, zone: str) -> None:
    answer = await (await api.person()).put("/console/profile", json={"time_zone": zone})
    assert answer.status_code == 422


async def test_u03_a_new_password_takes_the_old_one_and_ends_other_sessions(api: ApiWorld) -> None:
    person = await api.person()
    other = await people.sign_in(api.database, api.http, person.user, 1)
    for old in (None, "", "wrong"):
        answer = await person.put("/console/profile/password", json={"old_password": old, "password": NEW})
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["old_password"])
    body = {"old_password": people.PASSWORD, "password": NEW}
    answer = await person.put("/console/profile/password", json=body)
    assert answer.status_code == 200
    for ended in (person, other):
        assert (await ended.get("/console/session")).status_code == 401
    goes_on = SignedIn(api.http, person.user, secret_in(answer))
    assert goes_on.headers["x-csrf-token"] == answer.json()["data"]["csrf_token"]
    shown = (await goes_on.get("/console/session")).json()["data"]
    assert shown["account_id"] == api.first.account.id
    assert isinstance(api.mail.notices[-1], PasswordChanged)
    async with api.database.read() as connection:
        (entry,) = await audit.page(connection, "", action="profile.password_changed", limit=9)
        user = await users.get(connection, person.user.id)
    assert user is not None
    assert (entry.before, entry.after) == ('{"password_hash": "(secret)"}', '{"password_hash": "(secret)"}')
    again = await goes_on.put("/console/profile/password", json=body)
    assert again.status_code == 422


async def test_a_stolen_session_cannot_try_passwords_for_long(api: ApiWorld) -> None:
    person = await api.person()
    body = {"old_password": "wrong", "password": NEW}
    statuses = [(await person.put("/console/profile/password", json=body)).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


async def test_who_came_by_a_link_chooses_a_first_password(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    async with api.database.write() as connection:
        await users.change(connection, user.id, password_hash="")
    link = await sign_in_links.add(api.database, user.email, now=api.clock.now_ms(), by=SYSTEM)
    origin = {"origin": "http://api.test"}
    answers = [
        await api.http.post("/console/session/link", json={"link": link}, headers=origin) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 410]
    assert answers[0].json()["data"]["user"]["has_password"] is False
    api.http.cookies.clear()
    person = SignedIn(api.http, user, secret_in(answers[0]))
    answer = await person.put("/console/profile/password", json={"password": NEW})
    assert answer.json()["data"]["user"]["has_password"] is True
    person = SignedIn(api.http, user, secret_in(answer))
    assert (await person.put("/console/profile/password", json={"password": NEW + "!"})).status_code == 422
    api.http.cookies.clear()
    body = {"email": user.email, "password": NEW}
    assert (await api.http.post("/console/session", json=body, headers=origin)).status_code == 201


async def test_without_a_password_a_wrong_one_opens_nothing(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    async with api.database.write() as connection:
        await users.change(connection, user.id, password_hash="")
    for password in ("", "x", "correct horse battery"):
        body = {"email": user.email, "password": password}
        answer = await api.http.post("/console/session", json=body, headers={"origin": "http://api.test"})
        assert answer.status_code in (401, 422)


@pytest.mark.parametrize("password", ["short", "qwertyuiop", "QWERTYuiop", "password123 "])
async def test_a_password_that_is_too_easy(api: ApiWorld, password: str) -> None:
    person = await api.person()
    body = {"old_password": people.PASSWORD, "password": password}
    answer = await person.put("/console/profile/password", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["password"])


def test_common_passwords_are_those_that_would_be_taken_otherwise() -> None:
    assert min(map(len, COMMON)) >= SHORTEST
    assert all(one == one.lower() for one in COMMON)
