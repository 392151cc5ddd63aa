"""Who may call what: every endpoint there is, now and later, with every role and every state of a credential (U07, H02).

Generated from the OpenAPI document and the console's routes. Ids in paths lead to nothing, so whoever is let in changes
nothing either: 404, or 422 for an empty body.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from postroom.store import accounts, memberships, sessions
from postroom.store.schema import sessions as sessions_table
from postroom.tenancy import tokens
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import PERMISSIONS, Permission, Role
from postroom.types.scopes import Scope
from postroom.web.api.access import Access
from postroom.web.api.app import RESOURCES, application
from postroom.web.api.gate import Gate
from postroom.web.api.route import SAFE, ApiRoute
from postroom.web.console.access import OpenTo, Who
from postroom.web.console.app import RESOURCES as CONSOLE
from postroom.web.console.gate import ConsoleGate
from support import people
from support.api import ApiWorld
from support.people import SignedIn

NOTHING = "a" * 16
EVERY_ROLE = [Grant(role) for role in Role]
"""The Custom User among them has no permission at all."""


class Endpoint(NamedTuple):
    method: str
    path: str
    access: Access

    @property
    def changes(self) -> bool:
        return self.method not in SAFE


def endpoints(app: FastAPI, prefix: str) -> Iterator[Endpoint]:
    for route in app.routes:
        if isinstance(route, ApiRoute):
            path = re.sub(r"\{\w+\}", NOTHING, route.path_format)
            for method in route.methods or ():
                yield Endpoint(method, prefix + path, route.access)


def of_api(api: ApiWorld) -> list[Endpoint]:
    return list(endpoints(application("API", api.api, Gate(api.api), RESOURCES), "/v1"))


def of_console(api: ApiWorld) -> list[Endpoint]:
    return list(endpoints(application("console", api.api, ConsoleGate(api.api), CONSOLE), "/console"))


def with_account(api: ApiWorld) -> list[Endpoint]:
    """Those of both that work within an account."""
    return [one for one in of_api(api) + of_console(api) if not isinstance(one.access, OpenTo)]


def allows(access: Access, permissions: frozenset[Permission]) -> bool:
    """The rule itself: deny by default."""
    if access.permissions:
        return not permissions.isdisjoint(access.permissions)
    return not access.scopes


def text_of(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


async def call(client: SignedIn, endpoint: Endpoint, **options: Any) -> httpx.Response:
    return await client.request(endpoint.method, endpoint.path, json={}, **options)


# -- roles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant", EVERY_ROLE, ids=lambda grant: grant.role.value)
async def test_u07_a_role_opens_what_its_permissions_say(api: ApiWorld, grant: Grant) -> None:
    person = await api.person(grant=grant)
    for endpoint in with_account(api):
        answer = await call(person, endpoint)
        if allows(endpoint.access, PERMISSIONS[grant.role]):
            assert answer.status_code not in (401, 403), (endpoint, answer.text)
            continue
        assert answer.status_code == 403, (endpoint, answer.text)
        lacks = "You lack the permission" if endpoint.access.permissions else "with an API token only"
        assert lacks in text_of(answer), endpoint


async def test_u07_each_permission_opens_its_own_endpoints_and_no_other(api: ApiWorld) -> None:
    named = sorted({one for endpoint in with_account(api) for one in endpoint.access.permissions})
    for permission in named:
        person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({permission})))
        for endpoint in with_account(api):
            answer = await call(person, endpoint)
            allowed = allows(endpoint.access, frozenset({permission}))
            assert (answer.status_code != 403) is allowed, (permission, endpoint, answer.text)


async def test_u07_an_operator_has_no_rights_in_accounts_that_are_not_given(api: ApiWorld) -> None:
    designer = await api.person(grant=Grant(Role.DESIGNER), operator=True)
    for endpoint in with_account(api):
        answer = await call(designer, endpoint)
        allowed = allows(endpoint.access, PERMISSIONS[Role.DESIGNER])
        assert (answer.status_code != 403) is allowed, endpoint


async def test_u07_every_endpoint_of_the_api_says_who_may(api: ApiWorld) -> None:
    """For a person and for a token; what names neither is for everybody in the account, and there is one such."""
    open_to_all = set()
    for endpoint in of_api(api):
        assert type(endpoint.access) is Access, endpoint
        if not endpoint.access.scopes and not endpoint.access.permissions:
            open_to_all.add(endpoint.path)
    assert open_to_all == {"/v1/api-quota"}


async def test_u07_the_console_is_for_those_it_names(api: ApiWorld) -> None:
    member, operator = await api.person(), await api.person(operator=True)
    for endpoint in of_console(api):
        if not isinstance(endpoint.access, OpenTo) or endpoint.path.endswith(("session", "sessions")):
            continue
        who = endpoint.access.who
        refused = await call(member, endpoint)
        assert (refused.status_code == 403) is (who is Who.OPERATOR), (endpoint, refused.text)
        assert (await call(operator, endpoint)).status_code != 403, endpoint


# -- credentials ------------------------------------------------------------------------------------------------

Prepared = Callable[[ApiWorld], Awaitable[dict[str, str]]]


async def _none(_: ApiWorld) -> dict[str, str]:
    return {}


async def _wrong_token(_: ApiWorld) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens.PREFIX}{'0' * 64}"}


async def _another_scheme(api: ApiWorld) -> dict[str, str]:
    return {"authorization": f"Basic {api.secret}"}


async def _expired_token(api: ApiWorld) -> dict[str, str]:
    soon = await tokens.add(
        api.database,
        api.first.account.id,
        name="soon",
        scopes=Scope,
        expires_at=api.clock.now_ms() + 500,
        by=SYSTEM,
    )
    await api.clock.sleep(0.55)
    return {"authorization": f"Bearer {soon.secret}"}


async def _paused_token(api: ApiWorld) -> dict[str, str]:
    made = await tokens.add(api.database, api.first.account.id, name="paused", scopes=Scope, by=SYSTEM)
    await tokens.change(api.database, made.token.id, paused=True, by=SYSTEM)
    return {"authorization": f"Bearer {made.secret}"}


async def _token_as_cookie(api: ApiWorld) -> dict[str, str]:
    return {"cookie": f"token={api.secret}; postroom={api.secret}"}


async def _no_session(_: ApiWorld) -> dict[str, str]:
    return people.headers("A" * 43)


async def _ended_session(api: ApiWorld) -> dict[str, str]:
    person = await api.person()
    async with api.database.write() as connection:
        await sessions.remove_all(connection, person.user.id)
    return person.headers


async def _expired_session(api: ApiWorld) -> dict[str, str]:
    user = await people.make(api.database, api.first.account.id)
    return (await people.sign_in(api.database, api.http, user, api.clock.now_ms(), lifetime=0)).headers


async def _half_a_session(api: ApiWorld) -> dict[str, str]:
    """U05: the password was right, and a second step is missing."""
    person = await api.person()
    mine = sessions_table.c.user_id == person.user.id
    async with api.database.write() as connection:
        await connection.execute(update(sessions_table).where(mine).values(state=sessions.SECOND_STEP))
    return person.headers


async def _session_and_wrong_token(api: ApiWorld) -> dict[str, str]:
    return (await api.person()).headers | await _wrong_token(api)


NOBODY: list[Prepared] = [
    _none,
    _wrong_token,
    _another_scheme,
    _expired_token,
    _paused_token,
    _token_as_cookie,
    _no_session,
    _ended_session,
    _expired_session,
    _half_a_session,
    _session_and_wrong_token,
]


@pytest.mark.parametrize("prepare", NOBODY, ids=lambda prepare: prepare.__name__.strip("_"))
async def test_h02_what_is_no_valid_credential_opens_nothing(api: ApiWorld, prepare: Prepared) -> None:
    headers = await prepare(api)
    for endpoint in of_api(api):
        answer = await api.http.request(endpoint.method, endpoint.path, json={}, headers=headers)
        if answer.status_code == 429:  # so many unknown credentials are looked up no more
            assert "unknown tokens" in text_of(answer)
            break
        assert (answer.status_code, text_of(answer)) == (401, "Unauthenticated."), endpoint


@pytest.mark.parametrize(
    "prepare",
    [one for one in NOBODY if one is not _session_and_wrong_token],
    ids=lambda prepare: prepare.__name__.strip("_"),
)
async def test_h02_nor_does_it_open_the_console(api: ApiWorld, prepare: Prepared) -> None:
    headers = await prepare(api)
    for endpoint in of_console(api):
        if isinstance(endpoint.access, OpenTo) and endpoint.access.who in (Who.ANYBODY, Who.EITHER):
            continue
        answer = await api.http.request(endpoint.method, endpoint.path, json={}, headers=headers)
        assert (answer.status_code, text_of(answer)) == (401, "Unauthenticated."), endpoint


async def test_h02_no_token_opens_the_console(api: ApiWorld) -> None:
    for endpoint in of_console(api):
        if isinstance(endpoint.access, OpenTo) and endpoint.access.who in (Who.ANYBODY, Who.EITHER):
            continue
        authorized = {"authorization": f"Bearer {api.secret}"}
        answer = await api.http.request(endpoint.method, endpoint.path, json={}, headers=authorized)
        assert answer.status_code == 401, endpoint


@pytest.mark.parametrize(
    "wrong",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * 64},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://api.test:81"},
    ],
    ids=str,
)
async def test_u01_without_its_token_or_from_elsewhere_a_session_only_reads(
    api: ApiWorld, wrong: dict[str, str]
) -> None:
    person = await api.person()
    for endpoint in of_api(api) + of_console(api):
        if isinstance(endpoint.access, OpenTo) and endpoint.access.who is Who.ANYBODY:
            continue
        answer = await call(person, endpoint, headers=wrong)
        told = answer.status_code == 403 and ("X-CSRF-Token" in answer.text or "another site" in answer.text)
        assert told is endpoint.changes, (endpoint, answer.text)


async def test_x07_of_a_suspended_account_nobody_may_anything(api: ApiWorld) -> None:
    person = await api.person()
    async with api.database.write() as connection:
        await accounts.change(connection, api.first.account.id, state="suspended")
    await api.changed()
    for endpoint in with_account(api):
        answers = [await call(person, endpoint)]
        if endpoint.path.startswith("/v1"):
            path = endpoint.path.removeprefix("/v1")
            answers.append(await api.request(endpoint.method, path, json={}))
        for answer in answers:
            assert answer.status_code == 403, endpoint
            assert text_of(answer).endswith("is suspended. #MS40304"), endpoint
    assert (await person.get("/console/session")).json()["data"]["accounts"][0]["state"] == "suspended"


async def test_h01_whoever_was_removed_has_nothing_left(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.get("/v1/users")).status_code == 200
    async with api.database.write() as connection:
        await memberships.remove(connection, api.first.account.id, person.user.id)
    await api.changed()
    for endpoint in with_account(api):
        answer = await call(person, endpoint)
        assert (answer.status_code, text_of(answer)) == (403, "You do not belong to this account. #MS40303")
