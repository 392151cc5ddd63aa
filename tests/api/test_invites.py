"""Invitations: by mail or by a link on the screen, good once, for one address and three days (U06)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from postroom.store import audit
from postroom.store.schema import invites as invites_table
from postroom.tenancy import invites
from postroom.types.notices import Invitation
from support import people
from support.api import ApiWorld

ANNA = "anna@example.com"
CUSTOM = {"role": "Custom User", "permissions": ["read-email"]}
GONE = {"message": "This invitation is not valid any more."}
ORIGIN = {"origin": "http://api.test"}


async def invite(api: ApiWorld, email: str = ANNA, **body: Any) -> str:
    """The token in the link of the mail."""
    answer = await api.post("/users", json={"email": email, "role": "Manager"} | body)
    assert answer.status_code == 201, answer.text
    return last_token(api)


def last_token(api: ApiWorld) -> str:
    notice = api.mail.notices[-1]
    assert isinstance(notice, Invitation)
    return notice.link.partition("#")[2]


async def accept(api: ApiWorld, token: str, **body: Any) -> httpx.Response:
    new = {"token": token, "name": "Anna", "password": people.PASSWORD}
    return await api.http.post("/console/invites/accept", json=new | body, headers=ORIGIN)


async def test_an_invited_person_joins_and_signs_in(api: ApiWorld) -> None:
    answer = await api.post(
        "/users", json={"email": "Anna@Example.com"} | CUSTOM | {"domains": [api.first.domain.id]}
    )
    assert answer.status_code == 201
    shown = answer.json()["data"]
    invite_id, made = shown.pop("id"), shown.pop("created_at")
    assert shown == {
        "email": ANNA,
        "data": {"domains": [api.first.domain.id], "templates": []},
        "role": "Custom User",
        "permissions": ["read-email"],
        "requires_periodic_password_change": False,
        "updated_at": made,
    }
    assert (await api.get(f"/invites/{invite_id}")).json() == answer.json()
    listed = (await api.get("/invites")).json()
    assert (listed["meta"]["total"], listed["data"]) == (1, [answer.json()["data"]])
    (notice,) = api.mail.notices
    assert isinstance(notice, Invitation)
    assert (notice.to, notice.account, notice.inviter) == (ANNA, api.first.account.name, "all")
    token = last_token(api)
    about = await api.http.post("/console/invites/look", json={"token": token}, headers=ORIGIN)
    account = api.first.account.name
    assert about.json() == {
        "data": {"email": ANNA, "account": account, "role": "Custom User", "has_user": False}
    }
    joined = await accept(api, token, last_name="Smith")
    assert joined.status_code == 201
    body = {"email": ANNA, "password": people.PASSWORD}
    signed_in = (await api.http.post("/console/session", json=body, headers=ORIGIN)).json()["data"]
    assert signed_in["user"].items() >= {"name": "Anna", "last_name": "Smith", "operator": False}.items()
    assert (signed_in["permissions"], signed_in["domains"]) == (["read-email"], [api.first.domain.id])
    assert (await api.get("/invites")).json()["data"] == []


async def test_u06_a_link_is_good_once(api: ApiWorld) -> None:
    token = await invite(api)
    answers = await asyncio.gather(*[accept(api, token) for _ in range(4)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 410: 3}
    again = await accept(api, token)
    assert (again.status_code, again.json()) == (410, GONE)
    assert (await api.http.post("/console/invites/look", json={"token": token})).json() == GONE


async def test_u06_a_link_ends_after_three_days(api: ApiWorld) -> None:
    token = await invite(api)
    async with api.database.write() as connection:
        over = invites_table.c.expires_at - invites.LIFETIME
        await connection.execute(update(invites_table).values(expires_at=over))
    assert (await accept(api, token)).json() == GONE
    (listed,) = (await api.get("/invites")).json()["data"]
    assert (await api.post(f"/invites/{listed['id']}/resend", json={})).status_code == 200
    assert (await accept(api, token)).json() == GONE
    assert (await accept(api, last_token(api))).status_code == 201


async def test_u06_sent_again_or_cancelled_the_link_before_is_dead(api: ApiWorld) -> None:
    first = await invite(api)
    (listed,) = (await api.get("/invites")).json()["data"]
    again = await api.post(f"/invites/{listed['id']}/resend")
    assert again.json()["data"].items() >= {"id": listed["id"], "email": ANNA, "role": "Manager"}.items()
    second = last_token(api)
    assert (await accept(api, first)).json() == GONE
    assert (await api.delete(f"/invites/{listed['id']}")).status_code == 204
    assert (await accept(api, second)).json() == GONE
    assert (await accept(api, "nonsense")).json() == GONE
    assert (await api.get(f"/invites/{listed['id']}")).status_code == 404


async def test_u06_only_the_invited_address_can_accept(api: ApiWorld) -> None:
    """Who is there already signs in first, and whoever else is signed in cannot take it."""
    other = await api.tenant()
    anna = await people.make(api.database, other.account.id, email=ANNA)
    token = await invite(api)
    as_new = await accept(api, token)
    assert as_new.status_code == 409
    stranger = await api.person(other)
    refused = await stranger.post("/console/invites/accept", json={"token": token})
    assert (refused.status_code, refused.json()) == (
        403,
        {"message": "This invitation is for another address."},
    )
    browser = await people.sign_in(api.database, api.http, anna, api.clock.now_ms())
    without = await browser.post(
        "/console/invites/accept", json={"token": token}, headers={"x-csrf-token": ""}
    )
    assert without.status_code == 403
    joined = await browser.post("/console/invites/accept", json={"token": token})
    assert joined.json() == {"data": {"account_id": api.first.account.id, "user_id": anna.id, "email": ANNA}}
    roles = {
        account["id"]: account["role"]
        for account in (await browser.get("/console/session")).json()["data"]["accounts"]
    }
    assert roles == {other.account.id: "Admin", api.first.account.id: "Manager"}


async def test_who_is_there_or_invited_cannot_be_invited(api: ApiWorld) -> None:
    member = await people.make(api.database, api.first.account.id)
    await invite(api)
    taken = {
        "message": "The email has already been taken.",
        "errors": {"email": ["The email has already been taken."]},
    }
    for email in (ANNA, ANNA.upper(), member.email):
        answer = await api.post("/users", json={"email": email, "role": "Manager"})
        assert (answer.status_code, answer.json()) == (422, taken)
    elsewhere = await api.tenant()
    assert (await elsewhere.post("/users", json={"email": ANNA, "role": "Manager"})).status_code == 201


@pytest.mark.parametrize(
    "email", ["anna", "anna@", "@example.com", "a@b c.example", "a@example.com\nb@example.com"]
)
async def test_what_is_no_address_is_not_invited(api: ApiWorld, email: str) -> None:
    answer = await api.post("/users", json={"email": email, "role": "Manager"})
    assert answer.json()["errors"] == {"email": ["The email must be a valid email address. #MS42208"]}
    assert api.mail.notices == []


async def test_u06_one_address_is_not_pestered(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await invite(api)
    (listed,) = (await api.get("/invites")).json()["data"]
    statuses = [(await api.post(f"/invites/{listed['id']}/resend")).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [429]
    await api.delete(f"/invites/{listed['id']}")
    answer = await api.post("/users", json={"email": ANNA, "role": "Manager"})  # which makes no difference
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3600"
    assert len(api.mail.notices) == 5
    monkeypatch.setattr(invites, "HOUR", -1)  # what was a moment ago is longer ago than that
    await invite(api)


async def test_u06_an_account_invites_a_hundred_an_hour(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invites, "PER_HOUR", 3)
    statuses = [
        (await api.post("/users", json={"email": f"a{number}@example.com", "role": "Manager"})).status_code
        for number in range(4)
    ]
    assert statuses == [201, 201, 201, 429]
    other = await api.tenant()
    assert (await other.post("/users", json={"email": ANNA, "role": "Manager"})).status_code == 201


async def test_the_link_is_on_the_screen_while_no_mail_leaves(api: ApiWorld) -> None:
    admin = await api.person()
    api.mail.leaves = False
    answer = await admin.post("/console/invites", json={"email": ANNA, "role": "Manager"})
    assert answer.status_code == 201
    shown = answer.json()["data"]
    assert shown["link"].endswith(f"/invite#{last_token(api)}")
    api.mail.leaves = True
    again = await admin.post(f"/console/invites/{shown['id']}/resend", json={})
    assert again.json()["data"]["link"] is None
    assert "link" not in (await api.get(f"/invites/{shown['id']}")).json()["data"]
    assert (await accept(api, last_token(api))).status_code == 201


async def test_who_is_new_needs_a_name_and_a_password(api: ApiWorld) -> None:
    token = await invite(api)
    missing = await api.http.post("/console/invites/accept", json={"token": token})
    assert list(missing.json()["errors"]) == ["name", "password"]
    short = await accept(api, token, password="short")
    assert list(short.json()["errors"]) == ["password"]
    assert "at least 10 characters" in short.text
    assert (await accept(api, token)).status_code == 201


async def test_u13_invitations_are_told_once_each_and_keep_their_secret(api: ApiWorld) -> None:
    token = await invite(api)
    (listed,) = (await api.get("/invites")).json()["data"]
    await api.post(f"/invites/{listed['id']}/resend")
    await api.delete(f"/invites/{listed['id']}")
    second = await invite(api, "ben@example.com")
    await accept(api, second)
    async with api.database.read() as connection:
        entries = await audit.page(connection, api.first.account.id, limit=20)
    told = [entry.action for entry in reversed(entries) if entry.action.startswith(("invite", "user"))]
    assert told == ["invite.created", "invite.resent", "invite.deleted", "invite.created", "user.created"]
    assert entries[0].actor_name == "ben@example.com"
    assert token not in str(entries)
    assert '"secret_hash": "(secret)"' in str(entries)
