"""The second step of signing in, and every way around it (U05)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import audit, second_factors, sessions
from postroom.store.database import Database
from postroom.tenancy import password_resets, sign_in_links
from postroom.types.actor import SYSTEM
from postroom.types.notices import SecondStepLocked
from postroom.web.console.access import OpenTo, Who
from support import people
from support.api import ApiWorld
from support.people import SignedIn, secret_in
from support.second_step import App, enrolled

ORIGIN = {"origin": "http://api.test"}
HALF = 202


async def first_step(api: ApiWorld, email: str, password: str = people.PASSWORD) -> httpx.Response:
    api.http.cookies.clear()
    body = {"email": email, "password": password}
    return await api.http.post("/console/session", json=body, headers=ORIGIN)


async def second_step(api: ApiWorld, cookie: str, code: str) -> httpx.Response:
    api.http.cookies.clear()
    headers = ORIGIN | {"cookie": f"postroom={cookie}"}
    return await api.http.post("/console/session/second-step", json={"code": code}, headers=headers)


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path) -> Any:
    """With a clock that stands still: a code is good for half a minute."""
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock())
    yield api
    await api.stop()


@pytest.fixture
async def anna(world: ApiWorld) -> App:
    return await enrolled(world)


async def half(api: ApiWorld, app: App) -> str:
    answer = await first_step(api, app.email)
    assert answer.status_code == HALF, answer.text
    return secret_in(answer)


# -- switching it on --------------------------------------------------------------------------------------------


async def test_switching_it_on_and_off(world: ApiWorld) -> None:
    person = await world.person()
    other = await people.sign_in(world.database, world.http, person.user, world.clock.now_ms())
    off = {"enabled": False, "since": None, "recovery_codes_left": 0}
    assert (await person.get("/console/second-factor")).json()["data"] == off
    begun = await person.post("/console/second-factor", json={"password": people.PASSWORD})
    assert begun.status_code == 201
    app = App(person, begun.json()["data"], world)
    assert begun.json()["data"]["url"].startswith("otpauth://totp/Postroom:")
    assert (await first_step(world, person.user.email)).status_code == 201  # nothing is asked for yet

    confirmed = await person.post("/console/second-factor/confirm", json={"code": app.code()})
    data = confirmed.json()["data"]
    assert len(set(data["recovery_codes"])) == 10
    assert data["session"]["user"]["two_factor"] is True
    now = SignedIn(world.http, person.user, secret_in(confirmed))
    assert now.headers["x-csrf-token"] == data["session"]["csrf_token"]
    for ended in (person, other):
        assert (await ended.get("/console/session")).status_code == 401
    on = (await now.get("/console/second-factor")).json()["data"]
    assert (on["enabled"], on["recovery_codes_left"]) == (True, 10)
    listed = (await now.get("/v1/users")).json()["data"]
    assert [user["2fa"] for user in listed if user["id"] == person.user.id] == [True]

    gone = await now.request("DELETE", "/console/second-factor", json={"password": people.PASSWORD})
    assert gone.json()["data"]["user"]["two_factor"] is False
    assert (await now.get("/console/session")).status_code == 401
    assert (await first_step(world, person.user.email)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("DELETE", ""), ("POST", "/recovery-codes")],
)
async def test_u05_every_change_takes_the_password(
    world: ApiWorld, anna: App, method: str, path: str
) -> None:
    for body in ({"password": "wrong"}, {}):
        answer = await anna.person.request(method, f"/console/second-factor{path}", json=body)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["password"])
    assert (await anna.person.get("/console/second-factor")).json()["data"]["recovery_codes_left"] == 10


async def test_u05_a_stolen_session_cannot_try_passwords_for_long(world: ApiWorld, anna: App) -> None:
    wrong = {"password": "wrong"}
    statuses = [
        (await anna.person.request("DELETE", "/console/second-factor", json=wrong)).status_code
        for _ in range(11)
    ]
    assert statuses == [422] * 8 + [429] * 3  # two went into switching it on
    assert (await first_step(world, anna.email)).status_code == HALF  # the owner signs in all the same


async def test_a_second_secret_is_made_only_when_the_first_is_gone(world: ApiWorld, anna: App) -> None:
    again = await anna.person.post("/console/second-factor", json={"password": people.PASSWORD})
    assert again.status_code == 409
    assert (
        await anna.person.post("/console/second-factor/confirm", json={"code": "123456"})
    ).status_code == 409


@pytest.mark.parametrize("code", ["000000", "12", "a" * 16])
async def test_a_wrong_code_confirms_nothing(world: ApiWorld, code: str) -> None:
    person = await world.person()
    nothing = await person.post("/console/second-factor/confirm", json={"code": code})
    assert nothing.status_code == 409
    await person.post("/console/second-factor", json={"password": people.PASSWORD})
    answer = await person.post("/console/second-factor/confirm", json={"code": code})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["code"])
    assert (await first_step(world, person.user.email)).status_code == 201


# -- signing in -------------------------------------------------------------------------------------------------


async def test_signing_in_takes_both_steps(world: ApiWorld, anna: App) -> None:
    answer = await first_step(world, anna.email)
    assert set(answer.json()["data"]) == {"second_step", "expires_at"}
    assert "Max-Age=300;" in answer.headers["set-cookie"]
    waiting = secret_in(answer)
    done = await second_step(world, waiting, anna.code())
    assert (done.status_code, done.json()["data"]["user"]["email"]) == (201, anna.email)
    signed_in = SignedIn(world.http, anna.person.user, secret_in(done))
    assert signed_in.secret != waiting
    assert (await signed_in.get("/v1/api-quota")).status_code == 200
    assert (await second_step(world, waiting, anna.code(1))).status_code == 401  # it is over


async def test_u05_half_a_session_opens_nothing_else(world: ApiWorld, anna: App) -> None:
    person = SignedIn(world.http, anna.person.user, await half(world, anna))
    for method, path in (
        ("GET", "/console/session"),
        ("DELETE", "/console/session"),
        ("GET", "/console/sessions"),
        ("POST", "/console/session/account"),
        ("GET", "/console/profile"),
        ("PUT", "/console/profile/password"),
        ("DELETE", "/console/second-factor"),
        ("POST", "/console/second-factor/recovery-codes"),
        ("GET", "/v1/users"),
    ):
        assert (await person.request(method, path, json={})).status_code == 401, path


async def test_u05_a_code_is_good_once(world: ApiWorld, anna: App) -> None:
    code = anna.code()
    assert (await second_step(world, await half(world, anna), code)).status_code == 201
    again = await second_step(world, await half(world, anna), code)
    assert (again.status_code, list(again.json()["errors"])) == (422, ["code"])
    before = await second_step(world, await half(world, anna), anna.code(-1))
    assert before.status_code == 422  # older than the one that was used
    assert (await second_step(world, await half(world, anna), anna.code(1))).status_code == 201


async def test_u05_the_code_that_confirmed_it_does_not_sign_in(world: ApiWorld) -> None:
    app = await enrolled(world, wait=False)
    assert (await second_step(world, await half(world, app), app.code())).status_code == 422


async def test_u05_raced_the_same_code_signs_in_once(world: ApiWorld, anna: App) -> None:
    code, halves = anna.code(), [await half(world, anna) for _ in range(4)]
    answers = await asyncio.gather(*(second_step(world, one, code) for one in halves))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]


async def test_u05_a_recovery_code_is_good_once(world: ApiWorld, anna: App) -> None:
    first, second = anna.recovery_codes[:2]
    assert (await second_step(world, await half(world, anna), first)).status_code == 201
    assert (await second_step(world, await half(world, anna), first)).status_code == 422
    spoken = second.replace("-", " ").upper()
    done = await second_step(world, await half(world, anna), spoken)
    assert done.status_code == 201
    person = SignedIn(world.http, anna.person.user, secret_in(done))
    assert (await person.get("/console/second-factor")).json()["data"]["recovery_codes_left"] == 8
    made = await person.post("/console/second-factor/recovery-codes", json={"password": people.PASSWORD})
    assert len(made.json()["data"]["recovery_codes"]) == 10
    old = await second_step(world, await half(world, anna), anna.recovery_codes[2])
    assert old.status_code == 422


async def test_u05_five_wrong_codes_lock_the_step_and_its_owner_hears_of_it(
    world: ApiWorld, anna: App
) -> None:
    waiting, another = await half(world, anna), await half(world, anna)
    statuses = [(await second_step(world, waiting, "000000")).status_code for _ in range(6)]
    assert statuses == [422] * 4 + [429, 401]  # whoever guesses needs the password again
    assert (await second_step(world, another, anna.code())).status_code == 401
    (told,) = [one for one in world.mail.notices if isinstance(one, SecondStepLocked)]
    assert (told.to, told.client) == (anna.email, "127.0.0.1")
    locked = await second_step(world, await half(world, anna), anna.code())
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "900")
    assert (await second_step(world, await half(world, anna), anna.recovery_codes[0])).status_code == 429
    assert isinstance(world.clock, FakeClock)
    world.clock.advance(900)
    assert (await second_step(world, await half(world, anna), anna.code())).status_code == 201


async def test_u05_each_lock_is_longer(world: ApiWorld, anna: App) -> None:
    assert isinstance(world.clock, FakeClock)
    waits = []
    for _ in range(3):
        waiting = await half(world, anna)
        answers = [await second_step(world, waiting, "000000") for _ in range(5)]
        waits.append(int(answers[-1].headers["retry-after"]))
        world.clock.advance(waits[-1])
    assert waits == [900, 1800, 3600]


async def test_u05_half_a_session_lasts_five_minutes(world: ApiWorld, anna: App) -> None:
    assert isinstance(world.clock, FakeClock)
    waiting = await half(world, anna)
    world.clock.advance(300)
    assert (await second_step(world, waiting, anna.code())).status_code == 401


async def test_u05_nobody_can_push_out_sessions_with_halves(world: ApiWorld, anna: App) -> None:
    for _ in range(8):
        await half(world, anna)
    assert (await anna.person.get("/console/session")).status_code == 200
    async with world.database.read() as connection:
        found = await sessions.of_user(connection, anna.person.user.id, sessions.SECOND_STEP)
    assert len(found) == 5
    assert len((await anna.person.get("/console/sessions")).json()["data"]) == 1


# -- the other ways in ------------------------------------------------------------------------------------------


async def test_u05_a_link_stands_for_the_password_only(world: ApiWorld, anna: App) -> None:
    link = await sign_in_links.add(world.database, anna.email, now=world.clock.now_ms(), by=SYSTEM)
    world.http.cookies.clear()
    answer = await world.http.post("/console/session/link", json={"link": link}, headers=ORIGIN)
    assert answer.status_code == HALF
    assert (await second_step(world, secret_in(answer), anna.code())).status_code == 201


async def test_u05_a_reset_signs_nobody_in_and_keeps_the_step(world: ApiWorld, anna: App) -> None:
    made = await password_resets.request(world.database, anna.email, client="", now=world.clock.now_ms())
    assert made is not None
    body = {"token": made.secret, "password": "another good one"}
    used = await world.http.post("/console/password-resets/use", json=body, headers=ORIGIN)
    assert (used.status_code, "set-cookie" in used.headers) == (204, False)
    answer = await first_step(world, anna.email, "another good one")
    assert answer.status_code == HALF
    assert (await second_step(world, secret_in(answer), anna.code())).status_code == 201


async def test_u05_no_endpoint_but_those_named_is_open_without_a_session(world: ApiWorld) -> None:
    """Whatever is open to strangers is a way in: each is listed here on purpose."""
    from postroom.web.api.app import application
    from postroom.web.api.route import ApiRoute
    from postroom.web.console.app import RESOURCES
    from postroom.web.console.gate import ConsoleGate

    app = application("console", world.api, ConsoleGate(world.api), RESOURCES)
    found = {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, ApiRoute)
        and isinstance(route.access, OpenTo)
        and route.access.who in (Who.ANYBODY, Who.EITHER)
        for method in route.methods or ()
    }
    assert found == {
        "POST /session",
        "POST /session/link",
        "POST /session/second-step",
        "POST /password-resets",
        "POST /password-resets/look",
        "POST /password-resets/use",
        "GET /sign-up",
        "POST /sign-up",
        "POST /sign-up/look",
        "POST /sign-up/confirm",
        "POST /invites/look",
        "POST /invites/accept",
        "POST /email-changes/look",
        "POST /email-changes/confirm",
    }


# -- what is kept -----------------------------------------------------------------------------------------------


async def test_x01_no_secret_of_it_lies_in_the_database(world: ApiWorld, anna: App) -> None:
    async with world.database.read() as connection:
        factor = await second_factors.get(connection, anna.person.user.id)
        assert factor is not None
        assert anna.secret not in factor.secret
        entries = await audit.page(connection, "", object_id=anna.person.user.id, limit=20)
    assert [entry.action for entry in entries] == ["second_factor.enabled", "second_factor.begun"]
    kept = str(entries) + repr(factor)
    assert not any(code in kept or code.replace("-", "") in kept for code in anna.recovery_codes)


async def test_u13_each_step_is_in_the_audit_log(world: ApiWorld, anna: App) -> None:
    await second_step(world, await half(world, anna), "000000")
    await second_step(world, await half(world, anna), anna.recovery_codes[0])
    async with world.database.read() as connection:
        entries = await audit.page(connection, "", actor_id=anna.person.user.id, limit=20)
        created = await audit.page(connection, world.first.account.id, action="session.created", limit=20)
    told = [entry.action for entry in reversed(entries)]
    assert told == [
        "second_factor.begun",
        "second_factor.enabled",
        "session.begun",
        "second_factor.refused",
        "session.begun",
        "second_factor.recovery_code_used",
    ]
    assert len(created) == 2  # the first of the fixture, and the one after the code
