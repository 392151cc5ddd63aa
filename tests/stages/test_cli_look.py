"""message, queue, inbox, refusals log: what happened, as people and programs see it."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
import zstandard
from sqlalchemy import insert

from postroom.deliver import transcript
from postroom.runtime import ids
from postroom.store import refusals, schema
from postroom.store.database import Database
from postroom.types.outcome import TranscriptLine
from postroom.types.parts import Personalization
from support.cli import Cli
from support.cli import cli as cli
from support.parts import parts, personalised

NOW = 1_767_225_600_000
MESSAGE, DEFERRED, DELIVERED = (ids.mail_id(NOW + number) for number in range(3))
SOURCE = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Hello \xc3\xa4\x1b[2J\r\n"
    b"--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--b--\r\n"
)
SAID = (
    TranscriptLine(0, "*", "connecting"),
    TranscriptLine(12, "S", "220 mx.example.org"),
    TranscriptLine(13, "C", "EHLO us"),
)


@pytest.fixture
def account(cli: Cli) -> str:
    """An account with one message: a recipient is deferred, one is delivered (into the inbox)."""
    account_id = str(cli.json("account", "add", "Acme", "--approved")["id"])
    domain = cli.json("domain", "add", "example.com", "--account", account_id, "--mode", "sandbox")["id"]
    cli.store(lambda database: _fill(database, account_id, domain))
    return account_id


async def _fill(database: Database, account_id: str, domain_id: str) -> None:
    mine = {"account_id": account_id}
    message = {
        "id": MESSAGE, "domain_id": domain_id, "credential_id": "c" * 16, "edge": "smtp", "sender": "ann@example.com",
        "header_from": "ann@example.com", "subject": "Grüße", "message_id": "<1@example.com>",
        "signing_domain": "example.com", "stream": "transactional", "tags": "one\ntwo", "size": len(SOURCE),
        "header_size": 100, "received_at": NOW,
    }  # fmt: skip
    rows = {
        schema.contents: [{"id": MESSAGE, "data": zstandard.compress(SOURCE)}],
        schema.messages: [message],
        schema.emails: [
            _email(DEFERRED, "bob@example.org", "deferred", "451 4.7.1 later"),
            _email(DELIVERED, "cat@example.org", "delivered", "250 ok"),
        ],
        schema.queue: [
            {
                "email_id": DEFERRED, "message_id": MESSAGE, "domain_id": domain_id, "site": "example.org", "lane": 0,
                "owner": 7, "due_at": NOW + 60_000, "expires_at": NOW + 3_600_000, "attempts": 1,
            }
        ],
        schema.attempts: [
            {
                "email_id": DEFERRED, "number": 1, "at": NOW + 5, "result": "deferred", "duration": 40,
                "host": "mx.example.org", "address": "192.0.2.1", "tls": "TLSv1.3", "code": 451, "enhanced": "4.7.1",
                "reply": "451 4.7.1 later", "transcript": transcript.encode(SAID),
            }
        ],
        schema.events: [
            {
                "id": ids.mail_id(NOW + 6), "at": NOW + 6, "email_id": DEFERRED, "message_id": MESSAGE,
                "type": "deferred", "detail": json.dumps({"reply": "451 4.7.1 later"}),
            }
        ],
        schema.inbox: [
            {
                "email_id": DELIVERED, "message_id": MESSAGE, "domain_id": domain_id, "recipient": "cat@example.org",
                "received_at": NOW,
            }
        ],
    }  # fmt: skip
    refusal = refusals.new(
        "from-not-verified", NOW, reply="550 no", account_id=account_id, recipients="a@b.c\nd@e.f"
    )
    async with database.write() as connection:
        for table, values in rows.items():
            await connection.execute(insert(table), [mine | value for value in values])
        await refusals.record(
            connection, [refusal, refusals.new("auth-failed", NOW, reply="535 no", client="192.0.2.9")]
        )


def _email(email_id: str, recipient: str, status: str, reply: str) -> dict[str, object]:
    return {
        "id": email_id, "message_id": MESSAGE, "recipient": recipient, "status": status, "attempts": 1, "reply": reply,
        "sent": True, "created_at": NOW,
    }  # fmt: skip


@pytest.mark.parametrize("which", [MESSAGE, DEFERRED], ids=["delivered", "deferred"])
def test_message_show_tells_everything(cli: Cli, account: str, which: str) -> None:
    message = cli.json("message", "show", which)
    assert (message["id"], message["tags"], message["received_at"]) == (
        MESSAGE,
        ["one", "two"],
        "2026-01-01T00:00:00Z",
    )
    deferred, delivered = message["emails"]
    assert (deferred["status"], deferred["internal_status"]) == ("sent", "deferred")
    assert (delivered["status"], delivered["internal_status"]) == ("delivered", "delivered")
    (attempt,) = deferred["attempts"]
    assert (attempt["code"], attempt["host"], attempt["duration_ms"]) == (451, "mx.example.org", 40)
    assert attempt["transcript"][1] == {"at_ms": 12, "who": "S", "text": "220 mx.example.org"}
    assert [(event["type"], event["detail"].get("reply")) for event in deferred["events"]] == [
        ("queued", None),
        ("deferred", "451 4.7.1 later"),
    ]


def test_message_show_for_people(cli: Cli, account: str) -> None:
    said = cli.text("message", "show", MESSAGE)
    for part in (
        "Grüße",
        "bob@example.org",
        "sent (deferred)",
        "451 4.7.1 later",
        "12 ms S: 220 mx.example.org",
    ):
        assert part in said


def test_message_list(cli: Cli, account: str) -> None:
    (row,) = cli.json("message", "list", "--account", account)
    assert (row["id"], row["recipients"], row["subject"]) == (MESSAGE, 2, "Grüße")
    assert MESSAGE in cli.text("message", "list")


def test_queue_list_and_show(cli: Cli, account: str) -> None:
    (row,) = cli.json("queue", "list")
    assert (row["email_id"], row["recipient"], row["due_at"]) == (
        DEFERRED,
        "bob@example.org",
        "2026-01-01T00:01:00Z",
    )
    assert (row["claimed"], row["under_way"]) == (True, False)
    assert cli.json("queue", "show", DEFERRED) == row
    assert "bob@example.org" in cli.text("queue", "list")


@pytest.mark.parametrize(
    ("by", "name"), [("site", "example.org"), ("domain", "example.com"), ("account", "Acme")]
)
def test_queue_by(cli: Cli, account: str, by: str, name: str) -> None:
    (row,) = cli.json("queue", "list", "--by", by)
    assert (row[by], row["emails"], row["held"]) == (name, 1, 0)


def test_queue_retry_makes_it_due(cli: Cli, account: str) -> None:
    row = cli.json("queue", "retry", DEFERRED)
    assert row["due_at"] > "2026-01-01T00:01:00Z"
    assert row["claimed"] is False


def test_queue_cancel(cli: Cli, account: str) -> None:
    assert cli.json("queue", "cancel", DEFERRED)["status"] == "cancelled"
    assert cli.json("queue", "list") == []
    assert "cancelled already" in cli.error("queue", "cancel", DEFERRED)
    assert "message show" in cli.error("queue", "show", DEFERRED)
    email = cli.json("message", "show", DEFERRED)["emails"][0]
    assert (email["status"], email["internal_status"]) == ("rejected", "cancelled")


def test_inbox_list(cli: Cli, account: str) -> None:
    (row,) = cli.json("inbox", "list", "--domain", "Example.com")
    assert (row["email_id"], row["recipient"]) == (DELIVERED, "cat@example.org")
    assert DELIVERED in cli.text("inbox", "list")


def test_inbox_show_reads_the_message(cli: Cli, account: str) -> None:
    shown = cli.json("inbox", "show", DELIVERED)
    assert {"name": "Subject", "value": "Grüße"} in shown["headers"]
    assert shown["text"].startswith("Hello ä")
    assert shown["attachments"] == [{"name": "a.csv", "type": "text/csv", "size": 3}]
    said = cli.text("inbox", "show", DELIVERED)
    assert "Subject: Grüße" in said
    assert "\x1b" not in said


def test_inbox_show_source_is_byte_for_byte(cli: Cli, account: str) -> None:
    assert cli.run("inbox", "show", DELIVERED, "--source").stdout_bytes == SOURCE
    shown = cli.json("inbox", "show", DELIVERED, "--source")
    assert (b64decode(shown["source"]), shown["encoding"]) == (SOURCE, "base64")


def test_inbox_show_of_large_content(cli: Cli, account: str) -> None:
    key = "ab" * 16
    blob = cli.data / "blobs" / key[:2] / key[2:4] / key
    blob.parent.mkdir(parents=True)
    blob.write_bytes(SOURCE)

    async def move(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(schema.contents.delete())
            await connection.execute(schema.messages.update().values(blob=key))

    cli.store(move)
    assert cli.run("inbox", "show", DELIVERED, "--source").stdout_bytes == SOURCE


@pytest.mark.parametrize(("day", "said"), [("2025-07-01", "In 2025"), ("never", "render-failed")])
def test_inbox_show_of_a_personalised_message_is_what_this_recipient_would_have_got(
    cli: Cli, account: str, day: str, said: str
) -> None:
    content = personalised(parts(text="In {{ day|date('Y') }}"))
    data = Personalization({"day": day}).encode()
    row = {"account_id": account, "email_id": DELIVERED, "message_id": MESSAGE, "data": data}

    async def replace(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(schema.contents.update().values(data=zstandard.compress(content.data)))
            await connection.execute(schema.messages.update().values(header_size=content.header_size))
            await connection.execute(insert(schema.personalizations).values(row))

    cli.store(replace)
    if day == "never":
        assert said in cli.error("inbox", "show", DELIVERED)
    else:
        assert said in cli.text("inbox", "show", DELIVERED)


def test_inbox_show_of_content_that_is_gone(cli: Cli, account: str) -> None:
    async def forget(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(schema.contents.delete())

    cli.store(forget)
    assert "kept no longer" in cli.error("inbox", "show", DELIVERED)


def test_refusals_log(cli: Cli, account: str) -> None:
    rows = cli.json("refusals", "log")
    assert {row["rule"] for row in rows} == {"from-not-verified", "auth-failed"}
    (mine,) = cli.json("refusals", "log", "--account", account)
    assert (mine["rule"], mine["count"], mine["recipients"]) == ("from-not-verified", 1, ["a@b.c", "d@e.f"])
    assert "auth-failed" in cli.text("refusals", "log")
