"""Looking at a domain's records over the network: a DNS server of our own with good zones, and broken ones of all kinds.

What is broken has to say how it is mended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from postroom.config import Dns
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.runtime.secrets import SecretBox
from postroom.store import dkim_keys
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import accounts, dns_check, domains, keys, verification
from postroom.tenancy.dns_check import UNANSWERED, Finding, Looked
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.verification import Verifier
from postroom.types.actor import SYSTEM
from support.dns import DnsServer

NAME, ZONE = "shop.example.com", "example.com"
DKIM, NEXT = f"pr1._domainkey.{NAME}", f"pr2._domainkey.{NAME}"
PATH, LINKS, INBOUND = f"mta.{NAME}", f"email.{NAME}", f"inbound.{NAME}"
HOSTS = Hosts("bounce.pr.example", "go.pr.example", "in.pr.example")
Zone = Mapping[str, Any]


@dataclass(frozen=True)
class Scene:
    database: Database
    domain: Domain
    server: DnsServer
    resolver: Resolver
    key: str
    following: str
    good: dict[str, Any]
    """A zone with everything."""

    def publish(self, changes: Zone) -> None:
        """The good zone, but for these names; None: the name is not there."""
        zone = self.good | dict(changes)
        self.server.zones = {name: records for name, records in zone.items() if records is not None}

    async def look(self) -> Looked:
        return await dns_check.look(self.database, self.resolver, self.domain, HOSTS, fresh=True)

    async def finding(self, key: str) -> Finding:
        found = (await self.look()).of(key)
        assert found is not None
        return found

    async def broken(self, key: str) -> Finding:
        """The only one that is."""
        findings = (await self.look()).findings
        assert {one.key for one in findings if not one.ok} == {key}
        return next(one for one in findings if one.key == key)


@pytest.fixture
async def scene(sqlite_database: Database) -> AsyncIterator[Scene]:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    domain = await domains.add(sqlite_database, SecretBox(bytes(32)), NAME, account_id=account.id, by=SYSTEM)
    async with sqlite_database.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    values = {keys.record_name(key, NAME): keys.record_value(key) for key in pair}
    good: dict[str, Any] = {name: {"TXT": [value]} for name, value in values.items()}
    good |= {
        PATH: {"CNAME": ["bounce.pr.example."]},
        LINKS: {"CNAME": ["go.pr.example."]},
        INBOUND: {"MX": ["10 in.pr.example."]},
        f"_dmarc.{ZONE}": {"TXT": ["v=DMARC1; p=none"]},
        "bounce.pr.example": {"MX": ["10 mail.pr.example."], "TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    }
    async with DnsServer(good) as server:
        resolver = Resolver(Dns(servers=[server.address], timeout=10.0), Clock())
        yield Scene(sqlite_database, domain, server, resolver, values[DKIM], values[NEXT], good)
        await resolver.close()


def strings(value: str, *, size: int = 200) -> str:
    """One record of several strings."""
    return " ".join(f'"{value[at : at + size]}"' for at in range(0, len(value), size))


# -- good ones -------------------------------------------------------------------------------------------------------


async def test_everything_is_there(scene: Scene) -> None:
    looked = await scene.look()
    assert all(one.ok and not one.mend for one in looked.findings)
    assert (looked.proved, looked.notes) == (True, [])


async def test_a_record_may_be_written_in_many_ways(scene: Scene) -> None:
    """Strings are joined, white space does not count, an alias into a zone of ours is followed, nor does letter case of
    names matter."""
    bare = scene.key.partition("p=")[2]
    for written in (
        strings(scene.key, size=60),
        f'"v=DKIM1;k=rsa;p={bare[:150]}  " "\\009{bare[150:]}"',
        f'"p={bare[:200]}" "{bare[200:]}"',
        f'"v = DKIM1 ; h=sha1:sha256; s=email; t=s; n=ours; p={bare[:150]}" "{bare[150:]};"',
    ):
        scene.publish({DKIM: {"TXT": [written]}})
        assert (await scene.look()).ok("dkim"), written
    scene.publish(
        {
            DKIM: {"CNAME": ["Pr1.Keys.PR.example."]},
            "pr1.keys.pr.example": {"TXT": [scene.key]},
            PATH: {"CNAME": ["Bounce.PR.Example."]},
            f"_dmarc.{ZONE}": {"TXT": ["v = DMARC1 ;  P=Reject"]},
            INBOUND: {"MX": ["10 IN.pr.EXAMPLE.", "20 other.example."]},
        }
    )
    assert not [one for one in (await scene.look()).findings if not one.ok]


async def test_a_return_path_with_records_of_its_own(scene: Scene) -> None:
    own = {"MX": ["10 bounce.pr.example."], "TXT": ["v=spf1 include:bounce.pr.example -all", "other=1"]}
    scene.publish({PATH: own})
    assert (await scene.look()).ok("return_path")
    scene.publish({PATH: {"CNAME": [f"back.{ZONE}."]}, f"back.{ZONE}": own})
    assert (await scene.look()).ok("return_path")


# -- broken ones: DKIM -----------------------------------------------------------------------------------------------


async def test_no_record(scene: Scene) -> None:
    for missing in (None, {}, {"A": ["192.0.2.1"]}):
        scene.publish({DKIM: missing})
        one = await scene.broken("dkim")
        assert (one.found, one.wanted) == ("", scene.key)
        assert one.mend == f"Publish the TXT record {DKIM} with exactly this value."


async def test_the_wrong_value(scene: Scene) -> None:
    value, bare = scene.key, scene.key.partition("p=")[2]
    for texts, mend in (
        (
            ["v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEB"],
            "holds another key: replace its value (no second record)",
        ),
        (["google-site-verification=x"], "holds no DKIM key: replace its value (no second record)"),
        (["v=DKIM1; k=rsa; p="], "is empty, which means that it was revoked"),
        ([value[:255]], f"is cut off: enter all of its {len(value)} characters"),
        ([value.lower()], "has lost its capital letters: enter it exactly as it is"),
        ([f'v=DKIM1; k=rsa; p="{bare}"'], "quotation marks"),
        ([value[:250], value[250:]], "is spread over 2 TXT records"),
        ([value[250:], value[:250]], "make it one record"),
        ([scene.following], "holds the value of pr2: enter its own"),
        ([f"v=DKIM1; k=rsa; P={bare}"], "holds no DKIM key"),
    ):
        scene.publish({DKIM: {"TXT": texts}})
        looked = await scene.look()
        one = looked.of("dkim")
        assert one is not None
        assert mend in one.mend, texts
        assert (one.ok, looked.proved) == (False, False)
        assert one.found


async def test_two_records(scene: Scene) -> None:
    """It is proved, but receivers take either."""
    for second in ("v=DKIM1; k=rsa; p=AAAA", "google-site-verification=x"):
        scene.publish({DKIM: {"TXT": [second, scene.key]}})
        one = await scene.broken("dkim")
        assert (one.proves, (await scene.look()).proved) == (True, True)
        assert "There are 2 TXT records" in one.mend
        assert "keep only the wanted one" in one.mend


async def test_a_record_that_receivers_pass_over(scene: Scene) -> None:
    bare = scene.key.partition("p=")[2]
    for record, fault in (
        (f"v=dkim1; k=rsa; p={bare}", "must begin with v=DKIM1, in capital letters"),
        (f"k=rsa; v=DKIM1; p={bare}", "must begin with v=DKIM1"),
        (f"v=DKIM1; k=ed25519; p={bare}", "k= must be rsa"),
        (f"v=DKIM1; h=sha1; p={bare}", "h= leaves out sha256"),
        (f"v=DKIM1; s=tlsrpt; p={bare}", "s= leaves out email"),
        (f"v=DKIM1; k=rsa; k=rsa; p={bare}", "a tag stands there twice"),
    ):
        scene.publish({DKIM: {"TXT": [record]}})
        one = await scene.broken("dkim")
        assert one.proves
        assert one.mend.startswith(f"The key is right, but {'' if fault[0] != 'm' else 'the record '}{fault}")


async def test_an_alias_in_its_place(scene: Scene) -> None:
    for there in ({"TXT": ["v=DKIM1; p=AAAA"]}, None):
        scene.publish({DKIM: {"CNAME": ["mlsend2._domainkey.elsewhere.example."]}})
        if there:
            scene.server.zones["mlsend2._domainkey.elsewhere.example"] = there
        one = await scene.broken("dkim")
        assert one.found == "CNAME mlsend2._domainkey.elsewhere.example"
        assert "delete that CNAME record, then publish the TXT record" in one.mend


async def test_the_right_value_at_the_wrong_name(scene: Scene) -> None:
    value = {"TXT": [scene.key]}
    for name, mend in (
        (f"{DKIM}.{ZONE}", f"The DNS provider adds {ZONE} to names by itself."),
        (f"pr1.{NAME}", f"move it to {DKIM}."),
        (f"_domainkey.{NAME}", f"move it to {DKIM}."),
        (NAME, f"move it to {DKIM}."),
    ):
        scene.publish({DKIM: None, name: value})
        one = await scene.finding("dkim")
        assert (one.ok, one.proves) == (False, False)
        assert one.mend.startswith(f"The value stands at {name}, where no receiver looks: move it to {DKIM}.")
        assert one.mend.endswith(mend)
        assert one.found.startswith(f"at {name}: v=DKIM1")


async def test_the_wrong_selector(scene: Scene) -> None:
    """Both values are there, each where the other belongs; or the first one only, at the second's name."""
    scene.publish({DKIM: {"TXT": [scene.following]}, NEXT: {"TXT": [scene.key]}})
    looked = await scene.look()
    assert [one.mend for one in looked.findings if not one.ok] == [
        f"The TXT record {DKIM} holds the value of pr2: enter its own.",
        f"The TXT record {NEXT} holds the value of pr1: enter its own.",
    ]
    assert looked.proved is False


# -- broken ones: the others -----------------------------------------------------------------------------------------


async def test_a_broken_return_path(scene: Scene) -> None:
    ours = "10 bounce.pr.example."
    for records, mend in (
        (None, f"Publish the CNAME record {PATH} pointing to bounce.pr.example."),
        ({"CNAME": ["elsewhere.example."]}, f"The CNAME record {PATH} leads elsewhere: let it point to"),
        ({"MX": ["10 elsewhere.example."]}, f"Delete the other records at {PATH}, then publish the CNAME"),
        ({"TXT": ["v=spf1 -all"]}, "Delete the other records"),
        ({"MX": [ours]}, "needs a TXT record: v=spf1 include:bounce.pr.example -all."),
        ({"MX": [ours], "TXT": ["v=spf1 a -all", "v=spf1 ~all"]}, "There is more than one SPF record at"),
    ):
        scene.publish({PATH: records})
        assert mend in (await scene.broken("return_path")).mend, records
    scene.publish({PATH: {"CNAME": ["bounce.pr.example.example.com."]}})
    assert (await scene.broken("return_path")).found == "bounce.pr.example.example.com"


async def test_broken_hosts_for_links_and_inbound(scene: Scene) -> None:
    for name, key, records, mend in (
        (LINKS, "tracking", None, "Publish the CNAME record"),
        (LINKS, "tracking", {"A": ["192.0.2.1"]}, "Publish the CNAME record"),
        (LINKS, "tracking", {"CNAME": ["x.example."]}, "leads elsewhere: let it point to go.pr.example."),
        (INBOUND, "inbound", None, "Publish the MX record"),
        (INBOUND, "inbound", {"MX": ["10 mx.example."]}, "with the priority 10 and the host in.pr.example."),
    ):
        scene.publish({name: records})
        assert mend in (await scene.broken(key)).mend, records


async def test_two_spf_records_at_the_domain_itself(scene: Scene) -> None:
    """One is left alone, whatever it says, and so is none."""
    for texts, ok in (
        (["v=spf1 -all"], True),
        (["v=spf10 x"], True),
        (["v=spf1 -all", "V=SPF1 ~all"], False),
    ):
        scene.publish({NAME: {"TXT": texts}})
        assert (await scene.finding("spf")).ok is ok
    assert "more than one SPF record" in (await scene.broken("spf")).mend


async def test_broken_policies(scene: Scene) -> None:
    wanted = "Publish a DMARC record; large receivers want one from everybody who sends much."
    for texts, mend in (
        (None, wanted),
        (["v=dmarc1; p=none"], "begins with v=DMARC1, in capital letters"),
        (["p=none; v=DMARC1"], "begins with v=DMARC1"),
        (["v=DMARC11; p=none"], "begins with v=DMARC1"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "There is more than one DMARC record, so none counts"),
    ):
        scene.publish({f"_dmarc.{ZONE}": None if texts is None else {"TXT": texts}})
        one = await scene.broken("dmarc")
        assert mend in one.mend
        assert sorted(one.found.split(" | ")) == sorted(texts or [""])


async def test_the_nearest_policy_counts_and_alignment_is_told(scene: Scene) -> None:
    scene.publish({f"_dmarc.{NAME}": {"TXT": ["v=DMARC1; p=reject; ADKIM=S; aspf = s"]}})
    looked = await scene.look()
    assert not [one for one in looked.findings if not one.ok]
    assert [note.partition(":")[0] for note in looked.notes] == ["adkim=s", "aspf=s"]


@pytest.mark.parametrize(
    ("records", "warned"),
    [
        ({"MX": ["0 ."]}, True),
        ({"MX": ["10 mail.pr.example."]}, False),
        ({"MX": ["0 .", "10 mail.pr.example."]}, False),
        ({}, False),
        ("SERVFAIL", False),
    ],
)
async def test_d04_a_domain_that_takes_no_mail_is_warned_and_verified_all_the_same(
    scene: Scene, records: Zone | str, warned: bool
) -> None:
    scene.publish({NAME: records})  # type: ignore[dict-item]
    looked = await scene.look()
    assert looked.proved
    assert ["null MX" in note and "550 5.7.27" in note for note in looked.notes] == [True] * warned


# -- a DNS that does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "DROP"])
async def test_what_the_dns_does_not_say_is_unknown(scene: Scene, fault: str) -> None:
    """And nothing follows from it: a verified domain stays so, one that is not does not become so."""
    tools = Verifier(scene.database, scene.resolver, HOSTS, 0.0)
    hasty = Resolver(Dns(servers=[scene.server.address], timeout=0.2), Clock())
    broken = replace(tools, resolver=hasty)
    names = (DKIM, NEXT, PATH, LINKS, INBOUND, NAME, f"_dmarc.{NAME}")
    scene.publish(dict.fromkeys(names, fault))
    looked = await dns_check.look(scene.database, hasty, scene.domain, HOSTS, fresh=True)
    assert {one.mend for one in looked.findings} == {UNANSWERED}
    assert all(one.unknown and one.found for one in looked.findings)
    checked = await verification.check(broken, scene.domain.id, by=SYSTEM)
    assert (checked.looked.proved, checked.domain.verified_at) == (None, None)
    scene.publish({})
    verified = (await verification.check(tools, scene.domain.id, by=SYSTEM)).domain
    assert verified.verified_at is not None
    scene.publish(dict.fromkeys(names, fault))
    after = (await verification.check(broken, scene.domain.id, by=SYSTEM)).domain
    await hasty.close()
    assert (after.verified_at, after.failing_since, after.return_path_verified_at, after.send_paused) == (
        verified.verified_at,
        None,
        verified.return_path_verified_at,
        False,
    )


async def test_a_second_record_takes_nothing_from_a_verified_domain(scene: Scene) -> None:
    tools = Verifier(scene.database, scene.resolver, HOSTS, 0.0)
    await verification.check(tools, scene.domain.id, by=SYSTEM)
    scene.publish({DKIM: {"TXT": [scene.key, "v=DKIM1; p=AAAA"]}})
    after = (await verification.check(tools, scene.domain.id, by=SYSTEM)).domain
    assert (after.verified_at is not None, after.failing_since, after.send_paused) == (True, None, False)


async def test_an_answer_about_a_host_that_has_changed_meanwhile_is_dropped(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody names another return path while the records of the old one are looked at."""
    look = dns_check.look

    async def slowly(*arguments: Any, **options: Any) -> Looked:
        looked = await look(*arguments, **options)
        new = {"return_path_subdomain": "back", "custom_tracking_subdomain": "go"}
        await domains.change(scene.database, scene.domain.id, by=SYSTEM, **new)
        return looked

    monkeypatch.setattr(dns_check, "look", slowly)
    tools = Verifier(scene.database, scene.resolver, HOSTS, 0.0)
    after = (await verification.check(tools, scene.domain.id, by=SYSTEM)).domain
    assert after.return_path_host == f"back.{NAME}"
    assert (after.return_path_verified_at, after.tracking_verified_at) == (None, None)
    assert after.inbound_verified_at is not None
    assert after.verified_at is not None
