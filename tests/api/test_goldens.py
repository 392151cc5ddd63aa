"""Whole answers, octet by octet: status, every header, and the body as it is escaped and laid out (contract, 1.3-1.6).

What an answer means is tested beside its endpoint; here is how it looks on the wire. `goldens/` holds one file for each
resource; `support.golden` says how they are written anew.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from postroom.events.recipients import Gathering
from postroom.runtime.clock import FakeClock
from postroom.runtime.http_client import Answer
from postroom.store import installation, refusals
from postroom.store.database import Database
from postroom.store.schema import accounts, domains
from postroom.tenancy import suppressions
from postroom.types.actor import SYSTEM
from postroom.types.events import EventType
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support import people
from support.api import ApiWorld
from support.email_api import body
from support.golden import Golden
from support.messages import PDF
from support.sent import ago, dates, happened, in_the_inbox, sent

AT = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where a fake clock begins."""
FILES = Path(__file__).parent / "goldens"
CONTRACT = {
    "email_per_minute": 120,
    "bulk_per_minute": 10,
    "activity_per_minute": 10,
    "other_per_minute": 60,
    "requests_per_day": 100_000,
}
"""The limits of the contract, section 1.6."""


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """With limits, and at a time that stands still."""
    world = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(), api=CONTRACT)
    async with sqlite_database.write() as connection:
        await connection.execute(update(domains).values(created_at=AT, updated_at=AT))
    yield world
    await world.stop()


@pytest.fixture
def golden(api: ApiWorld, request: pytest.FixtureRequest) -> Golden:
    name = request.function.__name__.removeprefix("test_")
    return Golden(FILES / f"{name}.http", api.first)


def later(api: ApiWorld) -> int:
    return api.clock.now_ms() + 3_600_000


async def test_errors(api: ApiWorld, golden: Golden) -> None:
    path = f"/messages/{'0' * 24}"
    reader = await api.first.with_token(Scope.ACTIVITY_READ)
    new = await api.tenant(name="newcomer", approved=False)
    as_json = {"content-type": "application/json"}
    golden.add("no token", await api.anonymous.get(path))
    golden.add("a token for something else", await reader.get(path))
    golden.add("an account that is not approved", await new.post("/bulk-email", json=[body(new)]))
    golden.add("an id of nothing", await api.get(path))
    golden.add("what cannot be an id", await api.get("/messages/5"))
    golden.add("no such path", await api.get("/nowhere"))
    golden.add("not with this method", await api.put(f"/message-schedules/{'0' * 24}", json={}))
    golden.add("one wrong field", await api.post("/email", json=body(api, subject=None)))
    golden.add("several wrong fields", await api.post("/email", json={"to": [{"email": "a/é"}]}))
    golden.add("no JSON", await api.post("/email", content=b"{", headers=as_json))
    golden.add("JSON that is not taken", await api.post("/email", content=b'{"a":1,"a":2}', headers=as_json))
    golden.add("not declared as JSON", await api.post("/email", content=b"a=b"))
    too_large = {"content-length": str(60 * 1024 * 1024)}
    golden.add("too large", await api.post("/email", content=b"{}", headers=as_json | too_large))
    golden.check()


async def test_limits(sqlite_database: Database, tmp_path: Path) -> None:
    limits = {"other_per_minute": 1, "requests_per_day": 2}
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(), api=limits)
    golden = Golden(FILES / "limits.http", api.first)
    async with sqlite_database.write() as connection:
        await connection.execute(update(accounts).values(daily_quota=1))
        await installation.bump(connection)
    await api.changed()
    golden.add("within the limit of a minute", await api.get("/messages?limit=10"))
    golden.add("beyond it", await api.get("/messages?limit=10"))
    two = body(api, cc=[{"email": "carla@x.test"}])
    golden.add("beyond the emails of the day", await api.post("/email", json=two))
    golden.add("beyond the requests of the day", await api.post("/email", json=body(api)))
    golden.check()
    await api.stop()


async def test_email(api: ApiWorld, golden: Golden) -> None:
    await suppressions.add(api.database, api.first.account.id, "carla@x.test", on="hard_bounces", by=SYSTEM)
    carla = [{"email": "carla@x.test", "name": "Carla É"}]
    at = later(api) // 1000
    golden.add("accepted", await api.post("/email", json=body(api)))
    golden.add("scheduled", await api.post("/email", json=body(api, send_at=at)))
    golden.add("some suppressed", await api.post("/email", json=body(api, cc=carla)))
    golden.add("all suppressed", await api.post("/email", json=body(api, to=carla)))
    golden.check()


async def test_bulk_email(api: ApiWorld, golden: Golden) -> None:
    await suppressions.add(api.database, api.first.account.id, "carla@x.test", by=SYSTEM)
    some = body(api, cc=[{"email": "carla@x.test"}])
    accepted = await api.post("/bulk-email", json=[some, {"from": "anna@x.test"}, body(api)])
    golden.add("accepted", accepted)
    path = f"/bulk-email/{accepted.json()['bulk_email_id']}"
    golden.add("queued", await api.get(path))
    while await api.bulk.turn():
        pass
    golden.add("completed", await api.get(path))
    golden.add("no array", await api.post("/bulk-email", json={"to": []}))
    golden.add("nothing", await api.post("/bulk-email", json=[]))
    golden.add("too many", await api.post("/bulk-email", json=[{}] * 501))
    golden.add("no object", await api.post("/bulk-email", json=[{}, 5]))
    golden.check()


async def test_messages(api: ApiWorld, golden: Golden) -> None:
    golden.add("an empty page", await api.get("/messages"))
    mail = [await sent(api, api.first, 2, at=ago(api, 9000 - n), tags="order") for n in range(11)]
    golden.add("a page of a list that is not counted", await api.get("/messages?limit=10"))
    golden.add("its last page", await api.get("/messages?limit=10&page=2"))
    golden.add("one", await api.get(f"/messages/{mail[0].messages[0].id}"))
    golden.check()


async def test_message_schedules(api: ApiWorld, golden: Golden) -> None:
    golden.add("an empty page", await api.get("/message-schedules"))
    mail = [await sent(api, api.first, send_at=later(api) + n) for n in range(11)]
    golden.add("the last page of a counted list", await api.get("/message-schedules?limit=10&page=2"))
    path = f"/message-schedules/{mail[0].messages[0].id}"
    golden.add("one", await api.get(path))
    golden.add("deleted", await api.delete(path, json={}))
    golden.add("deleted again", await api.delete(path, json={}))
    golden.check()


async def test_emails(api: ApiWorld, golden: Golden) -> None:
    headers = [{"name": "X-Order", "value": "a/b"}]
    mail = await sent(api, api.first, metadata={"order": "4711"}, headers=headers, subject="Größe")
    await happened(api.database, mail, EventType.DELIVERED, ago(api, 500), status="delivered")
    asked: dict[str, Any] = {"domain_id": api.first.domain.id} | dates(api)
    golden.add("a page", await api.get("/emails", params=asked))
    golden.add("one", await api.get(f"/email/{mail.emails[0].id}"))
    golden.add("a wrong question", await api.get("/emails?status=sent&subject=ab"))
    golden.check()


async def test_email_content(api: ApiWorld, golden: Golden) -> None:
    mail = await sent(api, api.first, credential_id=api.first.token.id, credential_kind="token")
    golden.call(api.first.token.id, "{token id}")
    path = f"/email/{mail.emails[0].id}"
    golden.add("the timeline", await api.get(f"{path}/timeline"))
    golden.add("the content", await api.get(f"{path}/content"))
    golden.add("the preview", await api.get(f"{path}/preview"))
    golden.add("an attachment", await api.get(f"{path}/attachments/{PDF}"))
    golden.add("another sender", await api.post(f"{path}/resend", json={}))
    golden.add("tried now", await api.post(f"{path}/retry"))
    golden.add("cancelled", await api.post(f"{path}/cancel"))
    golden.add("cancelled again", await api.post(f"{path}/cancel"))
    golden.add("a search", await api.get("/emails/search?state=cancelled,held&limit=10"))
    golden.add("a wrong search", await api.get("/emails/search?state=cancelled&since=1"))
    golden.check()


async def test_inbox(api: ApiWorld, golden: Golden) -> None:
    mail = await sent(api, api.first, subject="Größe")
    await in_the_inbox(api.database, mail)
    golden.add("a page", await api.get("/inbox"))
    golden.add("one", await api.get(f"/inbox/{mail.emails[0].id}"))
    golden.add("deleted", await api.delete(f"/inbox/{mail.emails[0].id}"))
    golden.add("emptied", await api.delete("/inbox"))
    golden.add("an empty page", await api.get("/inbox"))
    golden.check()


async def test_refusals(api: ApiWorld, golden: Golden) -> None:
    told = {"reply": "554 5.4.6 no [too-many-hops]", "account_id": api.first.account.id}
    refused = refusals.new("too-many-hops", ago(api), credential="app@example.com", **told)
    async with api.database.write() as connection:
        await refusals.record(connection, [refused])
    golden.add("a page", await api.get("/refusals?rule=too-many-hops,daily-quota"))
    golden.add("nothing of this kind", await api.get("/refusals?search=nothing"))
    golden.add("a wrong question", await api.get("/refusals?rule=x&date_from=x"))
    golden.check()


async def test_activity(api: ApiWorld, golden: Golden) -> None:
    mail = await sent(api, api.first)
    event = await happened(
        api.database, mail, EventType.SUPPRESSED, ago(api, 500), status="suppressed", reason="on_hold"
    )
    path = f"/activity/{api.first.domain.id}"
    golden.add("a page", await api.get(path, params=dates(api)))
    golden.add("nothing of this kind", await api.get(path, params=dates(api) | {"event[]": "opened"}))
    golden.add("one", await api.get(f"/activities/{event}"))
    golden.add("a wrong question", await api.get(f"{path}?event=sent&limit=5&page=1001"))
    golden.check()


async def test_suppressions(api: ApiWorld, golden: Golden) -> None:
    domain, account = api.first.domain.id, api.first.account.id
    await suppressions.add(api.database, account, "d@y.test", on="on_hold", domain=domain, by=SYSTEM)
    for name in ("blocklist", "hard-bounces", "spam-complaints", "unsubscribes", "on-hold-list"):
        path, body = f"/suppressions/{name}", {"domain_id": domain, "recipients": ["c@y.test"]}
        added = None if name == "on-hold-list" else await api.post(path, json=body)
        listed = await api.get(path)
        for moment in re.findall(r'ed_at":"([^"]+)"', listed.text):
            golden.call(moment, "{now}" if not moment.startswith("2026-01-01") else moment)
        if added is not None:
            golden.add(f"added to {name}", added)
        golden.add(f"a page of {name}", listed)
    golden.add("no ids", await api.delete("/suppressions/blocklist", json={}))
    golden.add("a wrong id", await api.delete("/suppressions/blocklist", json={"ids": ["1"]}))
    golden.add("all deleted", await api.delete("/suppressions/blocklist", json={"all": True}))
    golden.add("an empty page", await api.get("/suppressions/blocklist"))
    golden.check()


async def test_recipients(api: ApiWorld, golden: Golden) -> None:
    await sent(api, api.first, at=ago(api, 9000))
    await Gathering(api.database, api.clock).run_once()
    listed = await api.get("/recipients")
    path = f"/recipients/{listed.json()['data'][0]['id']}"
    golden.add("a page", listed)
    golden.add("one", await api.get(path))
    golden.add("deleted", await api.delete(path))
    golden.add("an empty page", await api.get("/recipients"))
    golden.check()


async def test_templates(api: ApiWorld, golden: Golden) -> None:
    body = {"name": "Order", "html": "<p>Dear {{ name }}</p>", "auto_generate": True, "tags": ["order"]}
    created = await api.post("/templates", json=body | {"domain_id": api.first.domain.id})
    template = created.json()["data"]
    for name in ("id", "created_at"):
        golden.call(template[name], f"{{template {name}}}")
    path = f"/templates/{template['id']}"
    golden.add("created", created)
    golden.add("a page", await api.get("/templates"))
    golden.add("what does not compile", await api.put(path, json={"html": "{{ name"}))
    golden.add("deleted", await api.delete(path))
    golden.add("an empty page", await api.get("/templates"))
    golden.check()


async def test_analytics(api: ApiWorld, golden: Golden) -> None:
    mail = await sent(api, api.first, 2, at=AT)
    await happened(api.database, mail, EventType.DELIVERED, AT, status="delivered")
    asked = {"date_from": AT // 1000 - 86_400, "date_to": AT // 1000}
    by_date = {"event[]": ["queued", "delivered", "opened"], "group_by": "weeks"}
    golden.add("by date", await api.get("/analytics/date", params=asked | by_date))
    golden.add("by country", await api.get("/analytics/country", params=asked))
    golden.add("a wrong question", await api.get("/analytics/date?date_from=5&date_to=5"))
    golden.check()


async def test_tokens(api: ApiWorld, golden: Golden) -> None:
    first, domain_id = api.first.token, api.first.domain.id
    for found, name in (
        (first.id, "id"), (first.preview, "preview"), (timestamp(first.created_at), "created_at"),
    ):  # fmt: skip
        golden.call(found, f"{{first token {name}}}")
    body = {"name": "Shop", "scopes": ["email_full", "domains_read"], "domain_id": domain_id}
    created = await api.post("/token", json=body | {"expires_at": "2099-01-31T09:00:00Z"})
    token = created.json()["data"]
    for name in ("id", "accessToken", "preview", "created_at"):
        golden.call(token[name], f"{{token {name}}}")
    path = f"/token/{token['id']}"
    golden.add("created", created)
    golden.add("one", await api.get(path))
    golden.add("paused", await api.put(f"{path}/settings", json={"status": "pause"}))
    golden.add("renamed", await api.put(path, json={"name": "Store"}))
    golden.add("a page", await api.get("/token"))
    few = await api.first.with_token(Scope.TOKENS_FULL)
    golden.add("more than one has", await few.post("/token", json=body))
    golden.add("deleted", await api.delete(path))
    golden.check()


async def test_sender_identities(api: ApiWorld, golden: Golden) -> None:
    body = {"domain_id": api.first.domain.id, "email": "ben@client.example", "name": "Ben"}
    reply_to = {"reply_to_email": "office@client.example", "reply_to_name": "Office"}
    created = await api.post("/identities", json=body | reply_to | {"personal_note": "As we said."})
    identity = created.json()["data"]
    for name in ("id", "created_at"):
        golden.call(identity[name], f"{{identity {name}}}")
    path = f"/identities/{identity['id']}"
    golden.add("created", created)
    golden.add("one by its address", await api.get("/identities/email/ben@client.example"))
    golden.add("a page", await api.get("/identities"))
    golden.add("an address that is taken", await api.post("/identities", json=body))
    golden.add("a mail provider's", await api.post("/identities", json=body | {"email": "ben@gmail.com"}))
    golden.add("deleted", await api.delete(path))
    golden.add("an empty page", await api.get("/identities"))
    golden.check()


async def test_smtp_users(api: ApiWorld, golden: Golden) -> None:
    path = f"/domains/{api.first.domain.id}/smtp-users"
    created = await api.post(path, json={"name": "App", "hourly_cap": 100})
    user = created.json()["data"]
    for name in ("id", "password", "created_at"):
        golden.call(user[name], f"{{user {name}}}")
    golden.call(user["username"].partition("@")[0], "{user name}")
    golden.add("created", created)
    golden.add("one", await api.get(f"{path}/{user['id']}"))
    golden.add("a page", await api.get(path))
    limits = {"allowed_addresses": ["192.0.2.7", "2001:db8::/32"], "expires_at": "2190-01-01"}
    changed = await api.put(f"{path}/{user['id']}", json=limits)
    golden.call(changed.json()["data"]["updated_at"], "{when it changed}")
    golden.add("changed", changed)
    reset = await api.post(f"{path}/{user['id']}/reset-password")
    golden.call(reset.json()["data"]["updated_at"], "{when it was reset}")
    golden.call(reset.json()["data"]["password"], "{new password}")
    golden.add("a new password", reset)
    golden.add("all that is wrong", await api.post(path, json={"daily_cap": -1, "stream": "x"}))
    golden.add("deleted", await api.delete(f"{path}/{user['id']}"))
    golden.add("no such user", await api.get(f"{path}/{user['id']}"))
    golden.add("an empty page", await api.get(path))
    golden.check()


async def test_webhooks(api: ApiWorld, golden: Golden) -> None:
    body = {
        "url": "https://hooks.example.com/",
        "name": "Orders",
        "events": ["activity.sent"],
        "domain_id": api.first.domain.id,
    }
    created = await api.post("/webhooks", json=body)
    webhook = created.json()["data"]
    for name in ("id", "secret", "created_at"):
        golden.call(webhook[name], f"{{webhook {name}}}")
    path, list_path = f"/webhooks/{webhook['id']}", f"/webhooks?domain_id={api.first.domain.id}"
    golden.add("created", created)
    golden.add("one", await api.get(path))
    golden.add("a page", await api.get(list_path))
    golden.add("a URL that is taken", await api.post("/webhooks", json=body))
    api.hooks.answers["https://gone.example.com/"] = Answer(404)
    golden.add("a URL that says no", await api.put(path, json={"url": "https://gone.example.com/"}))
    golden.add("a list of no domain", await api.get("/webhooks"))
    golden.add("deleted", await api.delete(path))
    golden.add("an empty page", await api.get(list_path))
    golden.check()


async def test_inbounds(sqlite_database: Database, tmp_path: Path) -> None:
    server = {"inbound_host": "inbound.example.net"}
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=FakeClock(), api=CONTRACT, server=server)
    golden = Golden(FILES / "inbounds.http", api.first)
    body = {
        "domain_id": api.first.domain.id,
        "name": "Support",
        "domain_enabled": True,
        "inbound_domain": f"inbound.{api.first.domain.name}",
        "inbound_priority": 5,
        "catch_filter": {"type": "catch_all"},
        "match_filter": {"type": "match_sender", "filters": [{"comparer": "contains", "value": "é"}]},
        "forwards": [
            {"type": "webhook", "value": "https://hooks.example.com/"},
            {"type": "email", "value": "a@x.test"},
        ],
    }
    created = await api.post("/inbound", json=body)
    inbound = created.json()["data"]
    golden.call(inbound["id"], "{inbound id}")
    golden.call(inbound["address"].partition("@")[0], "{mailbox}")
    for number, forward in enumerate(inbound["forwards"]):
        golden.call(forward["id"], f"{{forward {number}}}")
    golden.call(inbound["forwards"][0]["secret"], "{secret}")
    path = f"/inbound/{inbound['id']}"
    golden.add("created", created)
    golden.add("one", await api.get(path))
    golden.add("changed", await api.put(path, json={"domain_enabled": False}))
    golden.add("a page", await api.get("/inbound"))
    golden.add("several wrong fields", await api.post("/inbound", json={"domain_id": "5", "forwards": [{}]}))
    golden.add("deleted", await api.delete(path))
    golden.add("an empty page", await api.get("/inbound"))
    golden.check()
    await api.stop()


async def test_audit_log(api: ApiWorld, golden: Golden) -> None:
    template = await api.post("/templates", json={"name": "Order", "html": "<p>Hello</p>", "text": "Hello"})
    template_id = template.json()["data"]["id"]
    await api.put(f"/templates/{template_id}", json={"name": "Orders"})
    golden.call(template_id, "{template id}")
    golden.call(api.first.token.id, "{token id}")
    page = await api.get("/audit-log?action=template.updated")
    golden.call(page.json()["data"][0]["created_at"], "{now}")
    golden.add("a page", page)
    golden.add("an empty page", await api.get("/audit-log?action=template.deleted"))
    golden.add("a file", await api.get("/audit-log/export?action=template.updated&format=jsonl"))
    golden.add("wrong questions", await api.get("/audit-log?action=x&actor=x&object=x&date_from=x"))
    golden.check()


async def test_users(api: ApiWorld, golden: Golden) -> None:
    user = await people.make(api.database, api.first.account.id, email="admin@example.com")
    golden.call(user.id, "{user id}")
    invited = await api.post("/users", json={"email": "anna@example.com", "role": "Manager"})
    invite = invited.json()["data"]
    golden.call(invite["id"], "{invite id}")
    golden.call(invite["created_at"], "{now}")
    golden.add("invited", invited)
    golden.add("a page of invites", await api.get("/invites"))
    again = await api.post(f"/invites/{invite['id']}/resend")
    golden.call(again.json()["data"]["updated_at"], "{later}")
    golden.add("sent again", again)
    golden.add("cancelled", await api.delete(f"/invites/{invite['id']}"))
    golden.add("one", await api.get(f"/users/{user.id}"))
    golden.add("a page", await api.get("/users"))
    golden.add("a wrong role", await api.put(f"/users/{user.id}", json={"role": "Owner", "templates": []}))
    golden.add(
        "a Custom User without permissions", await api.put(f"/users/{user.id}", json={"role": "Custom User"})
    )
    golden.add("the last Admin", await api.delete(f"/users/{user.id}"))
    golden.add("unknown", await api.get(f"/users/{'a' * 16}"))
    golden.check()


async def test_domains(api: ApiWorld, golden: Golden) -> None:
    added = await api.post("/domains", json={"name": "new.example.com"})
    golden.call(added.json()["data"]["id"], "{new id}")
    path = f"/domains/{added.json()['data']['id']}"
    golden.add("added", added)
    golden.add("added again", await api.post("/domains", json={"name": "new.example.com"}))
    golden.add("a public suffix", await api.post("/domains", json={"name": "co.uk"}))
    golden.add("a page", await api.get("/domains?limit=10&verified=true"))
    golden.add("one", await api.get(f"/domains/{api.first.domain.id}"))
    settings = f"/domains/{api.first.domain.id}/settings"
    changed = await api.put(settings, json={"track_opens": True})
    golden.call(changed.json()["data"]["updated_at"], "{now}")
    golden.add("settings", changed)
    golden.add("its recipients", await api.get(f"{path}/recipients"))
    records = await api.get(f"{path}/dns-records")
    for key in ("dkim", "dkim_next"):
        golden.call(records.json()["data"][key]["value"].partition("p=")[2].replace("/", "\\/"), "{key}")
    golden.add("its records", records)
    golden.add("verified", await api.get(f"{path}/verify"))
    golden.add("the installation", await api.get("/installation/dns"))
    golden.add("deleted", await api.delete(path))
    golden.check()


async def test_api_quota(api: ApiWorld, golden: Golden) -> None:
    golden.add("the daily quota", await api.get("/api-quota"))
    golden.check()
