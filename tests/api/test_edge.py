"""Around every request: its id, its line in the log, who the client is."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from postroom.store.database import Database
from support.api import ApiWorld, Client


async def test_every_answer_has_an_id(api: ApiWorld) -> None:
    ids = [
        (await client.get(path)).headers["x-request-id"]
        for client in (api, api.anonymous)
        for path in ("/me", "/nowhere", "/api-quota")
    ]
    assert len(set(ids)) == 6
    assert all(len(one) == 24 for one in ids)


@pytest.mark.parametrize("mine", ["a", "01J8-xyz_1.2:3", "f" * 128, "550e8400-e29b-41d4-a716-446655440000"])
async def test_a_valid_id_of_the_client_is_kept(api: ApiWorld, mine: str) -> None:
    assert (await api.get("/me", headers={"x-request-id": mine})).headers["x-request-id"] == mine


@pytest.mark.parametrize("mine", ["", " ", "a b", "-a", "f" * 129, "a\tb", "é", '"<script>'])
async def test_s12_what_is_no_id_is_not_repeated(api: ApiWorld, mine: str) -> None:
    answer = await api.get("/me", headers=[(b"x-request-id", mine.encode())])
    assert answer.headers["x-request-id"] != mine
    assert len(answer.headers["x-request-id"]) == 24


async def test_the_log_has_a_line_for_each_request_and_never_a_secret(api: ApiWorld) -> None:
    with capture_logs() as lines:
        await api.put(
            f"/tokens/{api.first.token.id}?secret=hush",
            json={"title": "hush"},
            headers={"x-request-id": "r1"},
        )
        await api.anonymous.get("/nowhere/hush")
    first, second = lines
    assert {name: first[name] for name in ("method", "route", "status", "request", "account", "client")} == {
        "method": "PUT",
        "route": "/tokens/{token_id}",
        "status": 422,
        "request": "r1",
        "account": api.first.account.id,
        "client": "127.0.0.1",
    }
    assert first["ms"] >= 0
    assert (second["route"], second["status"], second["account"]) == ("-", 404, "-")
    assert "hush" not in str(lines)
    assert api.secret is not None
    assert api.secret not in str(lines)


async def test_the_log_can_be_switched_off(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, http={"access_log": False})
    with capture_logs() as lines:
        await api.get("/me")
    assert lines == []


@pytest.mark.parametrize(
    ("peer", "scheme", "headers", "client"),
    [
        ("10.0.0.9", "http", {}, "10.0.0.9"),
        ("10.0.0.9", "http", {"x-forwarded-for": "198.51.100.7"}, "198.51.100.7"),
        (
            "10.0.0.9",
            "http",
            {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"},
            "198.51.100.7",
        ),
        ("10.0.0.9", "https", {"x-forwarded-for": "198.51.100.7"}, "198.51.100.7"),
        ("10.0.0.9", "http", {"x-forwarded-for": "203.0.113.1, 198.51.100.7, 10.0.0.8"}, "198.51.100.7"),
        ("10.0.0.9", "http", {"x-forwarded-for": "10.1.1.1, 10.0.0.8"}, "10.1.1.1"),
        ("10.0.0.9", "http", {"x-forwarded-for": "junk"}, "10.0.0.9"),
        ("10.0.0.9", "http", {"x-forwarded-for": "198.51.100.7, junk"}, "10.0.0.9"),
        ("10.0.0.9", "http", {"x-forwarded-for": "[2001:db8::1]:5000"}, "2001:db8::1"),
        ("10.0.0.9", "http", {"x-forwarded-for": "198.51.100.7:5000"}, "198.51.100.7"),
        ("10.0.0.9", "http", {"x-forwarded-for": "::ffff:198.51.100.7"}, "198.51.100.7"),
        ("::ffff:10.0.0.9", "http", {"x-forwarded-for": "198.51.100.7"}, "198.51.100.7"),
        ("198.51.100.1", "https", {"x-forwarded-for": "127.0.0.1"}, "198.51.100.1"),
        ("127.0.0.1", "http", {"x-forwarded-for": "198.51.100.7"}, "127.0.0.1"),
        ("fe80::1%eth0", "https", {}, "fe80::1"),
    ],
)
async def test_h05_who_the_client_is(
    sqlite_database: Database,
    tmp_path: Path,
    peer: str,
    scheme: str,
    headers: dict[str, str],
    client: str,
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, http={"trusted_proxies": ["10.0.0.0/8"]})
    async with api.client_at(peer, scheme) as http:
        answer = await Client(http, api.secret).get("/me", headers=headers)
    assert answer.json()["client"] == client


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("198.51.100.1", {}),
        ("198.51.100.1", {"x-forwarded-proto": "https"}),
        ("198.51.100.1", {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}),
        ("10.0.0.9", {"x-forwarded-proto": "http"}),
        ("10.0.0.9", {"x-forwarded-proto": "https, http"}),
        ("not-an-address", {}),
    ],
)
async def test_plain_http_is_refused(
    sqlite_database: Database, tmp_path: Path, peer: str, headers: dict[str, str]
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, http={"trusted_proxies": ["10.0.0.0/8"]})
    async with api.client_at(peer) as http:
        answer = await Client(http, api.secret).get("/me", headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"message": "The API is served over HTTPS only."})


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1//messages", "//v1/messages", "//v1//messages", "/v1/messages//"]
)
async def test_paths_that_miss_the_api_get_its_404(api: ApiWorld, path: str) -> None:
    answer = await api.http.get(f"http://api.test{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."})
    assert len(answer.headers["x-request-id"]) == 24


async def test_one_slash_at_the_end_changes_nothing(api: ApiWorld) -> None:
    assert (await api.get("/me/")).json() == (await api.get("/me")).json()
    assert (await api.put(f"/tokens/{api.first.token.id}/", json={})).status_code == 422
    assert (await api.get("/me//")).status_code == 404


async def test_head_is_get_without_a_body(api: ApiWorld) -> None:
    with capture_logs() as lines:
        head = await api.request("HEAD", "/me")
    full = await api.get("/me")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(full.content))
    assert (lines[0]["method"], lines[0]["route"]) == ("HEAD", "/me")
    assert (await api.anonymous.request("HEAD", "/me")).status_code == 401
    assert (await api.request("HEAD", "/nowhere")).status_code == 404
    assert (await api.request("HEAD", "/email")).status_code == 405
    assert (await api.post("/me", json={})).headers["allow"] == "GET, HEAD"


async def test_any_host_will_do(api: ApiWorld) -> None:
    for host in ("api.mailersend.com", "localhost:1", "[::1]"):
        assert (await api.get("/me", headers={"host": host})).status_code == 200


async def test_h14_no_word_about_other_origins(api: ApiWorld) -> None:
    answer = await api.request(
        "OPTIONS", "/notes", headers={"origin": "https://evil.test", "access-control-request-method": "POST"}
    )
    assert answer.status_code == 405
    answer = await api.get("/me", headers={"origin": "null"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
