"""`/v1/domains/{domain_id}/dns-records` and `.../verify`: what to publish for a domain, and what the DNS says."""

# No postponed annotations here: they name loaders that only `router` knows.

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from postroom.runtime.dns import DnsError
from postroom.store import dkim_keys
from postroom.store.domains import Domain
from postroom.tenancy import dns_records, domain_names, domain_watch, verification
from postroom.tenancy.dns_check import Finding
from postroom.tenancy.dns_records import DnsRecord, Hosts
from postroom.tenancy.domain_settings import DomainSettings
from postroom.tenancy.verification import Checked, Verifier
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.domains import READERS, loader
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.api.shown import ConfigId, DomainName, Sentence, Word, limited

VERIFIED = "The domain is verified."
NOT_VERIFIED = "The domain is not verified: its DKIM record was not found."
NO_ANSWER = "The domain is not verified: the DNS did not answer."
TAKEN = "The domain is not verified: another account has verified it, and its records are there, or were until lately."
FAILING = "The domain is verified, but its DKIM record was not found."
UNRELIABLE = "The domain is verified, but receivers cannot rely on its DKIM record."

_HOST = "pr1._domainkey.example.com"
_VALUE = "v=DKIM1; k=rsa; p=MIIBIjANBg..."


class RecordOut(BaseModel):
    hostname: DomainName = Field(description="Where to publish it.", examples=[_HOST])
    type: Literal["TXT", "CNAME", "MX"] = Field(description="Of the record.", examples=["TXT"])
    value: Sentence = Field(description="Exactly this.", examples=[_VALUE])
    priority: Annotated[str, limited(maxLength=5)] | None = Field(
        None, description="With an MX only; a number as text.", examples=["10"]
    )
    required: bool = Field(description="Without it the domain is not verified.", examples=[True])
    purpose: Sentence = Field(
        description="What it is for.", examples=["DKIM: signs the mail and proves the domain"]
    )


class RecordsOut(BaseModel):
    """What leads to a host that this installation does not have is null."""

    id: ConfigId = Field(description="Of the domain.", examples=["65qngkdovk8lwr12"])
    zone: DomainName = Field(
        description="Postroom's own: the name that is registered. DNS providers often leave it out of the names of records.",
        examples=["example.com"],
    )
    spf: RecordOut | None = Field(
        description="With what is published already. Never needed: receivers ask for SPF at the return path."
    )
    dkim: RecordOut | None = Field(description="The key that signs.")
    dkim_next: RecordOut | None = Field(
        description="The key to change to; publish it now, so that changing needs no waiting."
    )
    return_path: RecordOut | None = Field(description="Where bounces come back.")
    return_path_alternative: Annotated[list[RecordOut], limited(maxItems=2)] = Field(
        description="Instead of the CNAME: an MX and a TXT record."
    )
    custom_tracking: RecordOut | None = Field(description="The host of tracked links.")
    inbound_routing: RecordOut | None = Field(description="Where inbound mail comes.")
    dmarc: RecordOut | None = Field(description="What large receivers ask for; begin with this policy.")


class FindingOut(BaseModel):
    """One record, as it is and as it should be."""

    key: Word = Field(description="Which one, mostly as in the list of records.", examples=["dkim"])
    record: Word = Field(description="Its name and type.", examples=[f"{_HOST} TXT"])
    wanted: Sentence = Field(description="What should be there.", examples=[_VALUE])
    found: Sentence = Field(description="What is there, or why that is not known.", examples=[_VALUE])
    ok: bool = Field(description="It is as it should be.", examples=[True])
    required: bool = Field(description="Without it the domain is not verified.", examples=[True])
    unknown: bool = Field(description="The DNS did not answer; nothing changes.", examples=[False])
    mend: Sentence = Field(description="How to mend it; empty if it is right.", examples=[""])


Findings = Annotated[list[FindingOut], limited(maxItems=20)]


class VerificationOut(BaseModel):
    dkim: bool = Field(description="The key that signs is published.", examples=[True])
    spf: bool = Field(description="The return path is set up, so SPF passes.", examples=[True])
    mx: bool = Field(description="Inbound mail comes here.", examples=[False])
    tracking: bool = Field(description="The tracking host is set up.", examples=[False])
    cname: bool = Field(description="The tracking host is set up and in use.", examples=[False])
    rp_cname: bool = Field(description="The return path is set up.", examples=[True])
    is_verified: bool = Field(description="Mail may be sent from it.", examples=[True])
    records: Findings = Field(description="What was looked at.")
    notes: Annotated[list[Sentence], limited(maxItems=20)] = Field(
        description="What its DMARC policy, and a null MX, mean for mail from here.",
        examples=[["The return path is not under this domain, so DMARC rests on the signature alone."]],
    )


class Verified(BaseModel):
    message: Sentence = Field(description="For people.", examples=[VERIFIED])
    data: VerificationOut = Field(description="What was found.")


def router(api: Api) -> APIRouter:
    resource = routes("Domains")
    domain = loader(api)

    @resource.get("/domains/{domain_id}/dns-records", summary="Get a domain's DNS records")
    @access(*READERS)
    async def records(found: Annotated[Domain, Depends(domain)]) -> Data[RecordsOut]:
        """What to publish, with the names of this installation."""
        async with api.database.read() as connection:
            pair = await dkim_keys.of_domain(connection, found.id)
        hosts = Hosts.of(api.config.server)
        own = {one.key: one for one in dns_records.records(found, pair, hosts)}
        own |= _keyed(dns_records.spf(found, hosts, await _published(api, found)))
        shown = RecordsOut(
            id=found.id,
            zone=await asyncio.to_thread(domain_names.organisation, found.name) or found.name,
            spf=_record(own.get("spf")),
            dkim=_record(own.get("dkim")),
            dkim_next=_record(own.get("dkim_next")),
            return_path=_record(own.get("return_path")),
            return_path_alternative=[_shown(one) for one in dns_records.alternative(found, hosts)],
            custom_tracking=_record(own.get("tracking")),
            inbound_routing=_record(own.get("inbound")),
            dmarc=_record(own.get("dmarc")),
        )
        return Data(data=shown)

    @resource.get("/domains/{domain_id}/verify", summary="Verify a domain")
    @access(*READERS)
    async def verify(caller: CurrentCaller, found: Annotated[Domain, Depends(domain)]) -> Verified:
        """Looks at its DNS records now. They are looked at again every day.

        A domain whose DKIM record is gone stays verified for the grace; then sending is paused until it is back.
        """
        tools = Verifier.of(api.database, api.resolver, api.config)
        checked = await verification.check(tools, found.id, by=caller.actor)
        await domain_watch.tell(tools, api.mail, checked)
        return Verified(message=_message(checked), data=_data(checked))

    return resource


async def _published(api: Api, domain: Domain) -> list[str]:
    """The texts at the domain's own name; none if the DNS does not say."""
    try:
        return await api.resolver.txt(domain.name)
    except DnsError:
        return []


def _message(checked: Checked) -> str:
    if checked.domain.verified_at is not None:
        if checked.domain.failing_since is not None:
            return FAILING
        return UNRELIABLE if checked.looked.proved and not checked.looked.ok("dkim") else VERIFIED
    if checked.taken:
        return TAKEN
    return NO_ANSWER if checked.looked.proved is None else NOT_VERIFIED


def _data(checked: Checked) -> VerificationOut:
    looked = checked.looked
    tracking = looked.ok("tracking")
    settings = DomainSettings.decode(checked.domain.settings)
    return VerificationOut(
        dkim=looked.ok("dkim"),
        spf=looked.ok("return_path"),
        mx=looked.ok("inbound"),
        tracking=tracking,
        cname=tracking and settings.custom_tracking_enabled,
        rp_cname=looked.ok("return_path"),
        is_verified=checked.domain.verified_at is not None,
        records=[finding_out(one) for one in looked.findings],
        notes=list(looked.notes),
    )


def finding_out(finding: Finding) -> FindingOut:
    return FindingOut.model_validate(finding, from_attributes=True)


def _keyed(record: DnsRecord | None) -> dict[str, DnsRecord]:
    return {} if record is None else {record.key: record}


def _record(record: DnsRecord | None) -> RecordOut | None:
    return None if record is None else _shown(record)


def _shown(record: DnsRecord) -> RecordOut:
    return RecordOut(
        hostname=record.name,
        type=record.type,
        value=record.value,
        priority=None if record.priority is None else str(record.priority),
        required=record.required,
        purpose=record.purpose,
    )
