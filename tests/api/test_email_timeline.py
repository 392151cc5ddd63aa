"""The delivery timeline: every step from acceptance to the last reply."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, update

from postroom.deliver import transcript
from postroom.store.batches.rows import AttemptRow, Inserts
from postroom.store.schema import attempts, messages, queue
from postroom.types.events import EventType
from postroom.types.outcome import TranscriptLine
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.sent import ago, happened, second_domain, sent

LINES = (
    TranscriptLine(0, "*", "servers: mx1.example.org"),
    TranscriptLine(3, "*", "connecting to mx1.example.org [192.0.2.25]:25"),
    TranscriptLine(9, "C", "EHLO mail.example.com"),
    TranscriptLine(12, "S", "250 mx1.example.org"),
    TranscriptLine(20, "S", "450 4.2.1 Try <b>later</b>"),
)


async def tried(api: ApiWorld, mail: Inserts, number: int, at: int, **changes: Any) -> None:
    email = mail.emails[0]
    row = AttemptRow(
        email.account_id,
        email.id,
        number,
        at,
        "deferred",
        412,
        "mx1.example.org",
        "192.0.2.25",
        "TLSv1.3 TLS_AES_256_GCM_SHA384 (not verified: self-signed)",
        450,
        "4.2.1",
        "450 4.2.1 Try later",
        transcript.encode(LINES),
    )
    async with api.database.write() as connection:
        await connection.execute(insert(attempts).values(row._replace(**changes)._asdict()))


async def timeline(api: ApiWorld, mail: Inserts) -> dict[str, Any]:
    answer = await api.get(f"/email/{mail.emails[0].id}/timeline")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_an_email_that_is_tried_again(api: ApiWorld) -> None:
    accepted_at, at = ago(api), ago(api, 3000)
    mail = await sent(
        api, api.first, at=accepted_at, credential_id=api.first.token.id, credential_kind="token"
    )
    email = mail.emails[0]
    await happened(
        api.database,
        mail,
        EventType.DEFERRED,
        at,
        status="deferred",
        reply="450 4.2.1 Try later",
        host="mx1.example.org",
        next_attempt_at=at + 60_000,
    )
    await tried(api, mail, 1, at)
    async with api.database.write() as connection:
        await connection.execute(update(queue).values(due_at=at + 60_000, attempts=1))
    found = await timeline(api, mail)
    assert found["accepted"] == {
        "at": timestamp(accepted_at),
        "edge": "smtp",
        "by": {"kind": "token", "id": api.first.token.id, "name": "all"},
        "sender": "app@example.com",
        "size": mail.messages[0].size,
        "stream": "transactional",
    }
    assert [
        (step["type"], step["next_attempt_at"], step["host"], step["reason"]) for step in found["events"]
    ] == [
        ("queued", None, None, None),
        ("deferred", timestamp(at + 60_000), "mx1.example.org", "450 4.2.1 Try later"),
    ]
    assert found["waiting"] == {
        "due_at": timestamp(at + 60_000),
        "under_way": False,
        "expires_at": timestamp(mail.queue[0].expires_at),
        "hold": None,
        "why": "",
    }
    assert (found["id"], found["recipient"], found["state"], found["status"]) == (
        email.id,
        email.recipient,
        "deferred",
        "sent",
    )


async def test_an_attempt_with_every_line(api: ApiWorld) -> None:
    at, mail = ago(api, 3000), await sent(api, api.first)
    await tried(api, mail, 1, at)
    found = await timeline(api, mail)
    [attempt] = found["attempts"]
    assert attempt.pop("transcript") == [
        {"at_ms": line.at, "who": {"C": "client", "S": "server"}.get(line.who, "note"), "text": line.text}
        for line in LINES
    ]
    assert attempt == {
        "number": 1,
        "at": timestamp(at),
        "duration_ms": 412,
        "result": "deferred",
        "host": "mx1.example.org",
        "address": "192.0.2.25",
        "tls_version": "TLSv1.3",
        "tls_cipher": "TLS_AES_256_GCM_SHA384",
        "certificate": "not verified: self-signed",
        "code": 450,
        "enhanced": "4.2.1",
        "reply": "450 4.2.1 Try later",
    }


async def test_one_that_is_final_waits_for_nothing(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    await happened(api.database, mail, EventType.DELIVERED, ago(api, 1), status="delivered")
    await tried(api, mail, 1, ago(api, 1), result="delivered", tls="", code=250)
    async with api.database.write() as connection:
        await connection.execute(delete(queue))
    found = await timeline(api, mail)
    assert (found["waiting"], found["status"], found["attempts"][0]["tls_version"]) == (None, "delivered", "")


async def test_what_holds_an_email_is_told(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    for hold, timed in (("paused", False), ("quota", True), ("quarantined", False), ("scheduled", True)):
        async with api.database.write() as connection:
            await connection.execute(update(queue).values(hold=hold, due_at=mail.queue[0].expires_at))
        waiting = (await timeline(api, mail))["waiting"]
        assert (waiting["hold"], waiting["due_at"] is not None) == (hold, timed)
        assert waiting["why"]
    async with api.database.write() as connection:
        await connection.execute(update(queue).values(hold="", due_at=0, mark=2))
    assert (await timeline(api, mail))["waiting"]["under_way"] is True


async def test_who_sent_it_may_be_gone(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    assert (await timeline(api, mail))["accepted"]["by"] == {"kind": None, "id": "c" * 16, "name": ""}
    async with api.database.write() as connection:
        await connection.execute(update(messages).values(credential_kind="smtp_user"))
    assert (await timeline(api, mail))["accepted"]["by"]["kind"] == "smtp_user"


async def test_h01_only_for_who_may_use_the_domain(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    path = f"/email/{mail.emails[0].id}/timeline"
    elsewhere = await second_domain(api, api.first)
    for client in (await api.tenant(), await api.first.with_token(Scope.EMAIL_FULL, domain=elsewhere.id)):
        assert (await client.get(path)).status_code == 404
