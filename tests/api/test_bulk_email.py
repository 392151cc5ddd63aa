"""`POST /v1/bulk-email` and what became of it: mailersend-api, sections 2.2 and 2.3."""

from __future__ import annotations

import base64
import contextlib
import json
import random
from typing import Any

import pytest
from sqlalchemy import select, text

from postroom.runtime import killpoints, metrics
from postroom.store.schema import idempotency_keys, refusals
from postroom.tenancy import accounts, suppressions, templates, tokens
from postroom.tenancy.templates import TemplateChange
from postroom.types.actor import SYSTEM
from postroom.types.template import TemplateContent, Wording
from postroom.web.bulk import BulkWorker
from support.api import ApiWorld, Client

ACCEPTED = "The bulk email is being processed."


def email(api: ApiWorld, number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "from": {"email": f"app@{api.first.domain.name}"},
        "to": [{"email": f"r{number}@example.com", "name": f"Reader {number}"}],
        "subject": f"Hello {number}",
        "text": "Hi",
    } | changes


async def post(client: Client, objects: Any, **options: Any) -> str:
    answer = await client.post("/bulk-email", json=objects, **options)
    assert answer.status_code == 202, answer.text
    assert answer.json()["message"] == ACCEPTED
    bulk_id: str = answer.json()["bulk_email_id"]
    return bulk_id


async def work(api: ApiWorld) -> int:
    """Everything there is to do; how many groups."""
    count = 0
    while await api.bulk.turn():
        count += 1
        assert count < 100
    return count


async def status(client: Client, bulk_id: str) -> dict[str, Any]:
    answer = await client.get(f"/bulk-email/{bulk_id}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def recipients(api: ApiWorld) -> list[str]:
    async with api.database.read() as connection:
        return sorted(await connection.scalars(text("SELECT recipient FROM emails")))


async def test_the_answer_and_the_status_before_and_after(api: ApiWorld) -> None:
    bulk_id = await post(api, [email(api, 0), email(api, 1)])
    answer = await api.get(f"/bulk-email/{bulk_id}")
    assert answer.headers["content-type"] == "application/json"
    before = answer.json()["data"]
    assert before.pop("created_at") == before.pop("updated_at")
    assert list(before) == [
        "id",
        "state",
        "total_recipients_count",
        "suppressed_recipients_count",
        "suppressed_recipients",
        "validation_errors_count",
        "validation_errors",
        "messages_id",
        "failure",
    ]
    assert list(before.values()) == [bulk_id, "queued", 2, 0, None, 0, None, None, None]
    assert await work(api) == 1
    after = await status(api, bulk_id)
    assert (after["state"], len(after["messages_id"])) == ("completed", 2)
    assert after["updated_at"] >= after["created_at"]
    assert await recipients(api) == ["r0@example.com", "r1@example.com"]
    shown = await api.get(f"/messages/{after['messages_id'][0]}")
    assert shown.status_code == 200


async def test_what_is_wrong_with_an_object_is_told_later_and_hurts_no_other(api: ApiWorld) -> None:
    objects = [
        email(api, 0, **{"from": "app@example.com"}),
        email(api, 1),
        email(api, 2, to=[{"email": "nobody"}], subject=""),
        email(api, 3, **{"from": {"email": "app@elsewhere.test"}}),
    ]
    bulk_id = await post(api, objects)
    await work(api)
    after = await status(api, bulk_id)
    assert after["state"] == "completed"
    assert after["validation_errors_count"] == 3
    assert after["validation_errors"] == {
        "message.0": {"from.email": ["The from.email field is required. #MS42209"]},
        "message.2": {
            "to.0.email": ["The to.0.email must be a valid email address. #MS42208"],
            "subject": ["The subject field is required. #MS42209"],
        },
        "message.3": {
            "from.email": ["The from.email domain must be verified in your account to send emails. #MS42207"]
        },
    }
    assert len(after["messages_id"]) == 1
    assert await recipients(api) == ["r1@example.com"]


@pytest.mark.parametrize(
    ("body", "code", "message", "errors"),
    [
        (b"null", 422, "The email objects are required. #MS42230", ["message"]),
        (b"[]", 422, "The email objects are required. #MS42230", ["message"]),
        (
            b'{"to": []}',
            400,
            "The bulk request is malformed: it must be a JSON array of email objects. #MS40001",
            None,
        ),
        (
            b'[{}, 1, "x"]',
            422,
            "The bulk item is invalid: it must be an object. #MS42231 (and 1 more error)",
            ["message.1", "message.2"],
        ),
        (
            json.dumps([{}] * 501).encode(),
            422,
            "A bulk request must not have more than 500 email objects. #MS42229",
            ["message"],
        ),
        (b"[{]", 422, None, ["body"]),
    ],
)
async def test_only_the_shape_of_the_array_is_answered_at_once(
    api: ApiWorld, body: bytes, code: int, message: str | None, errors: list[str] | None
) -> None:
    headers = {"content-type": "application/json"}
    answer = await api.post("/bulk-email", content=body, headers=headers)
    assert answer.status_code == code
    told = answer.json()
    assert message is None or told["message"] == message
    assert (list(told["errors"]) if "errors" in told else None) == errors
    assert not await api.bulk.turn()


async def test_an_object_that_is_refused_is_recorded_with_its_addresses(api: ApiWorld) -> None:
    await post(api, [email(api, 1, subject=None), email(api, 2)])
    await work(api)
    await api.refusals.stop()
    async with api.database.read() as connection:
        [row] = (await connection.execute(select(refusals))).all()
    sender = f"app@{api.first.domain.name}"
    assert (row.rule, row.credential) == ("request-invalid", api.first.token.id)
    assert (row.sender, row.header_from, row.recipients) == (sender, sender, "r1@example.com")


async def test_h01_a_foreign_batch_is_not_found(api: ApiWorld) -> None:
    other = await api.tenant()
    bulk_id = await post(api, [email(api)])
    for wrong in (bulk_id, "0" * 24, "nonsense"):
        answer = await other.get(f"/bulk-email/{wrong}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."})


async def test_suppressed_recipients_are_listed_by_message(api: ApiWorld) -> None:
    await suppressions.add(api.database, api.first.account.id, "r0@example.com", by=SYSTEM)
    both = [{"email": "r0@example.com", "name": "Zero"}, {"email": "r1@example.com"}]
    bulk_id = await post(api, [email(api, 0), email(api, 1, to=both)])
    await work(api)
    after = await status(api, bulk_id)
    (message,) = after["messages_id"]
    assert (after["total_recipients_count"], after["suppressed_recipients_count"]) == (3, 2)
    (warned,) = after["suppressed_recipients"][message]
    assert warned["type"] == "SOME_SUPPRESSED"
    assert warned["recipients"] == [{"email": "r0@example.com", "name": "Zero", "reasons": ["blocklisted"]}]
    (warned,) = after["suppressed_recipients"]["message.0"]
    assert warned["type"] == "ALL_SUPPRESSED"


async def test_p06_a_template_is_used_in_the_version_it_had(api: ApiWorld) -> None:
    account = api.first.account.id
    old = TemplateContent(Wording("Old", "old text"))
    template = await templates.create(api.database, account, old, by=SYSTEM)
    first = await post(api, [email(api, 0, subject="", text="", template_id=template.id)])
    await templates.update(
        api.database, account, template.id, TemplateChange(subject="New", text="new"), by=SYSTEM
    )
    await api.changed()
    second = await post(api, [email(api, 1, subject="", text="", template_id=template.id)])
    await work(api)
    ids = [(await status(api, one))["messages_id"][0] for one in (first, second)]
    async with api.database.read() as connection:
        found = {
            row.id: row.subject for row in await connection.execute(text("SELECT id, subject FROM messages"))
        }
    assert [found[one] for one in ids] == ["Old", "New"]


async def test_a_deleted_token_stops_the_rest(api: ApiWorld) -> None:
    bulk_id = await post(api, [email(api, number) for number in range(60)])
    assert await api.bulk.turn()
    await tokens.delete(api.database, api.first.token.id, by=SYSTEM)
    assert await work(api) == 1
    reader = await api.first.with_token()
    after = await status(reader, bulk_id)
    assert (after["state"], after["validation_errors_count"]) == ("completed", 10)
    assert after["validation_errors"]["message.50"] == {
        "body": ["The token of this bulk email was deleted or paused before the email was sent."]
    }
    assert len(after["messages_id"]) == 50


async def test_a_suspended_account_stops_the_rest(api: ApiWorld) -> None:
    bulk_id = await post(api, [email(api)])
    await accounts.suspend(api.database, api.first.account.id, by=SYSTEM)
    await api.changed()
    await work(api)
    await accounts.approve(api.database, api.first.account.id, by=SYSTEM)
    await api.changed()
    after = await status(api, bulk_id)
    (texts,) = after["validation_errors"]["message.0"].values()
    assert texts[0].endswith("#MS40304")
    assert after["messages_id"] is None


async def test_h04_the_same_key_makes_one_batch(api: ApiWorld) -> None:
    headers = {"idempotency-key": "once"}
    first = await post(api, [email(api)], headers=headers)
    assert await post(api, [email(api)], headers=headers) == first
    answer = await api.post("/bulk-email", json=[email(api, 1)], headers=headers)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["idempotency-key"])
    single = await api.post("/email", json=email(api), headers=headers)
    assert single.status_code == 422
    assert await post(api, [email(api)]) != first
    assert await work(api) == 2


async def test_accounts_take_turns(api: ApiWorld) -> None:
    """A neighbour with one email does not wait for a batch of 500."""
    other = await api.tenant()
    await post(api, [email(api, number) for number in range(500)])
    small = email(api) | {"from": {"email": f"app@{other.domain.name}"}}
    bulk_id = await post(other, [small])
    assert await api.bulk.turn()
    assert await api.bulk.turn()
    assert (await status(other, bulk_id))["state"] == "completed"


async def test_a_large_body_is_kept_in_slices_and_gone_at_the_end(api: ApiWorld) -> None:
    files = [base64.b64encode(bytes([number]) + noise(400_000)).decode() for number in range(4)]
    objects = [
        email(api, number, attachments=[{"content": file, "filename": "a.txt"}])
        for number, file in enumerate(files)
    ]
    bulk_id = await post(api, objects)
    assert len(api.blobs.content) == 1
    assert await work(api) == 4
    after = await status(api, bulk_id)
    assert (after["validation_errors"], len(after["messages_id"])) == (None, 4)
    async with api.database.read() as connection:
        kept = set(await connection.scalars(text("SELECT blob FROM messages")))
    assert set(api.blobs.content) == kept
    assert len(kept) == 4


async def test_a_batch_whose_body_is_lost_fails_once_that_is_certain(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour: the directory may not be mounted yet. What was sent before is told all the same."""
    many = [
        email(
            api,
            number,
            attachments=[{"content": base64.b64encode(noise(300_000)).decode(), "filename": "a.txt"}],
        )
        for number in range(6)
    ]
    bulk_id = await post(api, many)
    (blob,) = api.blobs.content
    assert await api.bulk.turn()
    with monkeypatch.context() as patch:  # the second group is kept, and the process ends before it says so
        patch.setattr(
            killpoints, "_plan", killpoints.plan({killpoints.SWITCH: "bulk.group_kept:raise=ArithmeticError"})
        )
        with contextlib.suppress(ArithmeticError):
            await api.bulk.turn()
    lost = api.blobs.content.pop(blob)
    steady = api.clock.steady_ms()

    async def look(minutes: int) -> dict[str, Any]:
        async with api.database.write() as connection:
            await connection.execute(text("UPDATE bulk_emails SET busy_until = 0"))
        monkeypatch.setattr(api.clock, "steady_ms", lambda: steady + minutes * 60_000)
        await api.bulk.turn()
        return await status(api, bulk_id)

    assert (await look(0))["state"] == "processing"
    assert (await look(59))["state"] == "processing"
    failures = metrics.BULK_FAILED._value.get()
    after = await look(60)
    assert (after["state"], len(after["messages_id"])) == ("failed", 2)
    assert after["failure"] == (
        "The storage has lost this request. Of the emails from message.1 on only those in messages_id were sent."
    )
    assert metrics.BULK_FAILED._value.get() == failures + 1
    assert not await api.bulk.turn()
    api.blobs.content[blob] = lost
    assert (await look(90))["state"] == "failed"
    assert await recipients(api) == ["r0@example.com", "r1@example.com"]


async def test_a_body_that_only_another_node_has(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as somebody moves the batch on, it has not failed."""
    files = [base64.b64encode(noise(300_000)).decode() for _ in range(3)]
    objects = [
        email(api, at, attachments=[{"content": file, "filename": "a.txt"}]) for at, file in enumerate(files)
    ]
    bulk_id = await post(api, objects)
    ours, theirs, another = {}, api.blobs.content, BulkWorker(api.bulk.tools)
    steady = api.clock.steady_ms()
    for minutes, worker, content in (
        (0, api.bulk, ours),
        (40, another, theirs),
        (80, api.bulk, ours),
        (120, another, theirs),
        (121, another, theirs),
    ):
        async with api.database.write() as connection:
            await connection.execute(text("UPDATE bulk_emails SET busy_until = 0"))
        now = steady + minutes * 60_000
        monkeypatch.setattr(api.clock, "steady_ms", lambda now=now: now)
        api.blobs.content = content
        await worker.turn()
    assert (await status(api, bulk_id))["state"] == "completed"


async def test_a_body_that_comes_back_in_time_is_worked_off(api: ApiWorld) -> None:
    files = [base64.b64encode(noise(300_000)).decode() for _ in range(2)]
    objects = [
        email(api, at, attachments=[{"content": file, "filename": "a.txt"}]) for at, file in enumerate(files)
    ]
    bulk_id = await post(api, objects)
    mislaid, api.blobs.content = api.blobs.content, {}
    assert await api.bulk.turn()
    api.blobs.content = mislaid
    async with api.database.write() as connection:
        await connection.execute(text("UPDATE bulk_emails SET busy_until = 0"))
    await work(api)
    assert (await status(api, bulk_id))["state"] == "completed"


def noise(size: int) -> bytes:
    """Text that does not compress to nothing."""
    return random.Random(1).randbytes(size).hex().encode()[:size]


@pytest.mark.parametrize(
    "place",
    [
        "accept.before_commit:2",
        "accept.after_commit:2",
        "bulk.claimed",
        "bulk.group_kept",
        "bulk.before_advance",
    ],
)
async def test_what_a_crash_cut_off_is_done_again_and_nothing_twice(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    await suppressions.add(api.database, api.first.account.id, "gone@example.com", by=SYSTEM)
    both = [{"email": "r7@example.com"}, {"email": "gone@example.com"}]
    bulk_id = await post(api, [email(api, 7, to=both), *(email(api, number) for number in range(59))])
    with monkeypatch.context() as patch:
        broken = killpoints.plan({killpoints.SWITCH: f"{place}:raise=ArithmeticError"})
        patch.setattr(killpoints, "_plan", broken)
        with contextlib.suppress(ArithmeticError):
            await api.bulk.turn()
    async with api.database.write() as connection:
        await connection.execute(text("UPDATE bulk_emails SET busy_until = 0"))
    await work(api)
    after = await status(api, bulk_id)
    assert (after["state"], after["validation_errors"]) == ("completed", None)
    assert len(set(after["messages_id"])) == 60
    assert after["suppressed_recipients_count"] == 1
    (warned,) = after["suppressed_recipients"][after["messages_id"][0]]
    assert warned["recipients"][0]["email"] == "gone@example.com"
    assert len(await recipients(api)) == 61


async def test_keys_of_objects_outlive_their_group_by_a_day_only(api: ApiWorld) -> None:
    await post(api, [email(api)])
    await work(api)
    async with api.database.read() as connection:
        (row,) = await connection.execute(idempotency_keys.select())
    assert row.key.startswith(" bulk ")
    assert row.expires_at <= api.clock.now_ms() + 24 * 3600 * 1000


async def test_what_was_kept_before_a_crash_is_told_so_whatever_changed(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is deleted between the crash and the second try: no error for what is on its way."""
    bulk_id = await post(api, [email(api, number) for number in range(3)])
    with monkeypatch.context() as patch:
        broken = killpoints.plan({killpoints.SWITCH: "bulk.group_kept:raise=ArithmeticError"})
        patch.setattr(killpoints, "_plan", broken)
        with pytest.raises(ArithmeticError):
            await api.bulk.turn()
    await tokens.delete(api.database, api.first.token.id, by=SYSTEM)
    async with api.database.write() as connection:
        await connection.execute(text("UPDATE bulk_emails SET busy_until = 0"))
    await work(api)
    after = await status(await api.first.with_token(), bulk_id)
    assert (after["validation_errors"], len(after["messages_id"])) == (None, 3)
