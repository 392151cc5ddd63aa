"""/v1/token: made and shown once, listed, paused, renamed, deleted; and nobody hands out more than they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.store import audit
from postroom.store.audit import Entry
from postroom.store.domains import Domain
from postroom.tenancy import domains, tokens
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import NEEDS, Scope, with_reading
from postroom.web.api.app import RESOURCES, application
from postroom.web.api.gate import Gate
from postroom.web.api.route import ApiRoute
from support import people
from support.api import ApiWorld, Client, Tenant
from support.people import SignedIn

SHORT = {"id", "name", "created_at", "updated_at"}


def body(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"name": "Shop", "scopes": ["email_full", "domains_read"]}
    return {name: value for name, value in (made | changes).items() if value is not None}


async def made(api: ApiWorld, client: Client | None = None, **changes: Any) -> dict[str, Any]:
    answer = await (client or api).post("/token", json=body(**changes))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def message(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


async def second_domain(api: ApiWorld, tenant: Tenant) -> Domain:
    return await domains.add(
        api.database, api.box, f"second.{tenant.domain.name}", account_id=tenant.account.id,
        mode=domains.SANDBOX, by=SYSTEM,
    )  # fmt: skip


async def entries(api: ApiWorld) -> list[Entry]:
    async with api.database.read() as connection:
        found = await audit.page(connection, api.first.account.id, action="token.", limit=50)
    return [one for one in found if one.actor_kind != "system"]


# -- made and shown once ------------------------------------------------------------------------------------------


async def test_the_value_is_shown_once(api: ApiWorld) -> None:
    created = await made(api, domain_id=api.first.domain.id)
    secret = created.pop("accessToken")
    assert (await Client(api.http, secret).get("/domains")).status_code == 200
    assert created["name"] == "Shop"
    assert created["scopes"] == ["email_full", "domains_read"]
    assert (created["has_full"], created["expires_at"], created["allowed_addresses"]) == (False, None, [])
    assert created["preview"] == f"{secret[:9]}...{secret[-4:]}"
    assert created["domain"]["name"] == api.first.domain.name
    assert created["domain"]["can"] == {"manage": True}
    assert created["domain"]["is_verified"] is True
    row = (await api.get(f"/token/{created['id']}")).json()["data"]
    assert set(row["domain"]) == SHORT
    assert row | {"domain": None} == {
        "id": created["id"],
        "name": "Shop",
        "status": "unpause",
        "created_at": created["created_at"],
        "scopes": created["scopes"],
        "domain": None,
        "preview": created["preview"],
        "expires_at": None,
        "last_used_at": None,
        "allowed_addresses": [],
    }
    assert secret not in (await api.get("/token")).text


async def test_a_token_for_everything(api: ApiWorld) -> None:
    created = await made(api, scopes=[*Scope])
    assert (created["has_full"], created["domain"]) == (True, None)
    assert set(created["scopes"]) == set(Scope)


async def test_the_list_is_counted_and_of_ones_own_account(api: ApiWorld) -> None:
    await made(api, await api.tenant())
    mine = [await made(api, name=f"t{number}") for number in range(10)]
    listed = (await api.get("/token?limit=10&page=2")).json()
    assert [row["id"] for row in listed["data"]] == [mine[-1]["id"]]
    assert (listed["meta"]["total"], listed["meta"]["last_page"]) == (11, 2)


async def test_the_tokens_of_one_domain(api: ApiWorld) -> None:
    mine = await made(api, domain_id=api.first.domain.id)
    await made(api)
    await made(api, domain_id=(await second_domain(api, api.first)).id)
    listed = (await api.get(f"/token?domain_id={api.first.domain.id}")).json()
    assert [row["id"] for row in listed["data"]] == [mine["id"]]
    assert listed["meta"]["total"] == 1
    other = (await api.tenant()).domain.id
    assert (await api.get(f"/token?domain_id={other}")).status_code == 422


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"name": None}, {"name": "The name field is required. #MS42209"}),
    ({"name": " "}, {"name": "The name must hold printable characters."}),
    ({"name": "a\nb"}, {"name": "The name must hold printable characters."}),
    ({"name": "x" * 51}, {"name": "The name must not be greater than 50 characters."}),
    ({"scopes": None}, {"scopes": "The scopes field is required. #MS42209"}),
    ({"scopes": []}, {"scopes": "The scopes must have at least 1 items."}),
    ({"scopes": "email_full"}, {"scopes": "The scopes must be an array."}),
    ({"scopes": ["email_full", "ifttt"]}, {"scopes.1": "The selected scopes.1 is invalid."}),
    ({"domain_id": "x"}, {"domain_id": "The domain id field is required. #MS42209"}),
    ({"domain_id": "x" * 16}, {"domain_id": "The selected domain id is invalid."}),
    ({"expires_at": "soon"}, {"expires_at": "The expires at is invalid."}),
    (
        {"allowed_addresses": ["192.0.2.0/24", "example.com"]},
        {"allowed_addresses.1": "The allowed addresses.1 must be an IP address or a network like 192.0.2.0/24."},
    ),
]  # fmt: skip


async def test_what_a_token_cannot_be(api: ApiWorld) -> None:
    for wrong, fields in WRONG:
        answer = await api.post("/token", json=body(**wrong))
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"] == {name: [text] for name, text in fields.items()}
    assert await entries(api) == []


async def test_when_it_ends_and_from_where_it_may_come(api: ApiWorld) -> None:
    created = await made(
        api, expires_at="2099-01-31T12:00:00+02:00", allowed_addresses=["127.0.0.9", "10.1.2.3/8"]
    )
    assert created["expires_at"] == "2099-01-31T10:00:00.000000Z"
    assert created["allowed_addresses"] == ["127.0.0.9/32", "10.0.0.0/8"]
    assert (await Client(api.http, created["accessToken"]).get("/api-quota")).status_code == 403
    past = await api.post("/token", json=body(expires_at="2020-01-31T12:00:00"))
    assert (past.status_code, message(past)) == (422, "A token cannot expire in the past.")


async def test_there_is_an_end_to_tokens(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)
    await made(api)
    answer = await api.post("/token", json=body())
    assert (answer.status_code, message(answer)) == (422, "An account may have at most 2 tokens.")


# -- changed ------------------------------------------------------------------------------------------------------


async def test_paused_unpaused_renamed_deleted(api: ApiWorld) -> None:
    created = await made(api)
    client, path = Client(api.http, created["accessToken"]), f"/token/{created['id']}"
    assert (await client.get("/api-quota")).status_code == 200
    paused = await api.put(f"{path}/settings", json={"status": "pause"})
    assert paused.json()["data"]["status"] == "pause"
    await api.changed()
    assert (await client.get("/api-quota")).status_code == 401
    both = await api.put(path, json={"name": "New", "status": "unpause"})
    assert (both.json()["data"]["name"], both.json()["data"]["status"]) == ("New", "unpause")
    assert (await client.get("/api-quota")).status_code == 200
    nothing = await api.put(path, json={"name": "New", "status": None})
    assert nothing.json() == both.json()
    deleted = await api.delete(path, json=[])
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert deleted.headers["content-type"] == "text/html; charset=UTF-8"
    await api.changed()
    assert (await client.get("/api-quota")).status_code == 401
    assert (await api.get(path)).status_code == 404


async def test_a_status_is_pause_or_unpause(api: ApiWorld) -> None:
    path = f"/token/{(await made(api))['id']}/settings"
    for wrong in ({}, {"status": "stop"}, {"status": True}):
        assert (await api.put(path, json=wrong)).status_code == 422, wrong


async def test_x01_every_change_leaves_one_entry_without_the_value(api: ApiWorld) -> None:
    person = await api.person()
    created = (await person.post("/v1/token", json=body())).json()["data"]
    path = f"/v1/token/{created['id']}"
    await person.put(path, json={"name": "New"})
    await person.put(f"{path}/settings", json={"status": "pause"})
    await person.put(f"{path}/settings", json={"status": "pause"})  # as it is
    await person.put(f"{path}/settings", json={"status": "unpause"})
    await person.delete(path)
    found = (await entries(api))[::-1]
    assert [one.action.removeprefix("token.") for one in found] == [
        "created", "renamed", "paused", "unpaused", "deleted",
    ]  # fmt: skip
    assert {(one.object_id, one.actor_id) for one in found} == {(created["id"], person.user.id)}
    assert all(created["accessToken"] not in f"{one.before}{one.after}" for one in found)
    assert "(secret)" in str(found[0].after)


# -- nobody hands out more than they have -------------------------------------------------------------------------


def test_whatever_a_scope_opens_its_giver_may_do_themselves(api: ApiWorld) -> None:
    """For each endpoint: a person with all that a scope needs may call what the scope opens."""
    app = application("API", api.api, Gate(api.api), RESOURCES)
    for route in app.routes:
        if not isinstance(route, ApiRoute) or not route.access.permissions:
            continue
        for scope in route.access.scopes:
            assert not NEEDS[scope].isdisjoint(route.access.permissions), (route.path_format, scope)
    assert set(NEEDS) == set(Scope)
    assert all(NEEDS.values())


def test_full_includes_read() -> None:
    assert with_reading([Scope.DOMAINS_FULL, Scope.EMAIL_FULL]) == {
        Scope.DOMAINS_READ,
        Scope.DOMAINS_FULL,
        Scope.EMAIL_FULL,
    }
    assert with_reading([Scope.DOMAINS_READ]) == {Scope.DOMAINS_READ}


def test_the_page_about_tokens_says_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tokens.md").read_text("utf-8")
    for scope, needs in NEEDS.items():
        said = "an Admin" if scope is Scope.USERS_FULL else ", ".join(f"`{one}`" for one in sorted(needs))
        assert f"| `{scope}` | {said} |\n" in page


def custom(*permissions: Permission, domain_ids: frozenset[str] | None = None) -> Grant:
    return Grant(Role.CUSTOM_USER, frozenset({Permission.MANAGE_API_TOKEN, *permissions}), domain_ids)


async def test_a_person_gives_the_scopes_for_which_they_have_the_permissions(api: ApiWorld) -> None:
    few, admin = await api.person(grant=custom()), await api.person()
    for scope in Scope:
        given = body(scopes=[scope])
        if scope is not Scope.TOKENS_FULL:
            refused = await few.post("/v1/token", json=given)
            assert refused.status_code == 403, scope
            said = f"You cannot give a token more than you have yourself: the scope {scope}."
            assert message(refused) == said
        enough = await api.person(grant=custom(*NEEDS[scope]))
        expected = 403 if scope is Scope.USERS_FULL else 200  # that is for Admins only
        assert (await enough.post("/v1/token", json=given)).status_code == expected, scope
        assert (await admin.post("/v1/token", json=given)).status_code == 200, scope


async def test_a_manager_makes_no_tokens(api: ApiWorld) -> None:
    manager = await api.person(grant=Grant(Role.MANAGER))
    assert (await manager.post("/v1/token", json=body())).status_code == 403


async def test_a_token_gives_its_own_scopes_only(api: ApiWorld) -> None:
    client = await api.first.with_token(Scope.TOKENS_FULL, Scope.DOMAINS_FULL)
    for scopes, status in (
        (["tokens_full"], 200),
        (["domains_full", "domains_read"], 200),
        (["email_full"], 403),
        (["domains_read", "users_full"], 403),
    ):
        answer = await client.post("/token", json=body(scopes=scopes))
        assert answer.status_code == status, (scopes, answer.text)


async def test_h01_who_is_limited_to_a_domain_makes_tokens_for_that_only(api: ApiWorld) -> None:
    here, elsewhere = api.first.domain.id, (await second_domain(api, api.first)).id
    limited: list[Client | SignedIn] = [
        await api.first.with_token(Scope.TOKENS_FULL, domain=here),
        await api.person(grant=custom(domain_ids=frozenset({here}))),
    ]
    for client in limited:
        prefix = "/v1" if isinstance(client, people.SignedIn) else ""

        async def create(domain_id: str | None, client: Any = client, prefix: str = prefix) -> httpx.Response:
            given = body(scopes=["tokens_full"], domain_id=domain_id)
            answer: httpx.Response = await client.post(f"{prefix}/token", json=given)
            return answer

        assert (await create(here)).status_code == 200
        whole = await create(None)
        assert whole.json()["errors"] == {"domain_id": ["The domain id field is required. #MS42209"]}
        other = await create(elsewhere)
        assert other.json()["errors"] == {"domain_id": ["The selected domain id is invalid."]}


async def test_h01_who_is_limited_to_a_domain_sees_the_tokens_for_that_only(api: ApiWorld) -> None:
    here, elsewhere = api.first.domain.id, (await second_domain(api, api.first)).id
    theirs = await made(api, domain_id=elsewhere)
    client = await api.first.with_token(Scope.TOKENS_FULL, domain=here)
    listed = (await client.get("/token")).json()
    assert [row["domain"]["id"] for row in listed["data"]] == [here]
    assert listed["meta"]["total"] == 1
    for token_id in (theirs["id"], api.first.token.id):
        assert (await client.get(f"/token/{token_id}")).status_code == 404
        assert (await client.put(f"/token/{token_id}", json={"name": "mine"})).status_code == 404
        assert (await client.delete(f"/token/{token_id}")).status_code == 404


async def test_what_a_token_makes_lives_no_longer_and_comes_from_nowhere_else(api: ApiWorld) -> None:
    ends = api.clock.now_ms() + 3_600_000
    client = await api.first.with_token(
        Scope.TOKENS_FULL, expires_at=ends, allowed_addresses=["127.0.0.0/8", "::1"]
    )

    async def create(**changes: Any) -> httpx.Response:
        return await client.post("/token", json=body(scopes=["tokens_full"], **changes))

    inherited = (await create()).json()["data"]
    assert inherited["allowed_addresses"] == ["127.0.0.0/8", "::1/128"]
    assert inherited["expires_at"] is not None
    narrower = await create(allowed_addresses=["127.0.0.7", "::1"])
    assert narrower.status_code == 200
    longer = await create(expires_at="2099-01-31T12:00:00")
    assert message(longer).endswith("more than you have yourself: a longer life than your own.")
    for addresses in (["10.0.0.0/8"], ["0.0.0.0/0"], ["127.0.0.7", "::/0"]):
        wider = await create(allowed_addresses=addresses)
        assert message(wider).endswith("client addresses that you may not use."), addresses


async def test_to_let_a_token_go_on_one_needs_what_it_may_do_to_stop_it_one_does_not(api: ApiWorld) -> None:
    strong = await made(api, scopes=["users_full"])
    few = await api.person(grant=custom())
    path = f"/v1/token/{strong['id']}"
    assert (await few.put(f"{path}/settings", json={"status": "pause"})).status_code == 200
    assert (await few.put(path, json={"status": "unpause"})).status_code == 403
    assert (await few.put(path, json={"name": "New"})).status_code == 200
    assert (await api.put(f"/token/{strong['id']}", json={"status": "unpause"})).status_code == 200
    assert (await few.delete(path)).status_code == 200
