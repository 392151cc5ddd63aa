"""What an account asks the operator for: to be approved, or a larger daily quota.

Of one kind there is one open request at most. Whoever is concerned by a request's state (the operator when it is
submitted, the Admins of the account when it is decided) is told by mail some seconds later (`account_letters`); so
whoever decides needs no mail: the command line can.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import account_requests as store
from postroom.store.account_requests import SUBMITTED, AccountRequest
from postroom.tenancy import audit
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused

APPROVED, REFUSED = "approved", "refused"


class Kind(StrEnum):
    APPROVAL = "approval"
    QUOTA = "quota"


async def submit(
    connection: AsyncConnection, account_id: str, kind: Kind, answers: Mapping[str, str | int], *, by: Actor
) -> AccountRequest | Refused:
    """Refused: REQUEST_OPEN."""
    newest = await store.newest(connection, account_id, kind)
    if newest is not None and newest.state == SUBMITTED:
        return Refused(refusals.REQUEST_OPEN)
    now = Clock().now_ms()
    told = json.dumps(answers, ensure_ascii=False)
    request = AccountRequest(ids.object_id(), account_id, kind, SUBMITTED, told, "", "", now, None, None)
    await store.add(connection, request)
    await record(connection, by, request, SUBMITTED, after=answers)
    return request


async def answer(
    connection: AsyncConnection, request_id: str, *, approved: bool, reason: str = "", by: Actor
) -> bool:
    """Decide an open request; what follows from that, and the audit log, is up to who calls. False when it is decided
    already: of two who do so at the same time one is quicker."""
    return await store.decide(
        connection,
        request_id,
        state=APPROVED if approved else REFUSED,
        reason=reason,
        decided_by=by.name[:320],
        decided_at=Clock().now_ms(),
        told_at=None,
    )


async def answer_open(connection: AsyncConnection, account_id: str, kind: Kind, *, by: Actor) -> None:
    """What was asked for has been given in another way."""
    newest = await store.newest(connection, account_id, kind)
    if newest is not None and newest.state == SUBMITTED:
        await answer(connection, newest.id, approved=True, by=by)


def answers_of(request: AccountRequest) -> dict[str, str | int]:
    answers: dict[str, str | int] = json.loads(request.answers)
    return answers


async def record(
    connection: AsyncConnection,
    by: Actor,
    request: AccountRequest,
    verb: str,
    *,
    before: object | None = None,
    after: object | None = None,
) -> None:
    """An entry in the audit log."""
    await audit.record(
        connection,
        by,
        f"{request.kind}_request.{verb}",
        account_id=request.account_id,
        object_id=request.id,
        before=before,
        after=after,
    )
