"""Another address to sign in with: the password, a link to the new address, and word to the one of before (U05, U10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import audit
from postroom.store.database import Database
from postroom.tenancy import email_changes
from postroom.types.notices import (
    EmailChangeAsked,
    EmailChangeConfirmation,
    EmailChanged,
    EmailChangeKnown,
    Notice,
    PasswordReset,
)
from support import people
from support.api import ApiWorld
from support.people import SignedIn
from support.second_step import enrolled

ORIGIN = {"origin": "http://api.test"}
NEW = "new@example.com"


async def ask(person: SignedIn, email: str = NEW, **fields: Any) -> httpx.Response:
    body = {"email": email, "password": people.PASSWORD} | fields
    return await person.post("/console/email-changes", json=body)


async def use(api: ApiWorld, secret: str, verb: str = "confirm") -> httpx.Response:
    """As somebody who is not signed in."""
    return await api.http.post(f"/console/email-changes/{verb}", json={"token": secret}, headers=ORIGIN)


def secret_in(notice: Notice) -> str:
    assert isinstance(notice, EmailChangeConfirmation)
    page, _, secret = notice.link.partition("#")
    assert page == "http://localhost:8025/confirm-email"
    return secret


async def entries(api: ApiWorld) -> list[audit.Entry]:
    async with api.database.read() as connection:
        return await audit.page(connection, "", action="email_change.", limit=9)


async def test_the_address_changes_when_the_link_is_used(api: ApiWorld) -> None:
    person = await api.person()
    before = person.user.email
    asked = await ask(person, " New@Example.com ")
    assert (asked.status_code, asked.json()["data"]) == (202, {"email": NEW, "leaves": True, "link": None})
    confirmation, word = api.mail.notices
    assert confirmation.to == NEW
    assert word == EmailChangeAsked(before, NEW, "127.0.0.1", "http://localhost:8025/reset")
    secret = secret_in(confirmation)
    looked = await use(api, secret, "look")
    assert looked.json() == {"data": {"before": before, "after": NEW}}
    assert (await person.get("/console/profile")).json()["data"]["email"] == before

    assert (await use(api, secret)).status_code == 204
    assert api.mail.notices[-1] == EmailChanged(before, NEW, "127.0.0.1")
    shown = (await person.get("/console/session")).json()["data"]
    assert (shown["user"]["email"], shown["account_id"]) == (NEW, api.first.account.id)
    for email, status in ((before, 401), (NEW, 201)):
        body = {"email": email, "password": people.PASSWORD}
        assert (await api.http.post("/console/session", json=body, headers=ORIGIN)).status_code == status
        api.http.cookies.clear()
    confirmed, requested = await entries(api)
    assert (confirmed.action, requested.action) == ("email_change.confirmed", "email_change.requested")
    assert (confirmed.before, confirmed.after) == (f'{{"email": "{before}"}}', f'{{"email": "{NEW}"}}')


async def test_u10_a_link_is_good_once(api: ApiWorld) -> None:
    person = await api.person()
    await ask(person)
    first = secret_in(api.mail.notices[0])
    await ask(person, "newer@example.com")
    assert (await use(api, first)).status_code == 410  # a newer one was asked for, though for another address
    second = secret_in(api.mail.notices[2])
    assert [(await use(api, second)).status_code for _ in range(2)] == [204, 410]
    for wrong in ("", "x", "A" * 43, "Ä" * 43):
        assert (await use(api, wrong, "look")).status_code in (410, 422), wrong


async def test_u10_a_link_is_good_for_a_day(sqlite_database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock)
    await ask(await api.person())
    secret = secret_in(api.mail.notices[0])
    clock.advance(24 * 3600 - 1)
    assert (await use(api, secret, "look")).status_code == 200
    clock.advance(1)
    assert [(await use(api, secret, verb)).status_code for verb in ("look", "confirm")] == [410, 410]
    await api.stop()


async def test_u10_nobody_learns_who_is_known(api: ApiWorld) -> None:
    known = (await api.person()).user.email
    answers = [await ask(await api.person(), email) for email in (known, NEW)]
    assert [one.status_code for one in answers] == [202, 202]
    assert [one.json()["data"] | {"email": ""} for one in answers] == [
        {"email": "", "leaves": True, "link": None}
    ] * 2
    assert api.mail.notices[0] == EmailChangeKnown(known, "http://localhost:8025/sign-in")


async def test_an_address_that_somebody_gets_meanwhile_is_theirs(api: ApiWorld) -> None:
    person = await api.person()
    await ask(person)
    await people.make(api.database, email=NEW)
    assert (await use(api, secret_in(api.mail.notices[0]))).status_code == 410
    assert (await person.get("/console/profile")).json()["data"]["email"] == person.user.email


async def test_u05_it_takes_the_password(api: ApiWorld) -> None:
    person = await api.person()
    for password in (None, "", "wrong"):
        answer = await ask(person, password=password)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["password"])
    assert api.mail.notices == []


async def test_u05_it_takes_the_code_of_who_has_a_second_step(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock())
    app = await enrolled(api)
    for code in (None, "", "000000"):
        answer = await ask(app.person, code=code)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["code"])
    assert (await ask(app.person, code=app.code())).status_code == 202
    assert sum(isinstance(one, EmailChangeConfirmation) for one in api.mail.notices) == 1
    await api.stop()


@pytest.mark.parametrize("email", ["", "no address", "a@b@c", "x" * 321])
async def test_what_is_no_address(api: ApiWorld, email: str) -> None:
    answer = await ask(await api.person(), email)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["email"])


async def test_the_address_they_have_is_no_change(api: ApiWorld) -> None:
    person = await api.person()
    answer = await ask(person, person.user.email.upper())
    assert answer.json()["errors"] == {"email": ["The email is your address already."]}


async def test_a_new_password_stops_a_change_that_somebody_else_began(api: ApiWorld) -> None:
    person = await api.person()
    await ask(person)
    secret = secret_in(api.mail.notices[0])
    await api.http.post("/console/password-resets", json={"email": person.user.email}, headers=ORIGIN)
    reset = api.mail.notices[-1]
    assert isinstance(reset, PasswordReset)
    body = {"token": reset.link.partition("#")[2], "password": "a much better one"}
    assert (await api.http.post("/console/password-resets/use", json=body, headers=ORIGIN)).status_code == 204
    assert (await use(api, secret)).status_code == 410


async def test_somebody_who_is_signed_in_cannot_send_mail_to_everybody(api: ApiWorld) -> None:
    person = await api.person()
    answers = [await ask(person, f"victim{number}@example.com") for number in range(4)]
    assert [one.status_code for one in answers] == [202] * email_changes.PER_PERSON + [429]
    assert answers[-1].headers["retry-after"] == "3600"


async def test_where_mail_cannot_leave_an_operator_is_given_the_link(api: ApiWorld) -> None:
    api.mail.leaves = False
    operator, other = await api.person(operator=True), await api.person()
    told = (await ask(operator)).json()["data"]
    assert told["leaves"] is False
    assert (await use(api, told["link"].partition("#")[2])).status_code == 204
    assert (await ask(other, "other@example.com")).json()["data"]["link"] is None
