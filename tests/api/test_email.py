"""`POST /v1/email`: what is answered, and what is kept."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from sqlalchemy import select, update

from postroom.runtime import metrics
from postroom.store import installation
from postroom.store.schema import accounts, message_metadata, refusals
from postroom.tenancy import suppressions, templates
from postroom.tenancy.templates import TemplateChange
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from postroom.types.template import TemplateContent, Wording
from support.api import ApiWorld
from support.email_api import body, count, kept, message, raw
from support.parts import PNG

EMPTY_TYPE = "text/html; charset=UTF-8"


async def test_what_is_sent_is_kept_and_answered_without_a_body(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api))
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["content-type"] == EMPTY_TYPE
    assert "x-send-paused" not in answer.headers
    found = await kept(api, answer)
    assert found.message.edge == "api"
    assert found.message.credential_id == api.first.token.id
    assert found.message.subject == "Hello"
    assert found.message.tags == ""
    assert found.emails["bob@x.test"].status == "queued"
    assert found.queue["bob@x.test"].hold == ""
    assert found.details is None  # there is nothing to remember
    sent = await message(api, answer)
    assert sent["From"] == f"Anna <anna@{api.first.domain.name}>"
    assert sent["To"] == "Bob <bob@x.test>"
    assert sent["Message-ID"] == f"<{found.message.id}@{api.first.domain.name}>" == found.message.message_id
    assert sent.get_content() == "Hello Bob.\r\n"


async def test_every_field_reaches_the_message(api: ApiWorld) -> None:
    answer = await api.post(
        "/email",
        json=body(
            api,
            cc=[{"email": "carla@x.test"}],
            bcc=[{"email": "dan@x.test"}],
            reply_to={"email": "desk@y.test", "name": "Desk"},
            html='<p>Hello <img src="cid:logo"></p>',
            tags=["welcome", "summer"],
            attachments=[
                {
                    "content": b64encode(PNG).decode(),
                    "filename": "logo.png",
                    "disposition": "inline",
                    "id": "logo",
                },
                {"content": b64encode(b"a,b\n").decode(), "filename": "list.csv"},
            ],
            headers=[{"name": "X-Campaign", "value": "spring"}],
            in_reply_to="1@y.test",
            references=["<0@y.test>", "1@y.test"],
            list_unsubscribe="<https://y.test/u?id=1>, mailto:u@y.test",
            precedence_bulk=True,
            settings={"track_clicks": True, "track_opens": False, "track_content": False},
            stream="broadcast",
            metadata={"order": "42"},
        ),
    )
    assert answer.status_code == 202, answer.text
    found = await kept(api, answer)
    assert set(found.emails) == {"bob@x.test", "carla@x.test", "dan@x.test"}
    assert (found.message.tags, found.message.stream) == ("welcome\nsummer", "broadcast")
    assert found.details is not None
    assert json.loads(found.details.headers) == [{"name": "X-Campaign", "value": "spring"}]
    assert json.loads(found.details.metadata) == {"order": "42"}
    sent = await message(api, answer)
    assert "dan@x.test" not in (await raw(api, answer)).decode()
    assert {name: sent[name] for name in ("Cc", "Reply-To", "X-Campaign", "In-Reply-To", "References")} == {
        "Cc": "carla@x.test",
        "Reply-To": "Desk <desk@y.test>",
        "X-Campaign": "spring",
        "In-Reply-To": "<1@y.test>",
        "References": "<0@y.test> <1@y.test>",
    }
    assert sent["List-Unsubscribe"] == "<https://y.test/u?id=1>, <mailto:u@y.test>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["Precedence"] == "bulk"
    files = {part.get_filename(): part for part in sent.walk() if part.get_filename()}
    assert files["logo.png"].get_payload(decode=True) == PNG
    assert files["logo.png"]["Content-ID"] == "<logo>"
    assert files["list.csv"].get_content_disposition() == "attachment"


async def test_metadata_can_be_searched(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api, metadata={"order": "42", "shop": "berlin"}))
    async with api.database.read() as connection:
        rows = await connection.execute(select(message_metadata).order_by(message_metadata.c.name))
    assert [(row.account_id, row.name, row.value, row.message_id) for row in rows] == [
        (api.first.account.id, name, value, answer.headers["x-message-id"])
        for name, value in (("order", "42"), ("shop", "berlin"))
    ]


async def test_several_reply_to_and_the_same_address_twice(api: ApiWorld) -> None:
    replies = [{"email": "a@y.test"}, {"email": "b@y.test", "name": "B"}]
    answer = await api.post("/email", json=body(api, reply_to=replies, cc=[{"email": "bob@x.test"}]))
    assert (await message(api, answer))["Reply-To"] == "a@y.test, B <b@y.test>"
    assert list((await kept(api, answer)).emails) == ["bob@x.test"]


@pytest.mark.parametrize("spelling", ["rcptTo", "rcpt_to"])
async def test_recipients_of_the_envelope_stand_in_no_header(api: ApiWorld, spelling: str) -> None:
    answer = await api.post("/email", json=body(api, to=None, **{spelling: [{"email": "eve@x.test"}]}))
    assert answer.status_code == 202, answer.text
    assert (await message(api, answer, "eve@x.test"))["To"] == "undisclosed-recipients:;"


async def test_each_recipient_gets_what_is_theirs(api: ApiWorld) -> None:
    answer = await api.post(
        "/email",
        json=body(
            api,
            to=[{"email": "bob@x.test"}, {"email": "carla@x.test"}],
            subject="For {{ name }}",
            text="Dear {{ name }}, {$old}",
            html="<p>{{ name }}</p>",
            personalization=[
                {"email": "Bob@X.test", "data": {"name": "Bob"}},
                {"email": "carla@x.test", "data": {"name": "<b>Carla</b>"}},
            ],
            variables=[{"email": "bob@x.test", "substitutions": [{"var": "old", "value": "friend"}]}],
        ),
    )
    assert answer.status_code == 202, answer.text
    bob = await message(api, answer)
    carla = await message(api, answer, "carla@x.test")
    assert bob["Subject"] == "For Bob"
    assert bob.get_body(("plain",)).get_content().strip() == "Dear Bob, friend"  # type: ignore[union-attr]
    assert carla["Subject"] == "For <b>Carla</b>"
    assert "<b>Carla</b>" in carla.get_body(("html",)).get_content()  # type: ignore[union-attr]


async def test_without_personalization_braces_are_only_braces(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api, text="{{ name }} {% if %}"))
    assert (await message(api, answer)).get_content().strip() == "{{ name }} {% if %}"


async def test_a_template_brings_what_the_request_lacks(api: ApiWorld) -> None:
    domain = api.first.domain.name
    content = TemplateContent(
        Wording("Hi {{ name }}", "Text {{ name }}", "<p>{{ name }}</p>"),
        from_email=f"shop@{domain}",
        from_name="Shop",
        tags=("stored",),
        translations={"de": Wording(subject="Hallo {{ name }}")},
    )
    stored = await templates.create(api.database, api.first.account.id, content, by=SYSTEM)
    given = {"to": [{"email": "bob@x.test"}], "template_id": stored.id, "language": "DE"}
    given["personalization"] = [{"email": "bob@x.test", "data": {"name": "Bob"}}]
    answer = await api.post("/email", json=given)
    assert answer.status_code == 202, answer.text
    sent = await message(api, answer)
    assert (sent["Subject"], sent["From"]) == ("Hallo Bob", f"Shop <shop@{domain}>")
    found = await kept(api, answer)
    assert found.message.tags == "stored"
    assert found.details is not None
    assert (found.details.template_id, found.details.template_version) == (stored.id, stored.version_id)
    own = await api.post("/email", json={**given, "subject": "Mine", "tags": ["mine"]})
    assert (await message(api, own))["Subject"] == "Mine"
    assert (await kept(api, own)).message.tags == "mine"


async def test_h01_a_template_of_another_account_does_not_exist(api: ApiWorld) -> None:
    other = await api.tenant()
    stored = await templates.create(
        api.database, other.account.id, TemplateContent(Wording("a", "b")), by=SYSTEM
    )
    answer = await api.post("/email", json=body(api, template_id=stored.id))
    assert answer.json()["errors"] == {"template_id": ["The selected template id is invalid."]}


async def test_p06_a_message_keeps_the_version_of_its_template(api: ApiWorld) -> None:
    account = api.first.account.id
    stored = await templates.create(api.database, account, TemplateContent(Wording("old", "old")), by=SYSTEM)
    answer = await api.post("/email", json=body(api, template_id=stored.id, subject=None, text=None))
    await templates.update(
        api.database, account, stored.id, TemplateChange(subject="new", text="new"), by=SYSTEM
    )
    await templates.delete(api.database, account, stored.id, by=SYSTEM)
    assert (await message(api, answer))["Subject"] == "old"


# -- suppressed -------------------------------------------------------------------------------------------------


async def test_some_suppressed(api: ApiWorld) -> None:
    await suppressions.add(
        api.database, api.first.account.id, "carla@x.test", on="spam_complaints", by=SYSTEM
    )
    await suppressions.add(api.database, api.first.account.id, "carla@x.test", by=SYSTEM)
    answer = await api.post(
        "/email",
        json=body(api, cc=[{"email": "carla@x.test", "name": "Carla C"}], bcc=[{"email": "d@x.test"}]),
    )
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "message": "There are some warnings for your request.",
        "warnings": [
            {
                "type": "SOME_SUPPRESSED",
                "warning": "Some of the recipients have been suppressed.",
                "recipients": [
                    {
                        "email": "carla@x.test",
                        "name": "Carla C",
                        "reasons": ["blocklisted", "spam_complaint"],
                    }
                ],
            }
        ],
    }
    found = await kept(api, answer)
    assert {address: row.status for address, row in found.emails.items()} == {
        "bob@x.test": "queued",
        "carla@x.test": "suppressed",
        "d@x.test": "queued",
    }
    assert set(found.queue) == {"bob@x.test", "d@x.test"}


async def test_all_suppressed_makes_no_message(api: ApiWorld) -> None:
    await suppressions.add(api.database, api.first.account.id, "bob@x.test", on="hard_bounces", by=SYSTEM)
    answer = await api.post("/email", json=body(api))
    assert answer.status_code == 202
    assert "x-message-id" not in answer.headers
    (warning,) = answer.json()["warnings"]
    assert warning["type"] == "ALL_SUPPRESSED"
    assert warning["recipients"] == [{"email": "bob@x.test", "name": "Bob", "reasons": ["hard_bounced"]}]
    assert await count(api) == 0


async def test_unsubscribing_counts_for_broadcasts_only(api: ApiWorld) -> None:
    await suppressions.add(api.database, api.first.account.id, "bob@x.test", on="unsubscribes", by=SYSTEM)
    receipt = await api.post("/email", json=body(api))
    newsletter = await api.post("/email", json=body(api, stream="broadcast"))
    assert receipt.content == b""
    assert newsletter.json()["warnings"][0]["recipients"][0]["reasons"] == ["unsubscribed"]


# -- who may ------------------------------------------------------------------------------------------------------


async def test_only_tokens_for_email_send(api: ApiWorld) -> None:
    reader = await api.first.with_token(Scope.ACTIVITY_FULL)
    answer = await reader.post("/email", json=body(api))
    assert (answer.status_code, await count(api)) == (403, 0)


async def test_a_token_for_one_domain_sends_from_no_other(api: ApiWorld) -> None:
    other = await api.tenant()
    bound = await api.first.with_token(Scope.EMAIL_FULL, domain=api.first.domain.id)
    assert (await bound.post("/email", json=body(api))).status_code == 202
    foreign = await bound.post("/email", json=body(other))
    assert foreign.json()["errors"] == {
        "from.email": ["The from.email domain must be verified in your account to send emails. #MS42207"]
    }


async def test_subdomains_of_a_verified_domain_send(api: ApiWorld) -> None:
    sender = {"email": f"anna@mail.{api.first.domain.name}"}
    answer = await api.post("/email", json=body(api, **{"from": sender}))
    assert answer.status_code == 202
    assert (await kept(api, answer)).message.signing_domain == api.first.domain.name


async def test_the_daily_quota_of_emails(api: ApiWorld) -> None:
    async with api.database.write() as connection:
        await connection.execute(update(accounts).values(daily_quota=2))
        await installation.bump(connection)
    await api.changed()
    both = body(api, cc=[{"email": "carla@x.test"}])
    assert (await api.post("/email", json=both)).status_code == 202
    over = await api.post("/email", json=body(api))
    assert over.status_code == 429
    assert int(over.headers["retry-after"]) > 0
    assert over.json()["message"].endswith("#MS42204")
    assert await count(api) == 1


async def recorded(api: ApiWorld) -> Any:
    await api.refusals.stop()
    async with api.database.read() as connection:
        (row,) = (await connection.execute(select(refusals))).all()
    return row


async def test_what_is_refused_is_recorded(api: ApiWorld) -> None:
    copied = [{"email": "carla@x.test"}, {"email": "no address"}, "nobody", {"email": "bob@x.test"}]
    await api.post("/email", json=body(api, subject=None, cc=copied))
    row = await recorded(api)
    assert (row.rule, row.account_id, row.credential) == (
        "request-invalid",
        api.first.account.id,
        api.first.token.id,
    )
    assert "The cc.1.email must be a valid email address. #MS42208 (and 2 more errors)" in row.reply
    sender = body(api)["from"]["email"]
    assert (row.sender, row.header_from) == (sender, sender)
    assert row.recipients == "bob@x.test, carla@x.test"


@pytest.mark.parametrize(
    "wrong", [[], 7, {}, {"from": "x", "to": {"email": "bob@x.test"}}, {"from": {"email": "@"}, "to": [None]}]
)
async def test_what_names_nobody_is_recorded_as_that(api: ApiWorld, wrong: Any) -> None:
    assert (await api.post("/email", json=wrong)).status_code == 422
    row = await recorded(api)
    assert (row.sender, row.header_from, row.recipients) == ("", "", "")


async def test_accepted_messages_are_counted_by_edge(api: ApiWorld) -> None:
    def counted() -> float:
        return metrics.REGISTRY.get_sample_value("postroom_messages_accepted_total", {"edge": "api"}) or 0

    before = counted()
    await api.post("/email", json=body(api))
    assert counted() == before + 1
