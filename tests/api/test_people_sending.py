"""People who send from the dashboard: with their permission, from their domains, as long as they belong to the account."""

from __future__ import annotations

from typing import Any

from postroom.store import bulk_emails, memberships, messages
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role
from support.api import ApiWorld
from support.email_api import body, kept
from support.sent import sent


def sender(*domains: str) -> Grant:
    chosen = frozenset({Permission.CONTROL_SENDINGS, Permission.READ_EMAIL})
    return Grant(Role.CUSTOM_USER, chosen, frozenset(domains) or None)


def credential(message: Any) -> tuple[str, str]:
    return message.credential_kind, message.credential_id


async def bulk(api: ApiWorld, person: Any) -> str:
    answer = await person.post("/v1/bulk-email", json=[body(api)])
    assert answer.status_code == 202, answer.text
    bulk_id: str = answer.json()["bulk_email_id"]
    return bulk_id


async def outcome(api: ApiWorld, bulk_id: str) -> dict[str, Any]:
    while await api.bulk.turn():
        pass
    data: dict[str, Any] = (await api.get(f"/bulk-email/{bulk_id}")).json()["data"]
    return data


async def test_a_person_sends_and_the_message_says_who(api: ApiWorld) -> None:
    person = await api.person(grant=sender())
    answer = await person.post("/v1/email", json=body(api))
    assert answer.status_code == 202
    assert credential((await kept(api, answer)).message) == ("user", person.user.id)
    bulk_id = await bulk(api, person)
    (message_id,) = (await outcome(api, bulk_id))["messages_id"]
    async with api.database.read() as connection:
        batch = await bulk_emails.get(connection, api.first.account.id, bulk_id)
        assert batch is not None
        assert (batch.user_id, batch.token_id) == (person.user.id, "")
        found = await messages.show(connection, message_id)
    assert found is not None
    assert credential(found.message) == ("user", person.user.id)


async def test_a_token_sends_and_the_message_says_which(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api))
    assert credential((await kept(api, answer)).message) == ("token", api.first.token.id)
    answer = await api.post("/bulk-email", json=[body(api)])
    async with api.database.read() as connection:
        batch = await bulk_emails.get(connection, api.first.account.id, answer.json()["bulk_email_id"])
    assert batch is not None
    assert (batch.user_id, batch.token_id) == ("", api.first.token.id)


async def test_only_from_their_domains(api: ApiWorld) -> None:
    elsewhere = await api.person(grant=sender("e" * 16))
    answer = await elsewhere.post("/v1/email", json=body(api))
    assert answer.status_code == 422
    assert answer.json()["errors"]["from.email"][0].endswith("#MS42207")
    assert (await outcome(api, await bulk(api, elsewhere)))["messages_id"] is None
    here = await api.person(grant=sender(api.first.domain.id, "e" * 16))
    assert (await here.post("/v1/email", json=body(api))).status_code == 202


async def test_and_they_see_those_only(api: ApiWorld) -> None:
    for domain_id in ("e" * 16, "f" * 16):
        await sent(api, api.first, domain_id=domain_id)
    mine = await sent(api, api.first)
    person = await api.person(grant=sender(api.first.domain.id, "e" * 16))
    assert len((await person.get("/v1/messages")).json()["data"]) == 2
    alone = await api.person(grant=sender(api.first.domain.id))
    assert [row["id"] for row in (await alone.get("/v1/messages")).json()["data"]] == [mine.messages[0].id]
    nothing = await api.person(grant=Grant(Role.CUSTOM_USER, sender().chosen, frozenset()))
    assert (await nothing.get("/v1/messages")).json()["data"] == []
    assert (await nothing.get(f"/v1/messages/{mine.messages[0].id}")).status_code == 404


async def test_whoever_left_before_a_bulk_email_is_worked_off_does_not_send(api: ApiWorld) -> None:
    person, designer = await api.person(grant=sender()), await api.person(grant=sender())
    left, changed = await bulk(api, person), await bulk(api, designer)
    async with api.database.write() as connection:
        await memberships.remove(connection, api.first.account.id, person.user.id)
        new = Grant(Role.DESIGNER).columns()
        await memberships.change(connection, api.first.account.id, designer.user.id, **new)
    for bulk_id in (left, changed):
        found = await outcome(api, bulk_id)
        assert found["messages_id"] is None
        assert list(found["validation_errors"]) == ["message.0"]
