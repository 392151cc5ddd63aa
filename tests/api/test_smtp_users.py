"""SMTP users over the API: what they may do, who may see a password, and that nobody hands out more than they have."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from postroom.runtime.clock import FakeClock
from postroom.store import audit
from postroom.store.schema import smtp_user_counts
from postroom.tenancy import passwords, smtp_users
from postroom.tenancy.entries import Credential
from postroom.tenancy.grants import Grant
from postroom.tenancy.spans import HOUR_MS, Span
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld, Tenant
from support.sent import second_domain

LATER = "2190-01-31T09:00:00Z"


def path(tenant: Tenant, *more: str) -> str:
    return "/".join([f"/domains/{tenant.domain.id}/smtp-users", *more])


async def made(api: ApiWorld, **fields: Any) -> dict[str, Any]:
    answer = await api.post(path(api.first), json={"name": "App"} | fields)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()["data"]
    return created


async def log(api: ApiWorld) -> list[audit.Entry]:
    """What the audit log says of SMTP users, the newest first."""
    async with api.database.read() as connection:
        return await audit.page(connection, api.first.account.id, action="smtp_user.", limit=100)


async def can_log_in(api: ApiWorld, username: str, password: str) -> bool:
    await api.directory.refresh()
    answer = api.directory.login(username, password, "192.0.2.7")
    return isinstance(answer if isinstance(answer, Credential) else await answer, Credential)  # type: ignore[misc]


# -- creating -----------------------------------------------------------------------------------------------------


async def test_a_new_one_has_no_limits(api: ApiWorld) -> None:
    created = await made(api, name=" App ")
    assert list(created) == [
        "id", "name", "username", "password", "enabled", "accessed_at", "server", "port", "domain_id",
        "from_domains", "hourly_cap", "daily_cap", "used_this_hour", "used_today", "allowed_addresses", "stream", "refuse_suppressed", "expires_at",
        "created_at", "updated_at",
    ]  # fmt: skip
    assert (created["name"], created["enabled"], created["accessed_at"]) == ("App", True, None)
    assert created["username"].endswith(f"@{api.first.domain.name}")
    assert (created["server"], created["port"]) == ("mail.example.com", 2525)
    assert created["domain_id"] == api.first.domain.id
    assert (created["from_domains"], created["allowed_addresses"]) == ([], [])
    assert (created["hourly_cap"], created["daily_cap"], created["expires_at"]) == (None, None, None)
    assert (created["stream"], created["refuse_suppressed"]) == ("transactional", False)
    assert created["created_at"] == created["updated_at"]
    assert await can_log_in(api, created["username"], created["password"])


async def test_the_password_is_shown_once(api: ApiWorld) -> None:
    created = await made(api)
    shown = (await api.get(path(api.first, created["id"]))).json()["data"]
    assert shown == created | {"password": None}
    assert (await api.get(path(api.first))).json()["data"] == [shown]
    [entry] = await log(api)
    assert created["password"] not in repr(entry)


async def test_all_limits(api: ApiWorld) -> None:
    second = await second_domain(api, api.first)
    limits = {
        "enabled": False,
        "from_domains": [second.id, api.first.domain.id],
        "hourly_cap": 10,
        "daily_cap": 100,
        "stream": "broadcast",
        "refuse_suppressed": True,
    }
    created = await made(api, **limits, allowed_addresses=["192.0.2.7/24", "::1"], expires_at=LATER)
    assert created == created | limits
    assert created["allowed_addresses"] == ["192.0.2.0/24", "::1/128"]
    assert created["expires_at"] == "2190-01-31T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": None}, {"name": ["The name field is required. #MS42209"]}),
        ({"name": "x" * 51}, {"name": ["The name must not be greater than 50 characters."]}),
        ({"enabled": "maybe"}, {"enabled": ["The enabled field must be true or false."]}),
        ({"hourly_cap": -1}, {"hourly_cap": ["The hourly cap must be at least 0."]}),
        ({"daily_cap": "many"}, {"daily_cap": ["The daily cap must be an integer."]}),
        ({"stream": "slow"}, {"stream": ["The selected stream is invalid."]}),
        ({"expires_at": "2020-01-31"}, {"expires_at": ["The expires at must be in the future."]}),
        (
            {"from_domains": ["a" * 16], "expires_at": 1},
            {
                "expires_at": ["The expires at must be in the future."],
                "from_domains.0": ["The selected from_domains.0 is invalid."],
            },
        ),
        (
            {"allowed_addresses": ["::1", "example.com"]},
            {
                "allowed_addresses.1": [
                    "The allowed addresses.1 must be an IP address or a network like 192.0.2.0/24."
                ]
            },
        ),
    ],
)
async def test_what_is_wrong_is_told_by_field(
    api: ApiWorld, fields: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    refused = await api.post(path(api.first), json={"name": "App"} | fields)
    assert refused.status_code == 422
    assert refused.json()["errors"] == errors
    assert await log(api) == []


async def test_there_cannot_be_more_than_so_many(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_users, "MOST", 1)
    await made(api)
    refused = await api.post(path(api.first), json={"name": "App"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == {"name": ["The domain has 1 SMTP users; there cannot be more."]}


async def test_how_much_of_the_caps_is_used(api: ApiWorld) -> None:
    both, daily, none = [
        (await made(api, **caps))["id"]
        for caps in ({"hourly_cap": 10, "daily_cap": 100}, {"daily_cap": 100}, {})
    ]
    hour, day = (span.began_at(api.clock.now_ms()) for span in (Span.HOUR, Span.DAY))
    counted = [
        (both, "hour", hour, 3),
        (both, "day", day, 40),
        (both, "hour", hour - HOUR_MS, 9),
        (none, "day", day, 5),
    ]
    names = ("smtp_user_id", "span", "began_at", "used")
    rows = [dict(zip(names, row, strict=True)) | {"account_id": api.first.account.id} for row in counted]
    async with api.database.write() as connection:
        await connection.execute(insert(smtp_user_counts), rows)

    def used(row: dict[str, Any]) -> tuple[int | None, int | None]:
        return row["used_this_hour"], row["used_today"]

    expected = {both: (3, 40), daily: (None, 0), none: (None, None)}
    listed = (await api.get(path(api.first))).json()["data"]
    assert {row["id"]: used(row) for row in listed} == expected
    for user_id, counts in expected.items():
        assert used((await api.get(path(api.first, user_id))).json()["data"]) == counts


# -- changing -----------------------------------------------------------------------------------------------------


async def test_what_is_absent_stays(api: ApiWorld) -> None:
    created = await made(api, hourly_cap=10, allowed_addresses=["::1"], expires_at=LATER)
    changed = (await api.put(path(api.first, created["id"]), json={"name": "New", "enabled": False})).json()[
        "data"
    ]
    assert changed == created | {
        "name": "New",
        "enabled": False,
        "password": None,
        "updated_at": changed["updated_at"],
    }
    assert not await can_log_in(api, created["username"], created["password"])


async def test_limits_are_taken_away_with_0_and_empty_lists(api: ApiWorld) -> None:
    limits = {
        "from_domains": [api.first.domain.id],
        "hourly_cap": 10,
        "daily_cap": 100,
        "allowed_addresses": ["::1"],
        "expires_at": LATER,
    }
    created = await made(api, **limits)
    none = {"from_domains": [], "hourly_cap": 0, "daily_cap": 0, "allowed_addresses": [], "expires_at": 0}
    changed = (await api.put(path(api.first, created["id"]), json=none)).json()["data"]
    assert (changed["from_domains"], changed["allowed_addresses"]) == ([], [])
    assert (changed["hourly_cap"], changed["daily_cap"], changed["expires_at"]) == (None, None, None)


async def test_what_is_shown_can_be_sent_back(api: ApiWorld) -> None:
    created = await made(api, hourly_cap=10, expires_at=LATER, allowed_addresses=["192.0.2.0/24"])
    shown = (await api.get(path(api.first, created["id"]))).json()["data"]
    same = await api.put(path(api.first, created["id"]), json=shown)
    assert same.json()["data"] == shown
    assert len(await log(api)) == 1


async def test_one_that_has_expired_can_be_changed(api: ApiWorld) -> None:
    clock = FakeClock(api.clock.now_ms() + 10**10)
    created = await made(api, expires_at=timestamp(api.clock.now_ms() + 60_000))
    object.__setattr__(api.api, "clock", clock)
    shown = (await api.get(path(api.first, created["id"]))).json()["data"]
    assert (await api.put(path(api.first, created["id"]), json=shown | {"name": "New"})).status_code == 200
    moved = await api.put(path(api.first, created["id"]), json={"expires_at": "2020-01-31"})
    assert moved.status_code == 422


async def test_resetting_the_password(api: ApiWorld) -> None:
    created = await made(api)
    reset = await api.post(path(api.first, created["id"], "reset-password"))
    assert reset.status_code == 200
    password = reset.json()["data"]["password"]
    assert reset.json()["data"] == created | {
        "password": password,
        "updated_at": reset.json()["data"]["updated_at"],
    }
    assert not await can_log_in(api, created["username"], created["password"])
    assert await can_log_in(api, created["username"], password)


async def test_deleting(api: ApiWorld) -> None:
    created = await made(api)
    assert (await api.delete(path(api.first, created["id"]))).status_code == 204
    assert (await api.get(path(api.first, created["id"]))).status_code == 404
    assert not await can_log_in(api, created["username"], created["password"])
    assert [entry.action for entry in await log(api)] == ["smtp_user.deleted", "smtp_user.created"]


async def test_pages(api: ApiWorld) -> None:
    for number in range(12):
        await made(api, name=f"App {number}")
    first = (await api.get(path(api.first), params={"limit": 10})).json()
    assert [one["name"] for one in first["data"]] == [f"App {number}" for number in range(10)]
    assert first["links"]["next"] is not None
    assert "total" not in first["meta"]
    second = (await api.get(path(api.first), params={"limit": 10, "page": 2})).json()
    assert [one["name"] for one in second["data"]] == ["App 10", "App 11"]


async def test_what_came_by_it_is_told_as_its_last_use(api: ApiWorld) -> None:
    created = await made(api)
    await can_log_in(api, created["username"], created["password"])
    await api.directory.flush()
    shown = (await api.get(path(api.first, created["id"]))).json()["data"]
    assert shown["accessed_at"] is not None


# -- who may ------------------------------------------------------------------------------------------------------


async def test_h01_below_another_domain_it_is_not_there(api: ApiWorld) -> None:
    created, second = await made(api), await second_domain(api, api.first)
    for method in ("GET", "PUT", "DELETE"):
        other = f"/domains/{second.id}/smtp-users/{created['id']}"
        assert (await api.request(method, other, json={})).status_code == 404
    assert (
        await api.post(f"/domains/{second.id}/smtp-users/{created['id']}/reset-password")
    ).status_code == 404
    foreign = await api.tenant()
    for domain in (foreign.domain.id, api.first.domain.id):
        answer = await foreign.put(f"/domains/{domain}/smtp-users/{created['id']}", json={"name": ""})
        assert answer.status_code == 404


async def test_a_token_for_reading_only_reads(api: ApiWorld) -> None:
    created = await made(api)
    reader = await api.first.with_token(Scope.SMTP_USERS_READ)
    assert (await reader.get(path(api.first, created["id"]))).status_code == 200
    assert (await reader.put(path(api.first, created["id"]), json={"name": "x"})).status_code == 403
    assert (await reader.post(path(api.first, created["id"], "reset-password"))).status_code == 403


async def test_passwords_are_for_who_may_see_them(api: ApiWorld) -> None:
    manager = Grant(Role.CUSTOM_USER, frozenset({Permission.MANAGE_SMTP_USERS}))
    person = await api.person(grant=manager)
    url = f"/v1{path(api.first)}"
    created = (await person.request("POST", url, json={"name": "App"})).json()["data"]
    assert created["password"] is None
    refused = await person.request("POST", f"{url}/{created['id']}/reset-password", json={})
    assert refused.status_code == 403
    assert "access-smtp-credentials" in refused.text
    both = Grant(
        Role.CUSTOM_USER,
        frozenset({Permission.MANAGE_SMTP_USERS, Permission.ACCESS_SMTP_CREDENTIALS}),
    )
    trusted = await api.person(grant=both)
    reset = await trusted.request("POST", f"{url}/{created['id']}/reset-password", json={})
    assert await can_log_in(api, created["username"], reset.json()["data"]["password"])
    assert {entry.actor_kind for entry in await log(api)} == {"user"}


async def test_h01_who_is_limited_to_a_domain_hands_out_that_one_only(api: ApiWorld) -> None:
    second, wide = await second_domain(api, api.first), await made(api)
    limited = await api.first.with_token(Scope.SMTP_USERS_FULL, domain=api.first.domain.name)
    created = await limited.post(path(api.first), json={"name": "App"})
    assert created.json()["data"]["from_domains"] == [api.first.domain.id]
    mine = path(api.first, created.json()["data"]["id"])
    for wanted in ([second.id], [api.first.domain.id, second.id]):
        refused = await limited.put(mine, json={"from_domains": wanted})
        assert refused.status_code == 422
        assert f"from_domains.{len(wanted) - 1}" in refused.json()["errors"]
    assert (await limited.put(mine, json={"from_domains": []})).status_code == 403
    assert (await limited.post(path(api.first), json={"name": "x", "from_domains": []})).status_code == 403
    assert (await limited.post(f"{mine}/reset-password")).status_code == 200
    assert (await limited.post(path(api.first, wide["id"], "reset-password"))).status_code == 403
    assert (await limited.put(path(api.first, wide["id"]), json={"enabled": False})).status_code == 200
    assert (await limited.get(f"/domains/{second.id}/smtp-users")).status_code == 404


async def test_x01_only_hashes_are_stored(api: ApiWorld) -> None:
    created = await made(api)
    user = await smtp_users.find(api.database, created["id"])
    assert user.password_hash == passwords.digest(created["password"])
