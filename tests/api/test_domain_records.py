"""What to publish for a domain, and looking at it: good zones, broken ones, and none at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from postroom.store.database import Database
from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from postroom.types.notices import DomainRestored
from support.api import ApiWorld
from support.people import make

HOSTS = {
    "bounce_host": "bounce.pr.example",
    "tracking_host": "go.pr.example",
    "inbound_host": "in.pr.example",
}
NAME = "shop.example.com"


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """An installation with hosts of all kinds."""
    world = await ApiWorld.start(sqlite_database, tmp_path, server=HOSTS)
    yield world
    await world.stop()


async def added(api: ApiWorld, **fields: Any) -> str:
    answer = await api.post("/domains", json={"name": NAME} | fields)
    return str(answer.json()["data"]["id"])


async def records(api: ApiWorld, domain_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await api.get(f"/domains/{domain_id}/dns-records")).json()["data"]
    return shown


async def verify(api: ApiWorld, domain_id: str) -> dict[str, Any]:
    answer = await api.get(f"/domains/{domain_id}/verify")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


def publish(api: ApiWorld, shown: dict[str, Any]) -> None:
    """Everything that is asked for."""
    for record in shown.values():
        if isinstance(record, dict):
            value = f"{record['priority']} {record['value']}" if record["priority"] else record["value"]
            dot = "" if record["type"] == "TXT" else "."
            api.zones.zones[record["hostname"]] = {record["type"]: [value + dot]}


def found(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in said["data"]["records"]}


async def test_what_to_publish(api: ApiWorld) -> None:
    domain_id = await added(api)
    api.zones.zones[NAME] = {"TXT": ["v=spf1 ip4:192.0.2.1 -all", "something else"]}
    shown = await records(api, domain_id)
    assert (shown["id"], shown["zone"]) == (domain_id, "example.com")
    short = {
        name: (
            record["hostname"].removesuffix(f".{NAME}"),
            record["type"],
            record["value"],
            record["priority"],
        )
        for name, record in shown.items()
        if isinstance(record, dict) and not name.startswith("dkim")
    }
    assert short == {
        "spf": (NAME, "TXT", "v=spf1 ip4:192.0.2.1 include:bounce.pr.example -all", None),
        "return_path": ("mta", "CNAME", "bounce.pr.example", None),
        "custom_tracking": ("email", "CNAME", "go.pr.example", None),
        "inbound_routing": ("inbound", "MX", "in.pr.example", "10"),
        "dmarc": ("_dmarc", "TXT", "v=DMARC1; p=none", None),
    }
    assert [(one["type"], one["value"]) for one in shown["return_path_alternative"]] == [
        ("MX", "bounce.pr.example"),
        ("TXT", "v=spf1 include:bounce.pr.example -all"),
    ]
    assert shown["dkim"]["hostname"] == f"pr1._domainkey.{NAME}"
    assert shown["dkim_next"]["hostname"] == f"pr2._domainkey.{NAME}"
    required = [name for name, one in shown.items() if isinstance(one, dict) and one["required"]]
    assert required == ["dkim"]


async def test_an_installation_without_hosts_asks_for_fewer(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path)
    shown = await records(api, await added(api))
    absent = {name for name, record in shown.items() if record in (None, [])}
    assert absent == {"spf", "return_path", "return_path_alternative", "custom_tracking", "inbound_routing"}
    await api.stop()


async def test_everything_published(api: ApiWorld) -> None:
    domain_id = await added(api)
    publish(api, await records(api, domain_id))
    said = await verify(api, domain_id)
    assert said["message"] == "The domain is verified."
    data = said["data"]
    assert {name: value for name, value in data.items() if isinstance(value, bool)} == {
        "dkim": True,
        "spf": True,
        "mx": True,
        "tracking": True,
        "cname": False,
        "rp_cname": True,
        "is_verified": True,
    }
    assert all(one["ok"] and not one["mend"] for one in data["records"])
    assert data["notes"] == []
    await api.put(f"/domains/{domain_id}/settings", json={"custom_tracking_enabled": True})
    assert (await verify(api, domain_id))["data"]["cname"] is True
    shown = (await api.get(f"/domains/{domain_id}")).json()["data"]
    names = (
        "dkim",
        "spf",
        "tracking",
        "is_verified",
        "is_cname_verified",
        "is_dns_active",
        "is_cname_active",
    )
    assert {name: shown[name] for name in names} == dict.fromkeys(names, True)
    await api.changed()
    email = {"from": {"email": f"a@{NAME}"}, "to": [{"email": "b@x.test"}], "subject": "s", "text": "t"}
    assert (await api.post("/email", json=email)).status_code == 202


async def test_nothing_published(api: ApiWorld) -> None:
    domain_id = await added(api)
    said = await verify(api, domain_id)
    assert said["message"] == "The domain is not verified: its DKIM record was not found."
    assert not any(value for value in said["data"].values() if isinstance(value, bool))
    evidence = found(said)
    assert evidence["dkim"] == {
        "key": "dkim",
        "record": f"pr1._domainkey.{NAME} TXT",
        "wanted": (await records(api, domain_id))["dkim"]["value"],
        "found": "",
        "ok": False,
        "required": True,
        "unknown": False,
        "mend": f"Publish the TXT record pr1._domainkey.{NAME} with exactly this value.",
    }
    assert evidence["spf"]["ok"]  # nothing is wanted there


async def test_a_dns_that_does_not_answer(api: ApiWorld) -> None:
    domain_id = await added(api)
    api.zones.zones[f"pr1._domainkey.{NAME}"] = "SERVFAIL"
    said = await verify(api, domain_id)
    assert said["message"] == "The domain is not verified: the DNS did not answer."
    assert found(said)["dkim"]["unknown"] is True


async def test_broken_records_say_how_to_mend_them(api: ApiWorld) -> None:
    domain_id = await added(api)
    api.zones.zones |= {
        f"pr1._domainkey.{NAME}": {"TXT": ["v=DKIM1; p=AAAA"]},
        f"mta.{NAME}": {"CNAME": ["elsewhere.example."]},
        f"email.{NAME}": {"CNAME": ["elsewhere.example."]},
        f"inbound.{NAME}": {"MX": ["10 mx.elsewhere.example."]},
        NAME: {"TXT": ["v=spf1 -all", "v=spf1 ~all"]},
        f"_dmarc.{NAME}": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]},
    }
    mends = {key: one["mend"] for key, one in found(await verify(api, domain_id)).items()}
    assert mends == {
        "dkim": f"The TXT record pr1._domainkey.{NAME} holds another key: replace its value (no second record).",
        "dkim_next": f"Publish the TXT record pr2._domainkey.{NAME} with exactly this value.",
        "return_path": f"The CNAME record mta.{NAME} leads elsewhere: let it point to bounce.pr.example.",
        "tracking": f"The CNAME record email.{NAME} leads elsewhere: let it point to go.pr.example.",
        "inbound": f"Publish the MX record inbound.{NAME} with the priority 10 and the host in.pr.example.",
        "spf": "There is more than one SPF record, so none counts: merge them.",
        "dmarc": "There is more than one DMARC record, so none counts (RFC 7489 section 6.6.3): keep one.",
    }


async def test_a_second_record_is_told_and_takes_nothing_away(api: ApiWorld) -> None:
    """The key is there, so the domain is verified; but receivers may take the other record."""
    domain_id = await added(api)
    publish(api, await records(api, domain_id))
    name = f"pr1._domainkey.{NAME}"
    [value] = api.zones.zones[name]["TXT"]  # type: ignore[index]
    api.zones.zones[name] = {"TXT": ["v=DKIM1; k=rsa; p=AAAA", value]}
    said = await verify(api, domain_id)
    assert said["message"] == "The domain is verified, but receivers cannot rely on its DKIM record."
    assert (said["data"]["dkim"], said["data"]["is_verified"]) == (False, True)
    assert "keep only the wanted one" in found(said)["dkim"]["mend"]


async def test_the_alternative_return_path(api: ApiWorld) -> None:
    domain_id = await added(api)
    mail, spf = (await records(api, domain_id))["return_path_alternative"]
    api.zones.zones[mail["hostname"]] = {
        "MX": [f"{mail['priority']} {mail['value']}."],
        "TXT": [spf["value"]],
    }
    assert (await verify(api, domain_id))["data"]["rp_cname"] is True


@pytest.mark.parametrize(
    ("policy", "notes"),
    [
        ("v=DMARC1; p=reject; adkim=s", ["adkim=s: signatures of"]),
        ("v=DMARC1; p=reject; aspf=s", ["aspf=s: the return path is never"]),
        ("v=DMARC1; p=quarantine; pct=10; ri=3600", ["RFC 9989 has removed pct, ri"]),
        ("v=DMARC1; t=y; p=reject", ["t=y: the policy is being tested"]),
        ("v=DMARC1", ["names no valid policy"]),
    ],
)
async def test_what_a_policy_means(policy: str, notes: list[str], api: ApiWorld) -> None:
    """It is found at the organisation, too."""
    domain_id = await added(api)
    publish(api, await records(api, domain_id))
    del api.zones.zones[f"_dmarc.{NAME}"]
    api.zones.zones["_dmarc.example.com"] = {"TXT": [policy]}
    said = (await verify(api, domain_id))["data"]["notes"]
    assert len(said) == len(notes)
    assert all(part in whole for part, whole in zip(notes, said, strict=True))


async def test_a_changed_host_is_verified_anew(api: ApiWorld) -> None:
    domain_id = await added(api)
    publish(api, await records(api, domain_id))
    await verify(api, domain_id)
    await api.put(f"/domains/{domain_id}/settings", json={"return_path_subdomain": "b"})
    assert (await api.get(f"/domains/{domain_id}")).json()["data"]["spf"] is False
    publish(api, await records(api, domain_id))
    assert (await verify(api, domain_id))["data"]["spf"] is True


async def test_a_restored_domain_is_told(api: ApiWorld) -> None:
    await make(api.database, api.first.account.id, email="admin@x.test")
    domain_id = await added(api)
    publish(api, await records(api, domain_id))
    await verify(api, domain_id)
    zones = dict(api.zones.zones)
    api.zones.zones.clear()
    said = await verify(api, domain_id)
    assert said["message"] == "The domain is verified, but its DKIM record was not found."
    shown = (await api.get(f"/domains/{domain_id}")).json()["data"]
    assert (shown["dkim"], shown["is_verified"], shown["is_dns_active"]) == (False, True, False)
    assert shown["failing_since"] < shown["pauses_at"]
    api.zones.zones |= zones
    await verify(api, domain_id)
    assert api.mail.notices[-1] == DomainRestored("admin@x.test", api.first.account.name, NAME)
    assert (await api.get(f"/domains/{domain_id}")).json()["data"]["failing_since"] is None


async def test_a_sandbox_needs_no_records(api: ApiWorld) -> None:
    said = await verify(api, api.first.domain.id)
    assert (said["message"], said["data"]["is_verified"]) == ("The domain is verified.", True)
    assert (await domains.find(api.database, api.first.domain.id)).failing_since is None
    await domains.pause(api.database, api.first.domain.id, by=SYSTEM)
    await verify(api, api.first.domain.id)
    assert (await domains.find(api.database, api.first.domain.id)).send_paused


# -- the installation itself ----------------------------------------------------------------------------------------

HOST = "mail.example.com"


async def test_the_dns_of_the_installation(api: ApiWorld) -> None:
    api.zones.zones |= {
        HOST: {"A": ["192.0.2.25"]},
        "25.2.0.192.in-addr.arpa": {"PTR": [f"{HOST}."]},
        "bounce.pr.example": {"MX": [f"10 {HOST}."], "TXT": [f"v=spf1 a:{HOST} -all"]},
        "go.pr.example": {"A": ["192.0.2.80"]},
        "in.pr.example": {"A": ["192.0.2.25"]},
    }
    said = (await api.get("/installation/dns")).json()["data"]
    assert said["hostname"] == HOST
    assert {one["key"]: one["ok"] for one in said["records"]} == dict.fromkeys(
        ("hostname", "bounce_mx", "bounce_spf", "inbound", "tracking"), True
    )
    api.zones.zones |= {
        "25.2.0.192.in-addr.arpa": {"PTR": ["host25.provider.example."]},
        "bounce.pr.example": {"MX": ["10 elsewhere.example."], "TXT": ["v=spf1 -all", "v=spf1 ~all"]},
        "go.pr.example": "SERVFAIL",
    }
    del api.zones.zones["in.pr.example"]
    broken = {
        one["key"]: one
        for one in (await api.get("/installation/dns")).json()["data"]["records"]
        if not one["ok"]
    }
    assert set(broken) == {"hostname", "bounce_mx", "bounce_spf", "inbound", "tracking"}
    assert broken["hostname"]["found"] == "192.0.2.25 (host25.provider.example)"
    assert all(one["mend"] for one in broken.values())
    assert [one["key"] for one in broken.values() if one["unknown"]] == ["tracking"]
