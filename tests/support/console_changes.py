"""As `changes`, for the console. Whoever signs in or out is somebody of their own, so that the scene's person stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postroom.store.database import Database
from postroom.tenancy import accounts, invites, one_time_links, sign_in_links, users
from postroom.tenancy.grants import Grant
from postroom.tenancy.one_time_links import Purpose
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Role
from support import operator_changes, people
from support.changes import NEW, Change, Prepare, Scene, invitation, said, somebody
from support.people import SignedIn, secret_in
from support.second_step import App, enrolled

NO_ACCOUNT = ""
NEW_PASSWORD = "a longer horse battery"
PASSWORD = {"password": people.PASSWORD}
ORIGIN = {"origin": "http://api.test"}


def person(body: Mapping[str, Any], *, account_id: str | None = None) -> Prepare:
    """By somebody of their own, whose session may end."""

    async def prepare(scene: Scene) -> Change:
        return Change(dict(body), by=await scene.api.person(), account_id=account_id)

    return prepare


# -- signing in and out ---------------------------------------------------------------------------------------------


async def signs_in(scene: Scene) -> Change:
    who = await scene.api.person()
    return Change({"email": who.user.email} | PASSWORD, by=who)


async def signs_in_by_link(scene: Scene) -> Change:
    who = await scene.api.person()
    now = scene.api.clock.now_ms()
    secret = await sign_in_links.add(scene.api.database, who.user.id, now=now, by=SYSTEM)
    return Change({"link": secret}, by=who)


async def takes_the_second_step(scene: Scene) -> Change:
    app = await enrolled(scene.api)
    first = await scene.api.http.post(
        "/console/session", json={"email": app.email} | PASSWORD, headers=ORIGIN
    )
    scene.api.http.cookies.clear()
    half = SignedIn(scene.api.http, app.person.user, secret_in(first))
    return Change({"code": app.code()}, by=half)


async def works_elsewhere(scene: Scene) -> Change:
    other, who = await scene.api.tenant(), await scene.api.person()
    async with scene.api.database.write() as connection:
        await users.join(connection, other.account.id, who.user, Grant(Role.ADMIN), now=1, by=SYSTEM)
    return Change({"account_id": other.account.id}, by=who, account_id=other.account.id)


async def ends_another_session(scene: Scene) -> Change:
    api, who = scene.api, await scene.api.person()
    other = await api.http.post("/console/session", json={"email": who.user.email} | PASSWORD, headers=ORIGIN)
    api.http.cookies.clear()
    assert other.status_code == 201, other.text
    listed = (await who.get("/console/sessions")).json()["data"]
    session_id = next(one["id"] for one in listed if not one["current"])
    return Change(ids={"session_id": session_id}, by=who)


# -- the second step ------------------------------------------------------------------------------------------------


async def begins_a_second_step(scene: Scene) -> Change:
    return Change(PASSWORD, by=await scene.api.person(), account_id=NO_ACCOUNT)


async def confirms_a_second_step(scene: Scene) -> Change:
    who = await scene.api.person()
    begun = await who.post("/console/second-factor", json=PASSWORD)
    code = App(who, begun.json()["data"], scene.api).code()
    return Change({"code": code}, by=who, account_id=NO_ACCOUNT)


async def has_a_second_step(scene: Scene) -> Change:
    app = await enrolled(scene.api)
    return Change(PASSWORD, by=app.person, account_id=NO_ACCOUNT)


# -- links ----------------------------------------------------------------------------------------------------------


async def link(database: Database, purpose: Purpose, email: str, now: int, user_id: str = "") -> str:
    async with database.write() as connection:
        return await one_time_links.add(connection, purpose, email, user_id=user_id, now=now)


async def asks_for_a_link(scene: Scene) -> Change:
    who = await scene.api.person()
    return Change({"email": who.user.email}, by=who, account_id=NO_ACCOUNT)


async def uses_a_link(scene: Scene) -> Change:
    who, now = await scene.api.person(), scene.api.clock.now_ms()
    secret = await link(scene.api.database, Purpose.RESET, who.user.email, now, who.user.id)
    return Change({"token": secret, "password": NEW_PASSWORD}, by=who, account_id=NO_ACCOUNT)


async def asks_for_another_address(scene: Scene) -> Change:
    return Change({"email": somebody()} | PASSWORD, by=await scene.api.person(), account_id=NO_ACCOUNT)


async def confirms_another_address(scene: Scene) -> Change:
    who, now = await scene.api.person(), scene.api.clock.now_ms()
    secret = await link(scene.api.database, Purpose.EMAIL, somebody(), now, who.user.id)
    return Change({"token": secret}, by=who, account_id=NO_ACCOUNT)


async def asks_to_sign_up(_: Scene) -> Change:
    return Change({"email": somebody()}, account_id=NO_ACCOUNT)


async def signs_up(scene: Scene) -> Change:
    """A user and an account."""
    secret = await link(scene.api.database, Purpose.SIGN_UP, somebody(), scene.api.clock.now_ms())
    who = {"name": "Ann", "account": "Acme", "password": NEW_PASSWORD}
    return Change({"token": secret} | who, account_id=NEW, entries=2)


async def makes_an_account(_: Scene) -> Change:
    """And becomes its Admin."""
    return Change({"name": "Acme"}, account_id=NEW, entries=2)


async def makes_a_sandbox(scene: Scene) -> Change:
    """In an account that has no domain."""
    account = await accounts.add(scene.api.database, "Empty", by=SYSTEM)
    who = await people.make(scene.api.database, account.id)
    signed_in = await people.sign_in(scene.api.database, scene.api.http, who, scene.api.clock.now_ms())
    return Change({}, by=signed_in, account_id=account.id)


async def accepts_an_invitation(scene: Scene) -> Change:
    account_id = scene.tenant.account.id
    made = await invites.add(
        scene.api.database, account_id, somebody(), Grant(Role.MANAGER), within=users.EVERYTHING, by=SYSTEM
    )
    assert isinstance(made, invites.NewInvite)
    who = await people.make(scene.api.database, email=made.invite.email)
    signed_in = await people.sign_in(scene.api.database, scene.api.http, who, scene.api.clock.now_ms())
    return Change({"token": made.secret}, by=signed_in)


# -- the installation -----------------------------------------------------------------------------------------------


def of_installation(**body: Any) -> Prepare:
    async def prepare(_: Scene) -> Change:
        return Change(body, account_id=NO_ACCOUNT)

    return prepare


CHANGES: dict[str, Prepare] = {
    "POST /session": signs_in,
    "POST /session/link": signs_in_by_link,
    "POST /session/second-step": takes_the_second_step,
    "POST /session/account": works_elsewhere,
    "DELETE /session": person({}),
    "DELETE /sessions": person({}, account_id=NO_ACCOUNT),
    "DELETE /sessions/{session_id}": ends_another_session,
    "POST /second-factor": begins_a_second_step,
    "POST /second-factor/confirm": confirms_a_second_step,
    "POST /second-factor/recovery-codes": has_a_second_step,
    "DELETE /second-factor": has_a_second_step,
    "PUT /profile": person({"name": "Ann"}, account_id=NO_ACCOUNT),
    "PUT /profile/password": person(
        {"old_password": people.PASSWORD, "password": NEW_PASSWORD}, account_id=NO_ACCOUNT
    ),
    "POST /email-changes": asks_for_another_address,
    "POST /email-changes/confirm": confirms_another_address,
    "POST /password-resets": asks_for_a_link,
    "POST /password-resets/use": uses_a_link,
    "POST /sign-up": asks_to_sign_up,
    "POST /sign-up/confirm": signs_up,
    "POST /accounts": makes_an_account,
    "POST /sandbox": makes_a_sandbox,
    "POST /invites": invitation,
    "POST /invites/{invite_id}/resend": said(),
    "POST /invites/accept": accepts_an_invitation,
    "PUT /first-run": of_installation(closed=True),
    "POST /first-run/checks": of_installation(),
} | operator_changes.CHANGES

SILENT: dict[str, str] = {
    "POST /invites/look": "it only looks",
    "POST /password-resets/look": "it only looks",
    "POST /email-changes/look": "it only looks",
    "POST /previews": "it is about nothing that is there",
    "POST /sign-up/look": "it only looks",
    "POST /first-run/smarthost": "it only says what to write",
}
