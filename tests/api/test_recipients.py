"""Whom the account has written to: gathered behind accept, listed by address, deleted until they are written to again."""

from __future__ import annotations

from postroom.events.recipients import Gathering
from postroom.runtime.clock import Clock
from postroom.store import audit
from postroom.store.batches.rows import Inserts
from postroom.store.recipients import NEWEST, recipient_id
from postroom.tenancy.grants import Grant
from postroom.types.events import EventType
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from support.api import ApiWorld, Tenant
from support.sent import AGO, ago, happened, second_domain, sent, times


async def gathered(api: ApiWorld) -> None:
    await Gathering(api.database, api.clock).run_once()


def id_of(tenant: Tenant, mail: Inserts, number: int = 0) -> str:
    return recipient_id(tenant.account.id, mail.messages[0].domain_id, mail.emails[number].recipient)


async def emails_of(api: ApiWorld, path: str = "/recipients") -> list[str]:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return [row["email"] for row in answer.json()["data"]]


async def test_recipients_are_listed_by_their_addresses(api: ApiWorld) -> None:
    at = ago(api)
    mail = await sent(api, api.first, 2, at=at)
    assert await emails_of(api) == []
    await gathered(api)
    rows = (await api.get("/recipients")).json()
    assert rows["links"]["last"] is None
    assert rows["data"] == [
        {"id": id_of(api.first, mail, number), "email": mail.emails[number].recipient, **times(at), "deleted_at": ""}
        for number in sorted(range(2), key=lambda number: mail.emails[number].recipient)
    ]  # fmt: skip


async def test_once_for_each_domain(api: ApiWorld) -> None:
    second = await second_domain(api, api.first)
    await sent(api, api.first)
    mail = await sent(api, api.first, domain_id=second.id)
    await gathered(api)
    [address] = {*await emails_of(api)}
    assert await emails_of(api) == [address, address]
    rows = (await api.get(f"/recipients?domain_id={second.id}")).json()["data"]
    assert [row["id"] for row in rows] == [id_of(api.first, mail)]
    client = await api.first.with_token(domain=second.id)
    assert (await client.get("/recipients")).json()["data"] == rows
    assert (await client.get(f"/recipients?domain_id={api.first.domain.id}")).status_code == 422


async def test_a_recipient_with_their_newest_emails(api: ApiWorld) -> None:
    mails = [await sent(api, api.first, at=ago(api, AGO + 1000 - n)) for n in range(NEWEST + 2)]
    await happened(api.database, mails[-1], EventType.DELIVERED, ago(api, 100), status="delivered")
    await gathered(api)
    answer = await api.get(f"/recipients/{id_of(api.first, mails[0])}")
    shown = answer.json()["data"]
    assert [email["id"] for email in shown["emails"]] == [mail.emails[0].id for mail in mails[:1:-1]]
    assert shown["emails"][0]["status"] == "delivered"
    assert set(shown["domain"]) == {"id", "name", "created_at", "updated_at"}
    assert shown["domain"]["id"] == api.first.domain.id
    assert shown["created_at"] < shown["updated_at"]


async def test_who_is_deleted_comes_back_with_new_mail_only(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    await gathered(api)
    path = f"/recipients/{id_of(api.first, mail)}"
    answer = await api.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get(path)).status_code == (await api.delete(path)).status_code == 404
    await gathered(api)
    assert await emails_of(api) == []
    activity = (await api.get(f"/email/{mail.emails[0].id}")).json()["data"]
    assert activity["recipient"]["email"] == mail.emails[0].recipient
    async with api.database.read() as connection:
        [entry] = await audit.page(connection, api.first.account.id, action="recipient.", limit=10)
    assert (entry.action, entry.object_name) == ("recipient.deleted", mail.emails[0].recipient)
    new = await sent(api, api.first, at=Clock().now_ms())
    api.clock = _Later()
    await gathered(api)
    shown = (await api.get(path)).json()["data"]
    assert [email["id"] for email in shown["emails"]] == [new.emails[0].id]


class _Later(Clock):
    def now_ms(self) -> int:
        return super().now_ms() + AGO


async def test_an_unsubscribe_outlives_the_recipient(api: ApiWorld) -> None:
    body = {"domain_id": api.first.domain.id, "recipients": ["a@y.test"]}
    [row] = (await api.post("/suppressions/unsubscribes", json=body)).json()["data"]
    assert (await api.delete(f"/recipients/{row['recipient']['id']}")).status_code == 204
    [kept] = (await api.get("/suppressions/unsubscribes")).json()["data"]
    assert kept["recipient"]["deleted_at"]


async def test_h01_recipients_of_another_account(api: ApiWorld) -> None:
    other = await api.tenant()
    mail = await sent(api, api.first)
    await gathered(api)
    path = f"/recipients/{id_of(api.first, mail)}"
    assert (await other.get("/recipients")).json()["data"] == []
    assert (await other.get(path)).status_code == (await other.delete(path)).status_code == 404
    assert (await other.get(f"/recipients?domain_id={api.first.domain.id}")).status_code == 422
    assert (await api.get(path)).status_code == 200


async def test_who_may(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    await gathered(api)
    path = f"/recipients/{id_of(api.first, mail)}"
    reader = await api.first.with_token(Scope.RECIPIENTS_READ)
    looks = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_RECIPIENT})))
    assert (await reader.get(path)).status_code == (await looks.get(f"/v1{path}")).status_code == 200
    assert (await reader.delete(path)).status_code == (await looks.delete(f"/v1{path}")).status_code == 403
