"""Signing in and out, and everything a session has to stand (U01, U03, U10)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import audit, memberships, sessions
from postroom.store.database import Database
from postroom.tenancy import users
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import PERMISSIONS, Permission, Role
from support import people
from support.api import ApiWorld
from support.people import secret_in

ORIGIN = {"origin": "http://api.test"}
UNAUTHENTICATED = {"message": "Unauthenticated."}


async def sign_in(
    api: ApiWorld,
    email: str,
    password: str = people.PASSWORD,
    http: httpx.AsyncClient | None = None,
    **headers: str,
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await (http or api.http).post("/console/session", json=body, headers=ORIGIN | headers)


async def test_signing_in_tells_everything_the_dashboard_wants_to_know(api: ApiWorld) -> None:
    account, other = api.first.account, (await api.tenant()).account
    user = await people.make(api.database, account.id)
    grant = Grant(Role.CUSTOM_USER, frozenset({Permission.READ_EMAIL}), frozenset({"a" * 16}))
    async with api.database.write() as connection:
        await users.join(connection, other.id, user, grant, now=2, by=SYSTEM)
    answer = await sign_in(api, user.email.upper())
    assert answer.status_code == 201
    shown: dict[str, Any] = answer.json()["data"]
    token, ends = shown.pop("csrf_token"), shown.pop("expires_at")
    assert shown == {
        "user": {
            "id": user.id,
            "email": user.email,
            "name": "",
            "last_name": "",
            "operator": False,
            "has_password": True,
            "two_factor": False,
            "time_zone": "",
            "preferences": {},
        },
        "accounts": [
            {"id": account.id, "name": account.name, "state": "approved", "role": "Admin"},
            {"id": other.id, "name": other.name, "state": "approved", "role": "Custom User"},
        ],
        "account_id": account.id,
        "role": "Admin",
        "permissions": list(Permission),
        "domains": None,
        "templates": None,
    }
    browser = people.SignedIn(api.http, user, secret_in(answer))
    assert browser.headers["x-csrf-token"] == token
    assert (await browser.get("/console/session")).json()["data"] == {
        **shown,
        "csrf_token": token,
        "expires_at": ends,
    }
    switched = await browser.post("/console/session/account", json={"account_id": other.id})
    there = {"account_id": other.id, "role": "Custom User", "permissions": ["read-email"]}
    assert switched.json()["data"].items() >= (there | {"domains": ["a" * 16], "templates": []}).items()
    assert (await browser.get("/console/probe/member")).json() == {"account": other.id}
    assert (await browser.get("/v1/api-quota")).status_code == 200


@pytest.mark.parametrize(
    ("address", "scheme", "cookie"),
    [
        ("127.0.0.1", "http", "postroom={}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"),
        ("192.0.2.7", "https", "__Host-postroom={}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax; Secure"),
    ],
)
async def test_u03_the_cookie_has_every_flag(api: ApiWorld, address: str, scheme: str, cookie: str) -> None:
    user = await people.make(api.database, api.first.account.id)
    async with api.client_at(address, scheme) as http:
        answer = await sign_in(api, user.email, http=http, origin=f"{scheme}://api.test")
        assert answer.headers["set-cookie"] == cookie.format(secret_in(answer))
        name = cookie.partition("=")[0]
        secret = {"cookie": f"a=b; {name}={secret_in(answer)}; postroo=x"}
        http.cookies.clear()
        assert (await http.get("/console/session", headers=secret)).status_code == 200
        other = {"cookie": f"{'postroom' if scheme == 'https' else '__Host-postroom'}={secret_in(answer)}"}
        assert (await http.get("/console/session", headers=other)).status_code == 401


async def test_over_plain_http_from_elsewhere_nobody_signs_in(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    async with api.client_at("192.0.2.7") as http:
        answer = await sign_in(api, user.email, http=http)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_u10_unknown_and_wrong_look_the_same(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    nobody = await sign_in(api, "nobody@example.com")
    wrong = await sign_in(api, user.email, "wrong")
    assert nobody.status_code == wrong.status_code == 401
    assert nobody.content == wrong.content
    assert "set-cookie" not in wrong.headers
    invalid = await api.http.post("/console/session", json={"email": user.email}, headers=ORIGIN)
    assert invalid.status_code == 422
    assert list(invalid.json()["errors"]) == ["password"]


async def test_s08_guessing_makes_the_address_wait_but_not_the_owner(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    assert (await sign_in(api, user.email)).status_code == 201
    async with api.client_at("192.0.2.9", "https") as attacker:
        foreign = {"http": attacker, "origin": "https://api.test"}
        statuses = [(await sign_in(api, user.email, "wrong", **foreign)).status_code for _ in range(7)]
        assert statuses == [401] * 6 + [429]
        waits = await sign_in(api, user.email, **foreign)
        assert waits.status_code == 429
        assert int(waits.headers["retry-after"]) > 0
    assert (await sign_in(api, user.email)).status_code == 201


async def test_u03_signing_in_makes_a_new_session_and_ends_the_one_before(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    first = secret_in(await sign_in(api, user.email))
    api.http.cookies.clear()
    second = secret_in(await sign_in(api, user.email, cookie=f"postroom={first}"))
    assert first != second
    api.http.cookies.clear()
    assert (await people.SignedIn(api.http, user, first).get("/console/session")).status_code == 401
    assert (await people.SignedIn(api.http, user, second).get("/console/session")).status_code == 200
    planted = "A" * 43  # somebody else chose it
    third = secret_in(await sign_in(api, user.email, cookie=f"postroom={planted}"))
    assert third != planted


@pytest.mark.parametrize(
    "change",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * 64},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://api.test.evil.test"},
        {"origin": "http://"},
        {"origin": "ftp://api.test"},
    ],
)
async def test_u01_what_another_site_sends_is_refused(api: ApiWorld, change: dict[str, str]) -> None:
    person = await api.person()
    for method, path in (
        ("DELETE", "/console/session"),
        ("DELETE", "/console/sessions"),
        ("POST", "/console/session/account"),
        ("POST", "/v1/notes"),
        ("DELETE", "/v1/notes"),
    ):
        answer = await person.request(method, path, headers=change)
        assert answer.status_code == 403, (method, path)
        assert "access-control-allow-origin" not in answer.headers
    assert (
        await person.get("/console/session", headers=change)
    ).status_code == 200  # reading changes nothing
    async with api.database.read() as connection:
        assert len(await sessions.of_user(connection, person.user.id)) == 1


async def test_u01_nor_can_it_sign_anybody_in(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    assert (await sign_in(api, user.email, origin="https://evil.test")).status_code == 403
    form = {"content-type": "text/plain", **ORIGIN}
    body = b'{"email":"%s","password":"%s"}' % (user.email.encode(), people.PASSWORD.encode())
    assert (await api.http.post("/console/session", content=body, headers=form)).status_code == 415


async def test_the_configured_address_is_an_origin_of_ours(sqlite_database: Database, tmp_path: Path) -> None:
    """A proxy may tell another Host than people use."""
    api = await ApiWorld.start(sqlite_database, tmp_path, server={"http_url": "https://Mail.example.com/x"})
    person = await api.person()
    for origin, status in (("https://mail.example.com", 204), ("https://other.example.com", 403)):
        answer = await person.delete("/console/sessions", headers={"origin": origin})
        assert answer.status_code == (status if origin else 0), answer.text
        person = await api.person()
    await api.stop()


async def test_a_token_beside_the_cookie_is_what_counts(api: ApiWorld) -> None:
    person = await api.person()
    wrong = {"authorization": "Bearer mlsn." + "0" * 64}
    assert (await person.get("/v1/api-quota", headers=wrong)).status_code == 401
    right = {"authorization": f"Bearer {api.secret}", "cookie": "postroom=nonsense"}
    assert (await api.http.get("/v1/api-quota", headers=right)).status_code == 200
    assert (
        await api.http.get("/console/session", headers={"authorization": right["authorization"]})
    ).status_code == 401
    for cookie in (
        "postroom=",
        "postroom=short",
        f"postroom={'a' * 44}",
        f"other={person.secret}",
        f"postroom={person.secret}; postroom={person.secret}",
    ):
        answer = await api.http.get("/v1/api-quota", headers={"cookie": cookie})
        assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)


async def test_u03_sessions_are_listed_and_ended_one_by_one_or_all(api: ApiWorld) -> None:
    person = await api.person()
    now = api.clock.now_ms()
    others = [await people.sign_in(api.database, api.http, person.user, now + 1) for _ in range(3)]
    stranger = await api.person()
    listed = (await person.get("/console/sessions")).json()["data"]
    assert [session["current"] for session in listed] == [False, False, False, True]
    assert {session["client"] for session in listed} == {"127.0.0.1"}
    assert (await stranger.delete(f"/console/sessions/{listed[0]['id']}")).status_code == 404
    assert (await person.delete(f"/console/sessions/{listed[0]['id']}")).status_code == 204
    assert len((await person.get("/console/sessions")).json()["data"]) == 3
    gone = await person.delete("/console/sessions")
    assert gone.status_code == 204
    assert "Max-Age=0" in gone.headers["set-cookie"]
    for one in (person, *others):
        assert (await one.get("/console/session")).json() == UNAUTHENTICATED
    assert (await stranger.get("/console/session")).status_code == 200


async def test_signing_out_ends_the_session_at_once(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.get("/v1/api-quota")).status_code == 200
    answer = await person.delete("/console/session")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "postroom=; Max-Age=0" in answer.headers["set-cookie"]
    assert (await person.get("/v1/api-quota")).status_code == 401


async def test_u03_a_session_ends_when_it_is_idle_or_old(sqlite_database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    settings = {"sessions": {"idle": "60s", "lifetime": "5m"}}
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock, **settings)
    user = await people.make(api.database, api.first.account.id)
    idle, busy = [
        await people.sign_in(api.database, api.http, user, clock.now_ms(), lifetime=300) for _ in range(2)
    ]
    for _ in range(5):
        assert (await busy.get("/console/session")).status_code == 200
        clock.advance(59)
        await api.persons.flush()
        await api.changed()
    assert (await idle.get("/console/session")).status_code == 401
    assert (await busy.get("/console/session")).status_code == 200
    clock.advance(6)
    assert (await busy.get("/console/session")).status_code == 401  # used all the time, and five minutes old
    await api.persons.flush()
    async with api.database.read() as connection:
        assert await sessions.of_user(connection, user.id) == []
    await api.stop()


async def test_who_is_no_member_any_more_is_out(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.get("/v1/api-quota")).status_code == 200
    async with api.database.write() as connection:
        await memberships.remove(connection, api.first.account.id, person.user.id)
    await api.changed()
    answer = await person.get("/v1/api-quota")
    assert (answer.status_code, answer.json()) == (
        403,
        {"message": "You do not belong to this account. #MS40303"},
    )
    shown = (await person.get("/console/session")).json()["data"]
    assert (shown["account_id"], shown["accounts"], shown["permissions"]) == (None, [], [])
    foreign = await person.post("/console/session/account", json={"account_id": api.first.account.id})
    assert foreign.status_code == 404


async def test_another_role_holds_at_once(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.get("/console/probe/manager")).status_code == 200
    async with api.database.write() as connection:
        new = Grant(Role.DESIGNER).columns()
        await memberships.change(connection, api.first.account.id, person.user.id, **new)
    await api.changed()
    answer = await person.get("/console/probe/manager")
    assert answer.json() == {"message": "You lack the permission for this; it needs manage-account. #MS40301"}
    shown = (await person.get("/console/session")).json()["data"]
    assert set(shown["permissions"]) == PERMISSIONS[Role.DESIGNER]


async def test_operators_and_members(api: ApiWorld) -> None:
    member, operator = await api.person(), await api.person(operator=True)
    assert (await member.post("/console/probe/operator")).status_code == 403
    assert (await operator.post("/console/probe/operator")).json() == {"email": operator.user.email}
    assert (await api.http.get("/console/probe/member")).status_code == 401


async def test_a_person_may_ask_only_so_often(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, sessions={"requests_per_minute": 3})
    person, other = await api.person(), await api.person()
    statuses = [(await person.get("/v1/api-quota")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert (await other.get("/v1/api-quota")).status_code == 200
    await api.stop()


async def test_a_person_does_not_use_up_the_quota_of_requests(api: ApiWorld) -> None:
    person = await api.person()
    answer = await person.get("/v1/notes")
    assert answer.status_code == 403
    assert "x-apiquota-remaining" not in answer.headers
    assert api.quota.used(api.first.account.id) in (None, 0)


async def test_an_endpoint_that_names_no_permission_is_not_for_people(api: ApiWorld) -> None:
    person = await api.person()
    answer = await person.get("/v1/me")
    assert (answer.status_code, answer.json()) == (
        403,
        {"message": "This can be done with an API token only."},
    )
    assert (await person.get("/v1/search?event[]=a")).status_code == 200  # which names nothing at all


async def test_u13_each_change_is_in_the_audit_log_once_and_without_secrets(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    secret = secret_in(await sign_in(api, user.email))
    person = people.SignedIn(api.http, user, secret)
    other = await people.sign_in(api.database, api.http, user, 1)
    listed = (await person.get("/console/sessions")).json()["data"]
    await person.delete(f"/console/sessions/{listed[-1]['id']}")
    await person.delete("/console/session")
    async with api.database.read() as connection:
        entries = await audit.page(connection, api.first.account.id, action="session.", limit=10)
    told = [(entry.action, entry.actor_name, entry.client) for entry in reversed(entries)]
    assert told == [
        ("session.created", user.email, "127.0.0.1"),
        ("session.created", user.email, "127.0.0.1"),
        ("session.deleted", user.email, "127.0.0.1"),
        ("session.deleted", user.email, "127.0.0.1"),
    ]
    assert secret not in str([replace(entry) for entry in entries])
    assert other.secret not in str(entries)
