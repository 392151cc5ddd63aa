"""`/console/accounts`: another account for who is signed in. They switch to it with `POST /console/session/account`."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from postroom.tenancy import sign_up
from postroom.types.permissions import Role
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, CurrentPerson, Who, open_to
from postroom.web.console.session_out import AccountOut, account_out
from postroom.web.console.sign_up import must_be_open


class NewAccount(Input):
    name: str = Field(max_length=191)


def router(api: Api) -> APIRouter:
    resource = routes("Accounts")

    @resource.post("/accounts", status_code=201, summary="Make another account")
    @open_to(Who.PERSON)
    async def create(body: NewAccount, person: CurrentPerson, by: CurrentActor) -> Data[AccountOut]:
        """The person is its Admin. 403 where sign-up is closed, but for operators: theirs are approved at once. Others
        may be the Admin of ten accounts."""
        if not person.operator:
            must_be_open(api)
        made = await sign_up.add_account(
            api.database,
            person.user_id,
            body.name,
            approved=person.operator,
            most=None if person.operator else sign_up.MOST,
            now=api.clock.now_ms(),
            by=by,
        )
        if isinstance(made, Refused):
            raise refused(made, "name")
        return Data(data=account_out(made, Role.ADMIN))

    return resource
