"""A resource for tests of what all of the console shares."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from postroom.types.permissions import Permission
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentPerson, Who, open_to


def router(api: Api) -> APIRouter:
    del api
    resource = routes("Probe")

    @resource.get("/probe/member")
    @access()
    async def member(caller: CurrentCaller) -> Any:
        return {"account": caller.account_id}

    @resource.get("/probe/manager")
    @access(Permission.MANAGE_ACCOUNT)
    async def manager(caller: CurrentCaller) -> Any:
        return {"account": caller.account_id}

    @resource.post("/probe/operator")
    @open_to(Who.OPERATOR)
    async def operator(person: CurrentPerson) -> Any:
        return {"email": person.email}

    return resource
