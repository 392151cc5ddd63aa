"""`POST /console/sandbox`: a domain to try everything with, for accounts that have none yet."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from postroom.tenancy import sandboxes
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.errors import refused
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes


class SandboxOut(BaseModel):
    id: str = Field(description="Of the domain.")
    name: str


def router(api: Api) -> APIRouter:
    resource = routes("Sandbox")

    @resource.post("/sandbox", summary="Have a sandbox domain")
    @access(Permission.MANAGE_DOMAIN)
    async def ensure(caller: CurrentCaller) -> Data[SandboxOut]:
        """The account's own; it is made when there is none. It needs no DNS records and takes no domain space."""
        if caller.domains is not None:
            raise refused(Refused(refusals.MORE_THAN_OWN))
        made = await sandboxes.ensure(api.database, api.secrets, caller.account_id, by=caller.actor)
        return Data(data=SandboxOut(id=made.id, name=made.name))

    return resource
