"""The API of a running relay: over HTTPS with the relay's certificate, with tokens of the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.runtime.clock import Clock
from postroom.runtime.local_ca import ensure_certificate
from support.process import Relay, starting
from support.waiting import until

SETTINGS = {
    "POSTROOM_HTTP__TLS_LISTEN": "127.0.0.1:0",
    "POSTROOM_API__REQUESTS_PER_DAY": "50",
    "POSTROOM_API__COUNT_SMTP": "true",
}


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with starting(tmp_path / "data", "--first-run", settings=SETTINGS) as started:
        yield started


def token(relay: Relay, *more: str) -> Any:
    (account,) = relay.json("account", "list")
    return relay.json("token", "add", "--account", account["id"], "--name", "App", "--scope", "all", *more)


def url(relay: Relay, path: str, *, tls: bool = True) -> str:
    http = relay.addresses["http"]
    port = http["tls"][0]["port"] if tls else http["port"]
    return f"http{'s' if tls else ''}://127.0.0.1:{port}/v1{path}"


def get(relay: Relay, path: str, secret: str, *, tls: bool = True) -> httpx.Response:
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.get(url(relay, path, tls=tls), headers=headers, verify=relay.tls())


def remaining(relay: Relay, secret: str) -> int:
    return int(get(relay, "/api-quota", secret).json()["remaining"])


def send(relay: Relay) -> None:
    (domain,) = relay.json("domain", "list")
    user = relay.json("smtp-user", "add", domain["name"], "--name", "App")
    with relay.smtp(user["username"], user["password"]) as client:
        client.sendmail(f"a@{domain['name']}", ["b@x.test"], f"From: a@{domain['name']}\r\n\r\nhi\r\n")


def test_a_token_opens_the_api_until_it_is_paused(relay: Relay) -> None:
    made = token(relay)
    for tls in (True, False):
        assert get(relay, "/api-quota", made["token"], tls=tls).json()["quota"] == 50
    relay.json("token", "pause", made["id"])
    until(lambda: get(relay, "/api-quota", made["token"]).status_code == 401, 10)
    relay.json("token", "unpause", made["id"])
    assert get(relay, "/api-quota", made["token"]).status_code == 200
    relay.json("token", "delete", made["id"])
    until(lambda: get(relay, "/api-quota", made["token"]).status_code == 401, 10)


def test_the_quota_counts_smtp_too_and_survives_a_restart(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run", settings=SETTINGS) as relay:
        until(lambda: relay.json("inbox", "list"), 20)  # the welcome of the first run counts, too
        secret = token(relay)["token"]
        assert get(relay, "/openapi.json", secret).status_code == 200  # for everybody, so it does not count
        assert get(relay, "/nowhere", secret).status_code == 404
        left = remaining(relay, secret)
        assert get(relay, "/messages", secret).headers["x-apiquota-remaining"] == str(left - 1)
        send(relay)
        assert remaining(relay, secret) == left - 2
        assert relay.stop() == 0
    with starting(tmp_path / "data", settings=SETTINGS) as relay:
        assert remaining(relay, secret) == left - 2


def test_when_a_token_was_used_is_known_after_the_end(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run", settings=SETTINGS) as relay:
        made = token(relay)
        assert get(relay, "/api-quota", made["token"]).status_code == 200
        assert relay.stop() == 0
        (listed,) = relay.json("token", "list")
        assert listed["last_used_at"] is not None


def test_a_renewed_certificate_is_used_without_a_restart(relay: Relay) -> None:
    secret = token(relay)["token"]
    assert get(relay, "/api-quota", secret).status_code == 200
    shutil.rmtree(relay.data / "tls")
    ensure_certificate(
        relay.data / "tls", [], Clock()
    )  # another authority, which is all that `get` trusts now

    def trusted() -> bool:
        try:
            return get(relay, "/api-quota", secret).status_code == 200
        except httpx.ConnectError:
            return False

    until(trusted, 20)


def test_the_access_log_has_no_token(relay: Relay) -> None:
    secret = token(relay)["token"]
    get(relay, "/api-quota", secret)
    until(lambda: '"/api-quota"' in relay.log, 10)
    assert secret not in relay.log
    assert secret[5:] not in relay.log


def test_metrics_are_not_for_the_world(relay: Relay) -> None:
    plain, encrypted = (url(relay, "", tls=tls).removesuffix("/v1") for tls in (False, True))
    assert "postroom_connections" in httpx.get(f"{plain}/metrics").text
    assert httpx.get(f"{encrypted}/metrics", verify=relay.tls()).status_code == 404
    assert httpx.get(f"{encrypted}/health", verify=relay.tls()).status_code == 200
