"""`/console/sessions`: where a person is signed in, and ending that."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from postroom.store.sessions import Session
from postroom.tenancy import sessions
from postroom.web.api.api import Api
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.route import routes
from postroom.web.console import cookies
from postroom.web.console.access import CurrentActor, CurrentCall, CurrentPerson, Who, open_to


class SessionShort(BaseModel):
    """`client` is the address somebody signed in from; `last_used_at` is right to a minute."""

    id: str
    current: bool
    client: str
    user_agent: str
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp


def router(api: Api) -> APIRouter:
    resource = routes("Sessions")

    @resource.get("/sessions", summary="Where the person is signed in")
    @open_to(Who.PERSON)
    async def index(person: CurrentPerson) -> Data[list[SessionShort]]:
        """The last used first. There are at most 50."""
        found = await sessions.list_all(api.database, person.user_id)
        return Data(data=[_shown(session, person.session_id) for session in found])

    @resource.delete("/sessions", status_code=204, summary="Sign out everywhere, here too")
    @open_to(Who.PERSON)
    async def delete_all(person: CurrentPerson, by: CurrentActor, call: CurrentCall) -> Response:
        for ended in await sessions.revoke_all(api.database, person.user_id, by=by):
            api.persons.forget(ended.id)
        cookies.drop(call)
        return empty(204)

    @resource.delete("/sessions/{session_id}", status_code=204, summary="Sign out somewhere")
    @open_to(Who.PERSON)
    async def delete(session_id: str, person: CurrentPerson, by: CurrentActor, call: CurrentCall) -> Response:
        await sessions.revoke(api.database, session_id, person.user_id, by=by)
        api.persons.forget(session_id)
        if session_id == person.session_id:
            cookies.drop(call)
        return empty(204)

    return resource


def _shown(session: Session, current: str) -> SessionShort:
    return SessionShort(
        id=session.id,
        current=session.id == current,
        client=session.client,
        user_agent=session.user_agent,
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        expires_at=session.expires_at,
    )
