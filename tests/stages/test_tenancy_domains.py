from __future__ import annotations

import pytest

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox, SecretError
from postroom.store import dkim_keys
from postroom.store.database import Database
from postroom.tenancy import accounts, dns_check, domains, keys, verification
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.verification import Verifier
from postroom.types.actor import SYSTEM
from postroom.wire.dkim_keys import load_private_key, public_base64
from support.mail import rows

BOX = SecretBox(bytes(32))
BOUNCES = "bounce.postroom.test"


@pytest.fixture
async def account_id(sqlite_database: Database) -> str:
    return (await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)).id


async def test_a_domain_comes_with_two_sealed_keys(sqlite_database: Database, account_id: str) -> None:
    domain = await domains.add(
        sqlite_database, BOX, "Example.COM.", account_id=account_id, trusted=True, by=SYSTEM
    )
    assert (domain.name, domain.mode) == ("example.com", "live")
    assert await domains.find(sqlite_database, "EXAMPLE.com") == domain
    assert await domains.find(sqlite_database, domain.id) == domain
    stored = await rows(sqlite_database, "dkim_keys")
    assert sorted((row["selector"], row["active"]) for row in stored) == [("pr1", True), ("pr2", False)]
    assert all(b"PRIVATE KEY" not in row["private_key"] for row in stored)

    found = await keys.private_key(sqlite_database, BOX, "example.com")
    assert found is not None
    selector, pem = found
    assert selector == "pr1"
    public = next(row["public_key"] for row in stored if row["active"])
    assert public_base64(load_private_key(pem, trusted=False)) == public
    assert await keys.private_key(sqlite_database, BOX, "sub.example.com") is None


async def test_x01_a_key_opens_only_with_its_key_file_and_in_its_place(
    sqlite_database: Database, account_id: str
) -> None:
    await domains.add(sqlite_database, BOX, "example.com", account_id=account_id, trusted=True, by=SYSTEM)
    with pytest.raises(SecretError, match="another key"):
        await keys.private_key(sqlite_database, SecretBox(bytes([1] * 32)), "example.com")
    [first, second] = await rows(sqlite_database, "domains") + [
        {
            "id": (
                await domains.add(
                    sqlite_database, BOX, "example.net", account_id=account_id, trusted=True, by=SYSTEM
                )
            ).id
        }
    ]
    async with sqlite_database.write() as connection:
        moved = (await dkim_keys.of_domain(connection, first["id"]))[0].private_key
        table = dkim_keys.dkim_keys
        await connection.execute(
            table.update().where(table.c.domain_id == second["id"]).values(private_key=moved)
        )
    with pytest.raises(SecretError, match="belongs elsewhere"):
        await keys.private_key(sqlite_database, BOX, "example.net")


@pytest.mark.parametrize(
    ("options", "verified"), [({"trusted": True}, True), ({"mode": "sandbox"}, True), ({}, False)]
)
async def test_trusted_and_sandbox_domains_are_verified_at_once(
    sqlite_database: Database, account_id: str, options: dict[str, object], verified: bool
) -> None:
    domain = await domains.add(
        sqlite_database, BOX, "example.com", account_id=account_id, **options, by=SYSTEM
    )  # type: ignore[arg-type]
    assert (domain.verified_at is not None) is verified


async def test_names_are_kept_as_a_labels(sqlite_database: Database, account_id: str) -> None:
    domain = await domains.add(sqlite_database, BOX, "münchen.example", account_id=account_id, by=SYSTEM)
    assert domain.name == "xn--mnchen-3ya.example"
    assert (await domains.find(sqlite_database, "MÜNCHEN.example")).id == domain.id
    assert [found.name for found in await domains.list_all(sqlite_database, account_id=account_id)] == [
        domain.name
    ]
    assert await domains.list_all(sqlite_database, account_id="x" * 16) == []


@pytest.mark.parametrize(
    "name",
    ["", "localhost", "exa mple.com", "-a.com", "192.0.2.1", "a..com", "*.com", "x" * 64 + ".com", "a@b.com"],
)
async def test_what_is_no_domain(sqlite_database: Database, account_id: str, name: str) -> None:
    with pytest.raises(PostroomError):
        await domains.add(sqlite_database, BOX, name, account_id=account_id, by=SYSTEM)
    assert await rows(sqlite_database, "domains") == []


async def test_a_sandbox_may_have_one_label(sqlite_database: Database, account_id: str) -> None:
    domain = await domains.add(
        sqlite_database, BOX, "localhost", account_id=account_id, mode="sandbox", by=SYSTEM
    )
    assert domain.name == "localhost"


async def test_a_domain_belongs_to_one_account(sqlite_database: Database, account_id: str) -> None:
    await domains.add(sqlite_database, BOX, "example.com", account_id=account_id, trusted=True, by=SYSTEM)
    other = await accounts.add(sqlite_database, "Other", by=SYSTEM)
    for name, owner, error in (
        ("example.com", other.id, ConflictError),
        ("example.net", "nobody", NotFoundError),
    ):
        with pytest.raises(error):
            await domains.add(sqlite_database, BOX, name, account_id=owner, by=SYSTEM)
    with pytest.raises(PostroomError, match="mode"):
        await domains.add(sqlite_database, BOX, "example.net", account_id=account_id, mode="test", by=SYSTEM)
    with pytest.raises(NotFoundError):
        await domains.show(sqlite_database, "example.net")
    assert len(await rows(sqlite_database, "dkim_keys")) == 2


async def test_show_names_the_records_to_publish(sqlite_database: Database, account_id: str) -> None:
    await domains.add(sqlite_database, BOX, "example.com", account_id=account_id, by=SYSTEM)
    with_host = await domains.show(sqlite_database, "example.com", Hosts(bounce=BOUNCES))
    assert [(record.name, record.type, record.required) for record in with_host.records] == [
        ("pr1._domainkey.example.com", "TXT", True),
        ("pr2._domainkey.example.com", "TXT", False),
        ("mta.example.com", "CNAME", False),
        ("_dmarc.example.com", "TXT", False),
    ]
    assert with_host.records[0].value.startswith("v=DKIM1; k=rsa; p=MII")
    without = await domains.show(sqlite_database, "example.com")
    assert "CNAME" not in {record.type for record in without.records}


class Zone:
    """A domain and what its DNS says."""

    def __init__(self, database: Database, records: dict[str, str]) -> None:
        self.database = database
        self.wanted = records
        self.zones: dict[str, dict[str, list[str]] | str] = {}

    async def check(self, *, bounce_host: str = BOUNCES) -> dict[str, dns_check.Finding]:
        tools = Verifier(self.database, FakeResolver(self.zones), Hosts(bounce=bounce_host), 72 * 3600)
        domain = await domains.find(self.database, "example.com")
        checked = await verification.check(tools, domain.id, by=SYSTEM)
        return {finding.record.split(".")[0]: finding for finding in checked.looked.sending}

    async def state(self) -> tuple[bool, bool]:
        domain = await domains.find(self.database, "example.com")
        return domain.verified_at is not None, domain.return_path_verified_at is not None


@pytest.fixture
async def zone(sqlite_database: Database, account_id: str) -> Zone:
    await domains.add(sqlite_database, BOX, "example.com", account_id=account_id, by=SYSTEM)
    details = await domains.show(sqlite_database, "example.com", Hosts(bounce=BOUNCES))
    return Zone(sqlite_database, {record.name: record.value for record in details.records})


def _quoted(text: str, *, pieces: int = 200) -> str:
    return " ".join(f'"{text[at : at + pieces]}"' for at in range(0, len(text), pieces))


async def test_nothing_published(zone: Zone) -> None:
    findings = await zone.check()
    assert not any(finding.ok for finding in findings.values())
    assert all(finding.mend for finding in findings.values())
    assert await zone.state() == (False, False)
    [stored] = await rows(zone.database, "domains")
    assert stored["checked_at"] is not None
    assert "pr1._domainkey" in stored["check_result"]


async def test_everything_published(zone: Zone) -> None:
    name = "pr1._domainkey.example.com"
    zone.zones = {
        name: {"TXT": [_quoted(zone.wanted[name])]},
        "pr2._domainkey.example.com": {"TXT": [_quoted(zone.wanted["pr2._domainkey.example.com"])]},
        "mta.example.com": {"CNAME": [f"{BOUNCES}."]},
        "_dmarc.example.com": {"TXT": ['"v=DMARC1; p=none"']},
    }
    findings = await zone.check()
    assert all(finding.ok and not finding.mend for finding in findings.values())
    assert await zone.state() == (True, True)


async def test_the_key_counts_and_not_how_the_record_is_written(zone: Zone) -> None:
    key = zone.wanted["pr1._domainkey.example.com"].partition("p=")[2]
    zone.zones["pr1._domainkey.example.com"] = {
        "TXT": [f'"v=DKIM1;k=rsa; t=s ;  p={key[:90]} " "{key[90:250]}" "{key[250:]};"']
    }
    assert (await zone.check())["pr1"].ok
    assert await zone.state() == (True, False)


async def test_another_key_does_not_verify(zone: Zone) -> None:
    prepared = zone.wanted["pr2._domainkey.example.com"]
    zone.zones["pr1._domainkey.example.com"] = {"TXT": [_quoted(prepared)]}
    zone.zones["pr2._domainkey.example.com"] = {"TXT": [_quoted(prepared)]}
    findings = await zone.check()
    assert "holds the value of pr2" in findings["pr1"].mend
    assert findings["pr2"].ok
    assert await zone.state() == (False, False)


async def test_a_verified_domain_stays_so_and_its_return_path_does_not(zone: Zone) -> None:
    await test_everything_published(zone)
    zone.zones = {}
    assert not (await zone.check())["pr1"].ok
    assert await zone.state() == (True, False)


async def test_when_the_dns_does_not_answer_nothing_changes(zone: Zone) -> None:
    await test_everything_published(zone)
    zone.zones = dict.fromkeys(zone.zones, "SERVFAIL")
    findings = await zone.check()
    assert all(finding.unknown and "again" in finding.mend for finding in findings.values())
    assert await zone.state() == (True, True)


@pytest.mark.parametrize(
    ("records", "ok"),
    [
        ({"MX": [f"10 {BOUNCES}."], "TXT": ['"v=spf1 ip4:192.0.2.1 -all"']}, True),
        ({"MX": [f"10 {BOUNCES}."]}, False),
        ({"MX": ["10 mx.example.net."], "TXT": ['"v=spf1 -all"']}, False),
        ({"CNAME": ["elsewhere.example.net."]}, False),
    ],
)
async def test_a_return_path_with_records_of_its_own(
    zone: Zone, records: dict[str, list[str]], ok: bool
) -> None:
    zone.zones["mta.example.com"] = records
    assert (await zone.check())["mta"].ok is ok
    assert (await zone.state())[1] is ok


async def test_without_a_bounce_host_no_return_path_is_verified(zone: Zone) -> None:
    zone.zones["mta.example.com"] = {"CNAME": [f"{BOUNCES}."]}
    finding = (await zone.check(bounce_host=""))["mta"]
    assert not finding.ok
    assert "server.bounce_host" in finding.mend


async def test_two_dmarc_records_are_none(zone: Zone) -> None:
    zone.zones["_dmarc.example.com"] = {"TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"', '"something"']}
    finding = (await zone.check())["_dmarc"]
    assert not finding.ok
    assert "more than one" in finding.mend
