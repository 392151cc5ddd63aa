"""`GET /console/relay`: where programs connect, as it stands on the page of the SMTP users."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postroom.runtime.tls import authority_file
from postroom.store.database import Database
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role
from support.api import ApiWorld

PUBLIC = {"listen": ["0.0.0.0:587", "0.0.0.0:2525", "[::]:587"], "implicit_tls_listen": ["0.0.0.0:465"]}
PORTS = [(587, "starttls"), (2525, "starttls"), (465, "implicit")]


async def asked(database: Database, tmp_path: Path, **config: Any) -> dict[str, Any]:
    api = await ApiWorld.start(database, tmp_path, **config)
    try:
        answer = await (await api.person()).get("/console/relay")
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data
    finally:
        await api.stop()


@pytest.mark.parametrize(
    ("config", "server"),
    [
        ({"submission": PUBLIC, "server": {"smtp_host": "smtp.example.com"}}, "smtp.example.com"),
        ({"submission": PUBLIC, "server": {"hostname": "mail.example.com"}}, "mail.example.com"),
        ({"server": {"hostname": "mail.example.com"}}, "localhost"),
        ({"server": {"smtp_host": "smtp.example.com"}}, "smtp.example.com"),
    ],
    ids=["named", "host name", "this machine only", "named, behind a proxy"],
)
async def test_the_server_is_one_that_can_be_reached(
    sqlite_database: Database, tmp_path: Path, config: dict[str, Any], server: str
) -> None:
    shown = await asked(sqlite_database, tmp_path, **config)
    assert shown["server"] == server
    if "submission" in config:
        assert [(one["port"], one["tls"]) for one in shown["listeners"]] == PORTS


async def test_the_authority_is_shown_as_long_as_the_certificate_is_our_own(api: ApiWorld) -> None:
    person = await api.person()
    assert (await person.get("/console/relay")).json()["data"]["authority"] is None
    file = authority_file(api.config.data)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    assert (await person.get("/console/relay")).json()["data"]["authority"] == file.read_text()


async def test_it_is_for_who_sees_smtp_users(api: ApiWorld) -> None:
    for permission, status in ((Permission.VIEW_SMTP_USERS, 200), (Permission.MANAGE_DOMAIN, 403)):
        person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({permission}), None))
        assert (await person.get("/console/relay")).status_code == status
