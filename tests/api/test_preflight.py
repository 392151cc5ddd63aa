"""`POST /v1/preflight` and the header X-Postroom-Preflight: every verdict, and nothing kept or sent."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from sqlalchemy import text

from postroom.accept import admit
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.usage import Usage
from postroom.store import dkim_keys
from postroom.store import domains as store_domains
from postroom.tenancy import accounts, domains, keys, smtp_users, suppressions
from postroom.tenancy.entries import Credential
from postroom.types.actor import SYSTEM
from postroom.types.draft import Content
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import PREFLIGHT, Refused
from support.api import ApiWorld
from support.sent import second_domain

TABLES = ("messages", "contents", "emails", "queue", "quota_days", "events")


def email(api: ApiWorld, **changes: Any) -> dict[str, Any]:
    return {
        "from": {"email": f"app@{api.first.domain.name}"},
        "to": [{"email": "anna@example.com"}],
        "subject": "Hello",
        "text": "Hi",
    } | changes


async def preflight(api: ApiWorld, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post("/preflight", json=body)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def by_id(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["id"]: finding for finding in report["findings"]}


async def go_live(api: ApiWorld) -> dict[str, Any]:
    """The first tenant's domain, live, with all its records."""
    domain = api.first.domain
    async with api.database.write() as connection:
        await store_domains.change(connection, domain.id, mode=domains.LIVE)
        pair = await dkim_keys.of_domain(connection, domain.id)
    await api.changed()
    api.zones.zones = {
        **{keys.record_name(key, domain.name): {"TXT": [keys.record_value(key)]} for key in pair},
        f"_dmarc.{domain.name}": {"TXT": ["v=DMARC1; p=none"]},
        "example.com": {"MX": ["10 mx.example.com."]},
        "mx.example.com": {"A": ["8.8.8.8"]},
    }
    return api.zones.zones


async def nothing_kept(api: ApiWorld) -> bool:
    async with api.database.read() as connection:
        counts = [await connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in TABLES]
    return not any(counts) and not api.blobs.content


async def test_a_good_message_of_a_live_domain(api: ApiWorld) -> None:
    await go_live(api)
    report = await preflight(api, email(api))
    found = by_id(report)
    assert report["accepted"] is True
    name = api.first.domain.name
    assert {one: finding["verdict"] for one, finding in found.items()} == {
        "account-may-send": "pass",
        "recipients-fit-the-plan": "pass",
        "authors-are-verified": "pass",
        "envelope-sender-fits": "pass",
        "daily-quota": "pass",
        "suppressions": "pass",
        "build": "pass",
        "signature": "pass",
        "delivery-mode": "pass",
        f"dns-pr1._domainkey.{name}": "pass",
        f"dns-pr2._domainkey.{name}": "pass",
        f"dns-mta.{name}": "warn",
        f"dns-_dmarc.{name}": "pass",
        "alignment": "warn",
        "recipient-domain": "pass",
    }
    assert found["recipient-domain"]["evidence"] == "example.com: mx.example.com"
    assert report["verdict"] == "warn"
    assert await nothing_kept(api)


async def test_all_verdicts_come_at_once(api: ApiWorld) -> None:
    zones = await go_live(api)
    name = api.first.domain.name
    zones[f"pr1._domainkey.{name}"] = {"TXT": ["v=DKIM1; k=rsa; p=" + "A" * 100]}
    zones["null.test"] = {"MX": ["0 ."]}
    zones["slow.test"] = "SERVFAIL"
    await accounts.suspend(api.database, api.first.account.id, by=SYSTEM)
    await suppressions.add(api.database, api.first.account.id, "gone@null.test", by=SYSTEM)
    await accounts.approve(api.database, api.first.account.id, by=SYSTEM)
    await api.changed()
    wanted = [{"email": one} for one in ("gone@null.test", "a@slow.test", "b@nowhere.test")]
    report = await preflight(api, email(api, to=wanted))
    assert (report["verdict"], report["accepted"]) == ("fail", True)
    told = {
        finding["evidence"].partition(":")[0]: finding["verdict"]
        for finding in report["findings"]
        if finding["id"] == "recipient-domain"
    }
    assert told == {"null.test": "fail", "slow.test": "warn", "nowhere.test": "fail"}
    found = by_id(report)
    assert found["signature"]["verdict"] == "fail"
    assert found["suppressions"]["verdict"] == "warn"
    assert "gone@null.test (blocklisted)" in found["suppressions"]["evidence"]
    assert all(finding["fix"] for finding in report["findings"] if finding["verdict"] != "pass")


async def test_a_sandbox_asks_no_dns(api: ApiWorld) -> None:
    report = await preflight(api, email(api))
    found = by_id(report)
    assert (report["verdict"], found["delivery-mode"]["verdict"]) == ("warn", "warn")
    assert found["signature"]["verdict"] == "pass"
    assert api.zones.asked == []


async def test_wrong_fields_are_findings(api: ApiWorld) -> None:
    report = await preflight(api, email(api, to=[], subject="", **{"from": {"email": "a@elsewhere.test"}}))
    assert (report["verdict"], report["accepted"]) == ("fail", False)
    wrong = [finding for finding in report["findings"] if finding["id"] == "fields"]
    assert len(wrong) == 3
    assert all(finding["rule"] == "request-invalid" for finding in wrong)


async def test_a_template_that_fails_for_one_recipient(api: ApiWorld) -> None:
    people = ["anna@example.com", "ben@example.com"]
    report = await preflight(
        api,
        email(
            api,
            to=[{"email": one} for one in people],
            text="Dear {{ name|upper }}, {{ 1 / number }}",
            personalization=[
                {"email": people[0], "data": {"name": "Anna", "number": 1}},
                {"email": people[1], "data": {"name": "Ben", "number": 0}},
            ],
        ),
    )
    found = by_id(report)
    assert found["render"]["verdict"] == "fail"
    assert "fails for 1 recipient. ben@example.com" in found["render"]["evidence"]
    assert found["signature"]["verdict"] == "pass"


async def test_large_content_is_gone_afterwards(api: ApiWorld) -> None:
    content = base64.b64encode(b"some text " * 100_000).decode()
    report = await preflight(api, email(api, attachments=[{"content": content, "filename": "a.txt"}]))
    assert by_id(report)["signature"]["verdict"] == "pass"
    assert await nothing_kept(api)


async def test_the_quota(api: ApiWorld) -> None:
    other = await api.tenant()
    async with api.database.write() as connection:
        await connection.execute(
            text("UPDATE accounts SET daily_quota = 1 WHERE id = :id"), {"id": other.account.id}
        )
        await connection.execute(text("UPDATE installation SET value = value + 1 WHERE name = 'version'"))
    await api.changed()
    body = email(api) | {
        "from": {"email": f"app@{other.domain.name}"},
        "to": [{"email": "a@example.com"}, {"email": "b@example.com"}],
    }
    answer = await other.post("/preflight", json=body)
    data = answer.json()["data"]
    assert by_id(data)["daily-quota"]["rule"] == "daily-quota"
    assert data["accepted"] is False


# -- the same by SMTP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "only"),
    [
        (b"X-Postroom-Preflight: only\r\n", True),
        (b"Subject: a\r\nx-postroom-preflight:ONLY \r\nTo: b\r\n", True),
        (b"X-Postroom-Preflight: no\r\n", False),
        (b"Subject: X-Postroom-Preflight: only\r\n", False),
        (b"Subject: a\r\n X-Postroom-Preflight: only\r\n", False),
        (b"", False),
    ],
)
def test_who_asks_by_smtp(header: bytes, only: bool) -> None:
    assert admit.preflight_only(header) is only


async def by_smtp(
    api: ApiWorld, author: str, blob: str | None = None, recipients: int = 1, **may: Any
) -> Refused:
    """Of an SMTP user that may do this."""
    policy = SubmissionPolicy(
        api.config,
        api.clock,
        api.directory,
        Usage(api.database),
        api.commit,
        api.refusals,
        preflight=api.preflight.reply,
    )
    made = await smtp_users.add(api.database, api.first.domain.id, name="App", by=SYSTEM, **may)
    await api.directory.refresh()
    login = await api.directory.login(made.username, made.password, "127.0.0.1")  # type: ignore[misc]
    assert isinstance(login, Credential)
    header = f"X-Postroom-Preflight: only\r\nFrom: {author}\r\nTo: anna@example.com\r\n".encode()
    data = header + b"\r\nHello\r\n"
    if blob is not None:
        blob = api.blobs.store(data)
    content = Content(data, len(data), len(header), blob)
    to = [Recipient(Address(f"anna{number}", "example.com")) for number in range(recipients)]
    envelope = Envelope(Address("app", "local"), to)
    answer = policy.message(login, envelope, content, "127.0.0.1")
    told = answer if isinstance(answer, Refused) else await answer
    assert isinstance(told, Refused)
    return told


@pytest.mark.parametrize("blob", [None, "large"])
async def test_by_smtp_the_answer_is_never_250(api: ApiWorld, blob: str | None) -> None:
    told = await by_smtp(api, f"app@{api.first.domain.name}", blob)
    assert told.rule is PREFLIGHT
    reply = str(told.reply())
    assert reply.startswith(
        "554 5.7.0 Preflight only: would be accepted; 0 failures; 1 warning (delivery-mode)."
    )
    assert "[preflight]" in reply
    assert await nothing_kept(api)


async def test_by_smtp_what_would_be_refused(api: ApiWorld) -> None:
    told = str((await by_smtp(api, "app@elsewhere.test")).reply())
    assert "would be refused; 2 failures (from-is-verified, recipient-domain)" in told


async def test_by_smtp_the_limits_of_the_smtp_user_count(api: ApiWorld) -> None:
    author, other = f"app@{api.first.domain.name}", await second_domain(api, api.first)
    elsewhere = str((await by_smtp(api, author, from_domains=other.id)).reply())
    assert "would be refused; 2 failures (from-is-verified, recipient-domain)" in elsewhere
    caps = {"hourly_cap": 1, "daily_cap": 2}
    assert "would be accepted" in str((await by_smtp(api, author, **caps)).reply())
    assert "would be refused; 1 failure (hour-cap)" in str(
        (await by_smtp(api, author, recipients=2, **caps)).reply()
    )
    assert "(hour-cap, day-cap)" in str((await by_smtp(api, author, recipients=3, **caps)).reply())
