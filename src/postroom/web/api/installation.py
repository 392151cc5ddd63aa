"""`/v1/installation`: what every account of this installation relies on."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from postroom.tenancy import installation_dns
from postroom.tenancy.dns_records import Hosts
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.domain_records import Findings, finding_out
from postroom.web.api.domains import READERS
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.api.shown import DomainName


class InstallationDns(BaseModel):
    hostname: DomainName = Field(
        description="How it calls itself when it sends.", examples=["mail.example.com"]
    )
    records: Findings = Field(description="What was looked at.")


def router(api: Api) -> APIRouter:
    resource = routes("Installation")

    @resource.get("/installation/dns", summary="Get the DNS of the installation")
    @access(*READERS)
    async def dns() -> Data[InstallationDns]:
        """The name it sends under with its PTR, and the hosts that the records of domains lead to, as the DNS has them
        now. Mending them is for the operator."""
        hosts = Hosts.of(api.config.server)
        found = await installation_dns.look(api.resolver, api.hostname, hosts)
        records = [finding_out(one) for one in found]
        return Data(data=InstallationDns(hostname=api.hostname, records=records))

    return resource
