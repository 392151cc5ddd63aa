"""Who gets in: tokens, scopes, accounts, addresses (H02)."""

from __future__ import annotations

import asyncio

import pytest

from postroom.store import refusals
from postroom.tenancy import accounts, tokens
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from support.api import ApiWorld, Client

UNAUTHENTICATED = b'{"message":"Unauthenticated."}'


def authorization(value: str) -> dict[str, str]:
    return {"authorization": value}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic Og==",
        "Basic {secret}",
        "{secret}",
        "Token {secret}",
        "Bearer {secret}0",
        "Bearer {secret} {secret}",
        "Bearer mlsn.",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer mlsn." + "0" * 64,
        "Bearer mlsn." + "é" * 64,
        "Bearer mlsn." + "0" * 100_000,
    ],
)
async def test_h02_what_is_no_token_is_401_always_the_same(api: ApiWorld, value: str) -> None:
    headers = [(b"authorization", value.format(secret=api.secret).encode())]
    answer = await api.http.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)
    assert answer.headers["content-type"] == "application/json"
    assert "x-apiquota-remaining" not in answer.headers


async def test_h02_no_token_two_tokens_and_a_token_in_the_query(api: ApiWorld) -> None:
    assert (await api.anonymous.get("/me")).content == UNAUTHENTICATED
    assert (await api.anonymous.get(f"/me?token={api.secret}&api_token={api.secret}")).status_code == 401
    twice = [("authorization", f"Bearer {api.secret}")] * 2
    assert (await api.http.get("/v1/me", headers=twice)).status_code == 401
    assert (await api.http.get("/v1/me", headers={"cookie": f"token={api.secret}"})).status_code == 401


async def test_the_scheme_may_be_in_any_case(api: ApiWorld) -> None:
    assert (await api.http.get("/v1/me", headers=authorization(f"bearer  {api.secret}"))).status_code == 200


async def test_h02_paused_expired_and_deleted_tokens_are_401(api: ApiWorld) -> None:
    tenant = api.first
    soon = await tokens.add(
        api.database,
        tenant.account.id,
        name="soon",
        scopes=["domains_read"],
        expires_at=api.clock.now_ms() + 40,
        by=SYSTEM,
    )
    client = Client(api.http, soon.secret)
    assert (await client.get("/me")).status_code == 200
    await asyncio.sleep(0.05)
    assert (await client.get("/me")).content == UNAUTHENTICATED  # though it is cached

    await tokens.change(api.database, tenant.token.id, paused=True, by=SYSTEM)
    await api.changed()
    assert (await api.get("/me")).content == UNAUTHENTICATED
    await tokens.change(api.database, tenant.token.id, paused=False, by=SYSTEM)
    assert (await api.get("/me")).status_code == 200  # at once: what is refused is read again
    await tokens.delete(api.database, tenant.token.id, by=SYSTEM)
    await api.changed()
    assert (await api.get("/me")).content == UNAUTHENTICATED


async def test_a_new_token_works_at_once(api: ApiWorld) -> None:
    secret = tokens.PREFIX + "a" * 64
    assert (await Client(api.http, secret).get("/me")).status_code == 401
    assert (await (await api.first.with_token(Scope.DOMAINS_READ)).get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ([Scope.DOMAINS_READ], 200),
        ([Scope.DOMAINS_FULL], 200),
        ([Scope.EMAIL_FULL, Scope.DOMAINS_FULL], 200),
        ([Scope.EMAIL_FULL], 403),
        ([Scope.TOKENS_FULL, Scope.USERS_FULL], 403),
    ],
)
async def test_h02_one_of_the_scopes_is_needed(api: ApiWorld, scopes: list[Scope], status: int) -> None:
    answer = await (await api.first.with_token(*scopes)).get("/me")
    assert answer.status_code == status
    if status == 403:
        needed = "domains_read or domains_full"
        assert answer.json() == {
            "message": f"The token lacks the permission for this; it needs {needed}. #MS40301"
        }
        assert answer.headers["x-apiquota-remaining"] == "-1"


async def test_a_suspended_account_is_403_an_unapproved_one_may_look(api: ApiWorld) -> None:
    tenant = await api.tenant(approved=False)
    assert (await tenant.get("/me")).status_code == 200
    await accounts.suspend(api.database, tenant.account.id, "spam", by=SYSTEM)
    await api.changed()
    answer = await tenant.get("/me")
    assert answer.status_code == 403
    assert answer.json()["message"] == f"The account {tenant.account.name} is suspended. #MS40304"


@pytest.mark.parametrize(
    ("client", "status"),
    [("127.0.0.1", 200), ("127.0.0.77", 403), ("::ffff:127.0.0.1", 200), ("::1", 200)],
)
async def test_a_token_may_be_for_some_addresses_only(api: ApiWorld, client: str, status: int) -> None:
    allowed = ["127.0.0.1", "::1/128"]
    secret = (await api.first.with_token(Scope.DOMAINS_READ, allowed_addresses=allowed)).secret
    async with api.client_at(client) as http:
        answer = await Client(http, secret).get("/me")
    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {"message": f"The address {client} may not use this token. #MS40305"}


async def test_plain_http_only_on_this_machine(api: ApiWorld) -> None:
    async with api.client_at("192.0.2.7") as http:
        answer = await Client(http, api.secret).get("/me")
        assert answer.status_code == 403
        assert answer.json() == {"message": "The API is served over HTTPS only."}
    async with api.client_at("192.0.2.7", scheme="https") as http:
        assert (await Client(http, api.secret).get("/me")).json()["client"] == "192.0.2.7"


async def test_h02_a_flood_of_unknown_tokens_is_limited_and_harms_nobody_else(api: ApiWorld) -> None:
    assert (await api.get("/me")).status_code == 200
    for number in range(60):
        assert (await Client(api.http, f"mlsn.{number:064x}").get("/me")).status_code == 401
    answer = await Client(api.http, "mlsn." + "f" * 64).get("/me")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await api.get("/me")).status_code == 200
    await tokens.change(api.database, api.first.token.id, name="renamed", by=SYSTEM)
    await api.changed()  # nothing is cached any more, but it was good before
    assert (await api.get("/me")).status_code == 200
    async with api.client_at("::1") as http:
        assert (await Client(http, "mlsn." + "f" * 64).get("/me")).status_code == 401


async def test_what_the_gate_refuses_is_recorded_for_the_account(api: ApiWorld) -> None:
    client = await api.first.with_token(Scope.EMAIL_FULL)
    for _ in range(3):
        await client.get("/me")
    await api.refusals.stop()
    async with api.database.read() as connection:
        (entry,) = await refusals.page(connection, account_id=api.first.account.id)
    assert (entry.rule, entry.count, entry.client) == ("token-scope", 3, "127.0.0.1")
    assert entry.reply == "The token lacks the permission for this; it needs domains_read or domains_full."


async def test_when_a_token_was_used_is_written_in_batches(api: ApiWorld) -> None:
    await api.get("/me")
    assert (await tokens.get(api.database, api.first.token.id)).last_used_at is None
    await api.directory.flush()
    used = (await tokens.get(api.database, api.first.token.id)).last_used_at
    assert used is not None
    assert used <= api.clock.now_ms()


@pytest.mark.parametrize("token_id", ["no-id", "A" * 16, "x" * 17, "%00", "a" * 24 + "z", "é" * 16])
async def test_what_cannot_be_an_id_is_404_before_anything_is_counted(api: ApiWorld, token_id: str) -> None:
    answer = await api.put(f"/tokens/{token_id}", json={})
    assert (answer.status_code, answer.text) == (404, '{\n    "message": "Resource not found."\n}')
    assert "x-apiquota-remaining" not in answer.headers


async def test_h01_a_foreign_id_is_404_like_one_that_does_not_exist_and_before_validation(
    api: ApiWorld,
) -> None:
    other = await api.tenant()
    mine = await api.put(f"/tokens/{api.first.token.id}", json={"title": "a", "owner": {"email": "b"}})
    assert mine.json() == {"data": {"was": "all", "title": "a"}}
    foreign = await api.put(f"/tokens/{other.token.id}", json={"title": 5})
    unknown = await api.put(f"/tokens/{'a' * 16}", json={"title": 5})
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert (await api.put(f"/tokens/{api.first.token.id}", json={"title": 5})).status_code == 422
