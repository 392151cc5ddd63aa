"""`POST /v1/email` of a running relay: to the sandbox's inbox, with roles apart, through a crash, beside SMTP."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.process import Relay, run, starting
from support.waiting import until

UNLIMITED = {"POSTROOM_API__EMAIL_PER_MINUTE": "0"}


def token(relay: Relay) -> str:
    (account,) = relay.json("account", "list")
    made = relay.json("token", "add", "--account", account["id"], "--name", "App", "--scope", "all")
    return str(made["token"])


def body(relay: Relay, **changes: Any) -> dict[str, Any]:
    (domain,) = relay.json("domain", "list")
    made = {
        "from": {"email": f"a@{domain['name']}"},
        "to": [{"email": "b@x.test"}],
        "subject": "Hi",
        "text": "hi",
    }
    return made | changes


def post(relay: Relay, secret: str, given: dict[str, Any], **headers: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {secret}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    url = f"http://127.0.0.1:{relay.addresses['http']['port']}/v1/email"
    return httpx.post(url, json=given, headers=headers, timeout=60)


def subjects(relay: Relay) -> list[str]:
    return [one["subject"] for one in relay.json("inbox", "list")]


def test_what_is_posted_lies_in_the_sandbox(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run", settings=UNLIMITED) as relay:
        secret = token(relay)
        personal = {"personalization": [{"email": "b@x.test", "data": {"name": "Bob"}}], "text": "{{ name }}"}
        large = [{"content": b64encode(os.urandom(500_000)).decode(), "filename": "a.txt"}]
        given = body(relay)
        for subject, changes in (
            ("plain", {}),
            ("personal", personal),
            ("large", {"attachments": large}),
            ("both", {**personal, "attachments": large}),
        ):
            answer = post(relay, secret, {**given, "subject": subject, **changes})
            assert answer.status_code == 202, answer.text
        until(lambda: {"plain", "personal", "large", "both"} <= set(subjects(relay)), 20)


def test_a_node_for_http_alone_leaves_its_rows_to_others(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run") as relay:
        assert relay.stop() == 0
    with starting(tmp_path / "data", "--role", "http") as front:
        secret = token(front)
        assert post(front, secret, body(front, subject="waits")).status_code == 202
        assert front.stop() == 0
    with starting(tmp_path / "data") as relay:
        until(lambda: "waits" in subjects(relay), 20)


@pytest.mark.parametrize("where", ["accept.before_commit", "accept.after_commit", "accept.before_answers"])
def test_h04_a_crash_and_the_same_key_make_one_message(tmp_path: Path, where: str) -> None:
    second = {"POSTROOM_KILLPOINT": f"{where}:2"}  # the first is the welcome
    with starting(tmp_path / "data", "--first-run", settings=second) as relay:
        until(lambda: relay.json("inbox", "list"), 20)
        secret, given = token(relay), body(relay, subject="once")
        with pytest.raises(httpx.HTTPError):
            post(relay, secret, given, idempotency_key="k")
        relay.wait()
    with starting(tmp_path / "data") as relay:
        first = post(relay, secret, given, idempotency_key="k")
        assert first.status_code == 202
        again = post(relay, secret, given, idempotency_key="k")
        assert again.headers["x-message-id"] == first.headers["x-message-id"]
        until(lambda: "once" in subjects(relay), 20)
        assert relay.stop() == 0
    listed = json.loads(run(tmp_path / "data", "inbox", "list", "--json").stdout)
    assert [one["subject"] for one in listed].count("once") == 1


def test_smtp_goes_on_while_25_mb_are_taken(tmp_path: Path) -> None:
    with starting(tmp_path / "data", "--first-run") as relay:
        secret, given = token(relay), body(relay)
        sender = given["from"]["email"]
        user = relay.json("smtp-user", "add", sender.partition("@")[2], "--name", "App")
        given["attachments"] = [{"content": b64encode(os.urandom(24_000_000)).decode(), "filename": "a.txt"}]
        answers: list[httpx.Response] = []
        posting = threading.Thread(target=lambda: answers.append(post(relay, secret, given)))
        messages = 0
        with relay.smtp(user["username"], user["password"]) as client:
            posting.start()
            while posting.is_alive():
                client.sendmail(sender, ["b@x.test"], f"From: {sender}\r\n\r\nhi\r\n")
                messages += 1
            posting.join()
        assert answers[0].status_code == 202, answers[0].text
        assert messages > 20
