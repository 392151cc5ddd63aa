"""A browser and a running relay: signing in over HTTPS, and commands of the operator that end it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.process import Relay, starting
from support.waiting import until

EMAIL, PASSWORD = "anna@example.com", "correct horse battery"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    settings = {"POSTROOM_HTTP__TLS_LISTEN": "127.0.0.1:0"}
    with starting(tmp_path / "data", "--first-run", settings=settings) as started:
        yield started


@pytest.fixture
def account(relay: Relay) -> str:
    (account,) = relay.json("account", "list")
    return str(account["id"])


@pytest.fixture
def browser(relay: Relay) -> Iterator[httpx.Client]:
    """It keeps cookies as browsers do."""
    port = relay.addresses["http"]["tls"][0]["port"]
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=relay.tls()) as client:
        client.headers["origin"] = f"https://127.0.0.1:{port}"
        yield client


def sign_in(browser: httpx.Client) -> dict[str, Any]:
    answer = browser.post("/console/session", json={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()["data"]
    browser.headers["x-csrf-token"] = session["csrf_token"]
    return session


def add_user(relay: Relay, account: str, email: str = EMAIL) -> None:
    add = ("user", "add", email, "--account", account, "--role", "Admin", "--password-stdin")
    relay.json(*add, input=f"{PASSWORD}\n")


def test_somebody_signs_in_and_uses_the_api_until_the_operator_ends_it(
    relay: Relay, account: str, browser: httpx.Client
) -> None:
    add_user(relay, account)
    assert browser.get("/v1/users").status_code == 401
    assert sign_in(browser)["account_id"] == account
    assert "__Host-postroom" in browser.cookies
    assert browser.get("/v1/users").json()["meta"]["total"] == 2
    new = {"email": "ben@example.com", "role": "Manager"}
    assert browser.post("/v1/users", json=new, headers={"x-csrf-token": ""}).status_code == 403
    made = browser.post("/console/invites", json=new)
    assert "/invite#" in made.json()["data"]["link"]  # no mail can leave a fresh installation

    relay.json("user", "set-role", EMAIL, "--account", account, "--role", "Designer")
    until(lambda: browser.get("/v1/users").status_code == 403, 10)
    relay.json("user", "remove", EMAIL, "--account", account)
    until(lambda: "do not belong" in browser.get("/v1/api-quota").text, 10)
    relay.json("user", "sign-out", EMAIL)
    until(lambda: browser.get("/console/session").status_code == 401, 10)


def test_an_invited_person_joins_and_signs_out(relay: Relay, account: str, browser: httpx.Client) -> None:
    add_user(relay, account)
    sign_in(browser)
    invited = {"email": "ben@example.com", "role": "Accountant"}
    link = browser.post("/console/invites", json=invited).json()["data"]["link"]
    assert browser.delete("/console/session").status_code == 204
    assert "__Host-postroom" not in browser.cookies
    body = {"token": link.partition("#")[2], "name": "Ben", "password": PASSWORD}
    assert browser.post("/console/invites/accept", json=body).status_code == 201
    assert browser.post("/console/invites/accept", json=body).status_code == 410
    roles = {user["email"]: user["roles"] for user in relay.json("user", "list")}
    assert roles["ben@example.com"] == {account: "Accountant"}


def test_the_card_of_the_first_run_signs_the_operator_in(relay: Relay, browser: httpx.Client) -> None:
    card = (relay.data / "first-run.txt").read_text()
    (link,) = re.findall(r"Dashboard +http://localhost:\d+/sign-in#link=(\S+)", card)
    answer = browser.post("/console/session/link", json={"link": link})
    assert answer.status_code == 201, answer.text
    session = answer.json()["data"]
    assert (session["user"]["operator"], session["user"]["has_password"]) == (True, False)
    browser.headers["x-csrf-token"] = session["csrf_token"]
    first = browser.put("/console/profile/password", json={"password": PASSWORD})
    assert first.status_code == 200, first.text
    browser.headers["x-csrf-token"] = first.json()["data"]["csrf_token"]
    steps = {one["step"]: one["state"] for one in browser.get("/console/first-run").json()["data"]["steps"]}
    assert (steps["account"], steps["sandbox"], steps["message"]) == ("done", "open", "open")
    begun = browser.post("/console/first-run/checks", json={})
    assert begun.json()["data"]["checks"]["under_way"] is True
    until(lambda: not browser.get("/console/first-run").json()["data"]["checks"]["under_way"], 30)


def test_a_password_is_reset_by_a_link(relay: Relay, account: str, browser: httpx.Client) -> None:
    """No mail can leave a fresh installation: the letter lies in the sandbox inbox of Postroom itself."""
    add_user(relay, account)
    assert browser.post("/console/password-resets", json={"email": EMAIL}).status_code == 202
    until(lambda: any(letter["recipient"] == EMAIL for letter in relay.json("inbox", "list")), 20)
    letter = next(one for one in relay.json("inbox", "list") if one["recipient"] == EMAIL)
    text = relay.json("inbox", "show", letter["email_id"])["text"]
    (token,) = re.findall(r"/reset#([\w-]{43})", text)
    body = {"token": token, "password": "another good one"}
    assert browser.post("/console/password-resets/use", json=body).status_code == 204
    old = browser.post("/console/session", json={"email": EMAIL, "password": PASSWORD})
    new = browser.post("/console/session", json={"email": EMAIL, "password": "another good one"})
    assert (old.status_code, new.status_code) == (401, 201)
