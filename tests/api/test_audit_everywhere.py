"""Each call that changes something writes one entry in the audit log of the account, and each that is refused none.

Generated from the routes, so what is added later is in it; `support.changes` has a body for each.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import func, select

from postroom.runtime.clock import FakeClock
from postroom.store.audit import Entry
from postroom.store.database import Database
from postroom.store.query import columns, every
from postroom.store.schema import audit
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Role
from postroom.types.scopes import Scope
from postroom.web.api.access import Access
from postroom.web.api.app import RESOURCES, application
from postroom.web.api.gate import Gate
from postroom.web.api.route import SAFE, ApiRoute
from postroom.web.console.access import OpenTo, Who
from postroom.web.console.app import RESOURCES as CONSOLE
from postroom.web.console.gate import ConsoleGate
from support import changes, console_changes
from support.api import ApiWorld
from support.changes import NEW, Change, Prepare, Scene
from support.objects import objects

NOTHING = "a" * 16
WRONG = {"no": {"such": ["thing"]}}
"""Right for no field there is."""


SECRETS = {
    "secret",
    "password",
    "old_password",
    "token",
    "accessToken",
    "csrf_token",
    "recovery_codes",
    "code",
    "link",
}
"""Fields of requests and answers that the log must never tell."""


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from secrets_in(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner, name)
    elif isinstance(value, str) and name in SECRETS:
        yield value


LONG = 12
"""Characters that are found by no chance. Codes are shorter, and good once."""


def forms(secret: str) -> list[bytes]:
    """A secret as it might lie in a file."""
    raw = secret.encode()
    return [raw, raw.hex().encode(), b64encode(raw)[:-4]]


class Operation(NamedTuple):
    """`name` as the tables have it; `prefix` is where its application lies."""

    method: str
    path: str
    prefix: str
    access: Access

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def at(self, ids: Mapping[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], self.path)


def operations(api: ApiWorld) -> dict[str, list[Operation]]:
    """By prefix: all that is not only for reading."""
    apps = {
        "/v1": application("API", api.api, Gate(api.api), RESOURCES),
        "/console": application("console", api.api, ConsoleGate(api.api), CONSOLE),
    }
    return {
        prefix: [
            Operation(method, route.path_format, prefix, route.access)
            for route in app.routes
            if isinstance(route, ApiRoute)
            for method in sorted(route.methods or ())
            if method not in SAFE
        ]
        for prefix, app in apps.items()
    }


TABLES: dict[str, tuple[dict[str, Prepare], dict[str, str], str]] = {
    "/v1": (changes.CHANGES, changes.SILENT, "tests/support/changes.py"),
    "/console": (console_changes.CHANGES, console_changes.SILENT, "tests/support/console_changes.py"),
}


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """Where everything can be made, and with a clock that stands still: codes are good once in half a minute."""
    server = {"inbound_host": "inbound.example.net", "sign_up": "approval"}
    plans = {"small": {"domains": 10}}
    world = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(), server=server, plans=plans)
    yield world
    await world.stop()


async def scene_of(api: ApiWorld) -> Scene:
    found = await objects(api, api.first)
    ids = {name: of_kind[0] for name, of_kind in found.items()}
    return Scene(api, api.first, await api.person(operator=True), ids)


async def newest(api: ApiWorld) -> str:
    async with api.database.read() as connection:
        return await connection.scalar(select(func.max(audit.c.id))) or ""


async def since(api: ApiWorld, last: str) -> list[Entry]:
    """The entries of all accounts behind this one."""
    async with api.database.read() as connection:
        return await every(connection, Entry, select(*columns(Entry, audit)).where(audit.c.id > last))


async def call(scene: Scene, operation: Operation, change: Change) -> httpx.Response:
    """By a token, or, what is not for tokens, by a person."""
    path = operation.at({**scene.ids, **change.ids})
    if operation.prefix == "/v1":
        return await scene.tenant.request(operation.method, path, json=change.body)
    by = change.by or scene.person
    return await by.request(operation.method, f"/console{path}", json=change.body)


def deletes(operation: Operation) -> bool:
    """What does comes behind what changes."""
    return operation.method == "DELETE"


@pytest.mark.parametrize("prefix", TABLES)
async def test_there_is_a_body_for_every_endpoint_that_changes_something(api: ApiWorld, prefix: str) -> None:
    prepared, silent, file = TABLES[prefix]
    names = [operation.name for operation in operations(api)[prefix]]
    missing = sorted(set(names) - set(prepared) - set(silent))
    assert not missing, (
        f"{', '.join(missing)}: add a call that succeeds to CHANGES in {file}, so that it is proved to write one entry "
        "in the audit log; if it changes nothing, say why in SILENT."
    )
    assert not (set(prepared) | set(silent)) - set(names), "these do not exist any more"
    assert not set(prepared) & set(silent)


@pytest.mark.parametrize("prefix", TABLES)
async def test_x01_each_change_writes_one_entry_without_secrets(
    api: ApiWorld, prefix: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Nor does any file hold one: not even those of what is deleted by then."""
    prepared, _, _ = TABLES[prefix]
    scene = await scene_of(api)
    known = {"", api.first.account.id}
    secret: set[str] = set()
    for operation in sorted(operations(api)[prefix], key=deletes):
        if operation.name not in prepared:
            continue
        with subtests.test(operation.name):
            change = await prepared[operation.name](scene)
            last = await newest(api)
            answer = await call(scene, operation, change)
            assert 200 <= answer.status_code < 300, answer.text
            secret |= {*secrets_in(change.body), *secrets_in(answer.json() if answer.content else None)}
            written = [(entry.action, entry.account_id) for entry in await since(api, last)]
            told = {account for _, account in written}
            account_id = api.first.account.id if change.account_id is None else change.account_id
            assert len(written) == change.entries, written
            assert (told == {account_id}) or (account_id == NEW and told.isdisjoint(known)), written
    log = "".join(f"{entry.object_name}{entry.before}{entry.after}" for entry in await since(api, ""))
    assert len(secret) > 3
    assert [one for one in secret if one in log] == []
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert scene.tenant.token.preview.encode() in files
    links = {notice.link.rpartition("/")[2] for notice in api.mail.notices if hasattr(notice, "link")}
    long = [one for one in {*secret, *links} if len(one) >= LONG]
    assert [one for one in long if any(form in files for form in forms(one))] == []
    assert b"PRIVATE KEY" not in files
    assert b64encode(b"-----BEGIN PRIVATE KEY")[:-2] not in files


@pytest.mark.parametrize("prefix", TABLES)
async def test_what_is_silent_writes_none(api: ApiWorld, prefix: str, subtests: pytest.Subtests) -> None:
    """Whatever it answers: what it needs to succeed is tested beside it."""
    _, silent, _ = TABLES[prefix]
    scene = await scene_of(api)
    for operation in operations(api)[prefix]:
        if operation.name in silent:
            with subtests.test(operation.name):
                last = await newest(api)
                await call(scene, operation, Change({}))
                assert await since(api, last) == []


def absent(operation: Operation) -> dict[str, str]:
    """Ids of nothing."""
    names = re.findall(r"\{(\w+)\}", operation.path)
    return {name: NOTHING if name.endswith("_id") else "nobody@example.org" for name in names}


def closed_to(operation: Operation) -> bool:
    """Whether somebody of the account who has no permission at all must not call it."""
    access = operation.access
    return access.who is Who.OPERATOR if isinstance(access, OpenTo) else bool(access.permissions)


@pytest.mark.parametrize("prefix", TABLES)
async def test_what_is_refused_writes_none(api: ApiWorld, prefix: str, subtests: pytest.Subtests) -> None:
    """403 without the scope or the permission, 404 for what does not exist, 422 for fields that are wrong."""
    prepared, _, _ = TABLES[prefix]
    scene = await scene_of(api)
    reader = await api.first.with_token(Scope.ANALYTICS_READ)
    for operation in operations(api)[prefix]:
        if operation.name not in prepared:
            continue
        with subtests.test(operation.name):
            change = await prepared[operation.name](scene)
            nobody = await api.person(grant=Grant(Role.CUSTOM_USER))
            last = await newest(api)
            path = operation.at({**scene.ids, **change.ids})
            if operation.access.scopes:
                answer = await reader.request(operation.method, path, json=change.body)
                assert answer.status_code == 403, answer.text
            if closed_to(operation):
                answer = await nobody.request(operation.method, f"{prefix}{path}", json=change.body)
                assert answer.status_code == 403, answer.text
            if gone := absent(operation):
                answer = await call(scene, operation, replace(change, ids=gone))
                assert answer.status_code == 404, answer.text
            if change.body:
                answer = await call(scene, operation, replace(change, body=dict.fromkeys(change.body, WRONG)))
                assert answer.status_code == 422, answer.text
            assert await since(api, last) == []
