"""What an account may do over the API before it is approved: try things out, as long as nobody else hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from support.api import ApiWorld, Tenant
from support.email_api import body, kept


@pytest.fixture
async def tenant(api: ApiWorld) -> Tenant:
    return await api.tenant(approved=False)


def people(number: int) -> list[dict[str, str]]:
    return [{"email": f"user{each}@x.test"} for each in range(number)]


async def live(api: ApiWorld, tenant: Tenant, name: str) -> str:
    made = await domains.add(
        api.database, api.box, name, account_id=tenant.account.id, trusted=True, by=SYSTEM
    )
    await api.changed()
    return made.name


async def test_it_sends_from_its_sandbox(api: ApiWorld, tenant: Tenant) -> None:
    answer = await tenant.post("/email", json=body(tenant))
    assert answer.status_code == 202
    assert (await kept(api, answer)).message.domain_id == tenant.domain.id


@pytest.mark.parametrize(
    ("to", "cc", "bcc", "wrong"),
    [
        (10, 1, 1, {}),
        (11, 1, 1, {"to": "The to recipients limit of 10 was exceeded. #MS42205"}),
        (1, 2, 0, {"cc": "The cc recipients limit of 1 was exceeded. #MS42205"}),
        (1, 0, 2, {"bcc": "The bcc recipients limit of 1 was exceeded. #MS42205"}),
    ],
)
async def test_to_few_at_once(tenant: Tenant, to: int, cc: int, bcc: int, wrong: dict[str, Any]) -> None:
    people_of = {"to": people(to), "cc": people(cc), "bcc": people(bcc)}
    answer = await tenant.post("/email", json=body(tenant, **people_of))
    assert answer.status_code == (422 if wrong else 202)
    if wrong:
        assert answer.json()["errors"] == {field: [text] for field, text in wrong.items()}


@pytest.mark.parametrize(
    ("recipients", "status"),
    [
        (["anna@own.example"], 202),
        (["anna@mail.own.example", "bob@own.example"], 202),
        (["anna@own.example", "bob@x.test"], 403),
        (["anna@notown.example"], 403),
        (["anna@{sandbox}"], 403),
    ],
)
async def test_h16_real_mail_goes_to_its_own_proved_domains_only(
    api: ApiWorld, tenant: Tenant, recipients: list[str], status: int
) -> None:
    """That of a sandbox is proved by nobody."""
    sender = {"email": f"anna@{await live(api, tenant, 'own.example')}"}
    to = [{"email": address.format(sandbox=tenant.domain.name)} for address in recipients]
    answer = await tenant.post("/email", json=body(tenant, to=to, **{"from": sender}))
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"].endswith("is not approved for sending yet. #MS40303")


async def test_not_in_bulk(tenant: Tenant) -> None:
    answer = await tenant.post("/bulk-email", json=[body(tenant)])
    assert answer.status_code == 403
    assert answer.json()["message"].endswith("#MS40303")
