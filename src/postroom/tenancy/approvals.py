"""Approval and larger quotas: what an account answers, and what follows from the operator's decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.config import Config
from postroom.errors import NotFoundError, PostroomError
from postroom.runtime.clock import Clock
from postroom.store import account_requests as store
from postroom.store.account_requests import AccountRequest
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.tenancy import account_requests, accounts, held_over_quota
from postroom.tenancy.account_requests import APPROVED, REFUSED, Kind, answers_of
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What an account answers that wants to send. `daily_volume` in emails, `contact` an email address."""

    company: str
    website: str
    content: str
    daily_volume: int
    consent: str
    contact: str


QUESTIONS = {
    "company": "Company or person",
    "website": "Website",
    "content": "What is sent",
    "daily_volume": "Emails a day",
    "consent": "How recipients have agreed to it",
    "contact": "Whom to ask",
}


async def submit(
    db: Database, account_id: str, answers: Questionnaire, *, by: Actor
) -> AccountRequest | Refused:
    """Ask to be approved. Refused: ALREADY_APPROVED, REQUEST_OPEN. Raises NotFoundError."""
    async with db.write() as connection:
        account = await accounts.locked(connection, account_id)
        if account.approved_at is not None:
            return Refused(refusals.ALREADY_APPROVED, {"account": account.name})
        return await account_requests.submit(connection, account_id, Kind.APPROVAL, asdict(answers), by=by)


async def ask_for_quota(
    db: Database, account_id: str, daily_quota: int, why: str, *, by: Actor
) -> AccountRequest | Refused:
    """Ask for so many emails a day. Refused: REQUEST_OPEN. Raises NotFoundError."""
    async with db.write() as connection:
        await accounts.locked(connection, account_id)
        answers: dict[str, str | int] = {"daily_quota": daily_quota, "why": why}
        return await account_requests.submit(connection, account_id, Kind.QUOTA, answers, by=by)


async def approve(
    db: Database,
    config: Config,
    request_id: str,
    *,
    daily_quota: int | None = None,
    reason: str = "",
    by: Actor,
) -> AccountRequest | Refused:
    """Give what was asked for, or another quota. A suspended account stays so. Refused: REQUEST_DECIDED.

    Raises NotFoundError.
    """
    request = await get(db, request_id)
    async with db.write() as connection:
        before = await accounts.locked(connection, request.account_id)
        if not await account_requests.answer(connection, request_id, approved=True, reason=reason, by=by):
            return Refused(refusals.REQUEST_DECIDED)
        after = await _granted(connection, request, before, daily_quota)
        await account_requests.record(connection, by, request, APPROVED, before=before, after=after)
    if request.kind == Kind.QUOTA:
        await held_over_quota.release(db, config, request.account_id)
    return await get(db, request_id)


async def refuse(db: Database, request_id: str, reason: str, *, by: Actor) -> AccountRequest | Refused:
    """Say no; the account may ask again. Refused: REQUEST_DECIDED. Raises NotFoundError, and PostroomError without a
    reason."""
    if not reason.strip():
        raise PostroomError("a refusal needs a reason: it is mailed to the account")
    request = await get(db, request_id)
    async with db.write() as connection:
        await accounts.locked(connection, request.account_id)
        if not await account_requests.answer(connection, request_id, approved=False, reason=reason, by=by):
            return Refused(refusals.REQUEST_DECIDED)
        await account_requests.record(connection, by, request, REFUSED, after={"reason": reason})
    return await get(db, request_id)


async def get(db: Database, request_id: str) -> AccountRequest:
    """Raises NotFoundError."""
    async with db.read() as connection:
        request = await store.get(connection, request_id)
    if request is None:
        raise NotFoundError(f"there is no request {request_id}")
    return request


async def _granted(
    connection: AsyncConnection, request: AccountRequest, before: Account, daily_quota: int | None
) -> Account:
    if request.kind == Kind.QUOTA:
        wanted = int(answers_of(request)["daily_quota"])
        return await accounts.changed(
            connection, before, daily_quota=wanted if daily_quota is None else daily_quota
        )
    state = before.state if before.state == accounts.SUSPENDED else accounts.APPROVED
    approved_at = before.approved_at or Clock().now_ms()
    return await accounts.changed(connection, before, state=state, approved_at=approved_at)
