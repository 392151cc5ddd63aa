"""`/console/profile`: what people change about themselves, and their password."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from postroom.tenancy import password_resets, profile, second_factor
from postroom.types.notices import PasswordChanged
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import not_found, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to
from postroom.web.console.session_out import SessionOut, UserOut, renewal_of, replaced, user_out
from postroom.web.console.step_up import StepUp
from postroom.web.console.tell import tell

LONGEST_PREFERENCES = 4096
"""Characters of JSON."""


class ProfileInput(BaseModel):
    """What is left out or null stays as it is; "" is empty. `preferences` are replaced as a whole: any JSON object of up
    to 4096 characters, which the server only keeps. `time_zone` is an IANA name, like Europe/Berlin."""

    model_config = ConfigDict(extra="ignore")

    name: str | None = Field(None, max_length=191)
    last_name: str | None = Field(None, max_length=191)
    time_zone: str | None = Field(None, max_length=64)
    preferences: dict[str, Any] | None = None

    @field_validator("preferences")
    @classmethod
    def _short(cls, preferences: dict[str, Any] | None) -> dict[str, Any] | None:
        if preferences is not None and len(json.dumps(preferences)) > LONGEST_PREFERENCES:
            raise ValueError(f"must be at most {LONGEST_PREFERENCES} characters of JSON")
        return preferences


class NewPassword(Input):
    """`old_password` is the present one; who has none yet (`has_password` of the session) leaves it out."""

    old_password: str | None = Field(None, max_length=1024)
    password: str = Field(max_length=1024)


def router(api: Api) -> APIRouter:
    resource = routes("Profile")
    step_up = StepUp(api)

    @resource.get("/profile", summary="Who I am")
    @open_to(Who.PERSON)
    async def show(person: CurrentPerson) -> Data[UserOut]:
        return await _shown(api, person.user_id)

    @resource.put("/profile", summary="Change name, time zone, preferences")
    @open_to(Who.PERSON)
    async def update(body: ProfileInput, person: CurrentPerson, by: CurrentActor) -> Data[UserOut]:
        new = {name: value for name, value in body if value is not None}
        if "preferences" in new:
            new["preferences"] = json.dumps(new["preferences"])
        await profile.change(api.database, person.user_id, new, by=by)
        return await _shown(api, person.user_id)

    @resource.put("/profile/password", summary="Change the password")
    @open_to(Who.PERSON)
    async def set_password(
        body: NewPassword, person: CurrentPerson, by: CurrentActor, call: CurrentCall, request: Request
    ) -> Data[SessionOut]:
        """422 with the field that is wrong: `old_password`, or `password` that is too easy. All other sessions end; this
        one goes on, with another `csrf_token`. A mail tells the owner of the address."""
        step_up.take(person)
        made = await profile.set_password(
            api.database,
            person.user_id,
            body.password,
            old=body.old_password,
            renewal=renewal_of(api, call, person, request),
            by=by,
        )
        if isinstance(made, Refused):
            raise refused(made, "old_password" if made.rule.id == "password-wrong" else "password")
        shown = await replaced(api, call, made)
        await tell(api, PasswordChanged(person.email, call.client, api.mail.link(password_resets.START)))
        return shown

    return resource


async def _shown(api: Api, user_id: str) -> Data[UserOut]:
    user = await profile.show(api.database, user_id)
    if user is None:
        raise not_found()
    state = await second_factor.state(api.database, user_id)
    return Data(data=user_out(user, two_factor=state.since is not None))
