"""One group of a batch: each of its objects becomes a message, or an entry of what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from inspect import isawaitable
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.accept.api import Accepted, Sender, SendRequest
from postroom.errors import StorageUnavailableError
from postroom.store import idempotency_keys, memberships, tokens
from postroom.store.bulk_emails import BulkEmail
from postroom.tenancy import templates
from postroom.tenancy.grants import Grant
from postroom.tenancy.templates import StoredTemplate
from postroom.types import refusals
from postroom.types.draft import CredentialKind, Idempotency
from postroom.types.parts import Mailbox
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.web.api.body import off_loop
from postroom.web.api.errors import ApiError, refused
from postroom.web.api.sending.answers import warnings
from postroom.web.api.sending.context import Context, template_named
from postroom.web.api.sending.named import envelope_of
from postroom.web.api.sending.read import read, recipients_of
from postroom.web.bulk.results import Results
from postroom.web.bulk.tools import Tools

log = structlog.get_logger()

KEY_KEPT_MS = 30 * 24 * 3600 * 1000
"""While its group is not done; a node may be away for long."""

WAITS = (refusals.STORAGE_UNAVAILABLE, refusals.IDEMPOTENCY_KEY_IN_USE)
"""Of the second the next try finds the answer."""


class NotStoredError(StorageUnavailableError):
    """Some object of the group could not be kept now."""


def keys(bulk: BulkEmail, first: int, count: int) -> list[str]:
    """The idempotency keys of neighbouring objects. No client can send one that begins with a space."""
    return [f" bulk {bulk.id} {position}" for position in range(first, first + count)]


async def kept_before(tools: Tools, bulk: BulkEmail, used: list[str]) -> dict[str, Accepted]:
    """By key, when a group was begun by somebody who died."""
    async with tools.database.read() as connection:
        found = await idempotency_keys.of(connection, bulk.account_id, used, tools.clock.steady_ms())
    return {key: Accepted.decode(one.answer) for key, one in found.items()}


class Group:
    """`run` once."""

    def __init__(self, tools: Tools, bulk: BulkEmail, first: int, objects: list[Any]) -> None:
        self._tools = tools
        self._bulk = bulk
        self._first = first
        self._objects = objects
        self._keys = keys(bulk, first, len(objects))
        self._results = Results()

    async def run(self) -> Results:
        """Raises StorageUnavailableError when the group has to be done again; what was kept is not kept twice."""
        before = await kept_before(self._tools, self._bulk, self._keys)
        left = []
        for number, key in enumerate(self._keys):
            if key in before:
                self._accepted(number, before[key], recipients_of(self._objects[number]))
            else:
                left.append(number)
        sender = await self._sender()
        if isinstance(sender, Refused):
            for number in left:
                self._wrong(number, sender)
        elif left:
            requests = await off_loop(self._read, left, sender, await self._templates(left))
            await _all([self._send(number, sender, request) for number, request in requests])
        return self._results

    async def _sender(self) -> Sender | Refused:
        """Who sent the batch, if they still may."""
        bulk, account_id = self._bulk, self._bulk.account_id
        async with self._tools.database.read() as connection:
            grant = await (_of_user if bulk.user_id else _of_token)(connection, bulk)
        found = self._tools.directory.account(account_id)
        account = await found if isawaitable(found) else found
        if grant is None or account is None:
            return Refused(refusals.BULK_TOKEN_GONE)
        if bulk.user_id:
            return Sender(account, CredentialKind.USER, bulk.user_id, grant.domains)
        return Sender(account, CredentialKind.TOKEN, bulk.token_id, grant.domains)

    async def _templates(self, left: list[int]) -> dict[str, StoredTemplate]:
        """Those that the objects name, in the version they had when the batch came."""
        versions: dict[str, str] = json.loads(self._bulk.templates)
        named = {template_named(self._objects[number]) for number in left}
        found = {}
        for template_id in named & versions.keys():
            pinned = await self._pinned(template_id, versions[template_id])
            if pinned is not None:
                found[template_id] = pinned
        return found

    async def _pinned(self, template_id: str, version_id: str) -> StoredTemplate | None:
        newest = await self._tools.templates.get(self._bulk.account_id, template_id)
        if newest is None or newest.version_id == version_id:
            return newest
        content = await templates.pinned(self._tools.database, self._bulk.account_id, version_id)
        return None if content is None else replace(newest, version_id=version_id, content=content)

    def _read(
        self, left: list[int], sender: Sender, pinned: dict[str, StoredTemplate]
    ) -> list[tuple[int, SendRequest | ApiError | Refused]]:
        """Each as a request, or what is wrong with it. In a thread."""
        return [(number, self._read_one(self._objects[number], sender, pinned)) for number in left]

    def _read_one(
        self, value: Any, sender: Sender, pinned: dict[str, StoredTemplate]
    ) -> SendRequest | ApiError | Refused:
        template = pinned.get(template_named(value))
        try:
            return read(value, Context(sender, self._bulk.created_at, self._tools.cache, template))
        except ApiError as error:
            return error
        except Exception:
            log.exception("an object of a bulk email failed", bulk_email=self._bulk.id)
            return Refused(refusals.BULK_OBJECT_FAILED)

    async def _send(self, number: int, sender: Sender, request: SendRequest | ApiError | Refused) -> None:
        if not isinstance(request, SendRequest):
            self._wrong(number, request)
            return
        key = Idempotency(self._keys[number], self._bulk.id.encode(), KEY_KEPT_MS)
        answer = await self._tools.accept.send(sender, request, key)
        if isinstance(answer, Accepted):
            self._accepted(number, answer, request.recipients.values())
        elif answer.rule in WAITS:
            raise NotStoredError(answer.text)
        else:
            self._wrong(number, answer)

    def _accepted(self, number: int, accepted: Accepted, recipients: Iterable[Mailbox]) -> None:
        position = self._first + number
        if accepted.message_id:
            self._results.messages[position] = accepted.message_id
        if accepted.suppressed:
            self._results.suppressed[position] = warnings(accepted, recipients)["warnings"]
            self._results.suppressed_count += len(accepted.suppressed)

    def _wrong(self, number: int, why: ApiError | Refused) -> None:
        """Written down with the batch, and where the customer finds what was refused."""
        if isinstance(why, ApiError):
            recorded, error = Refused(refusals.REQUEST_INVALID, {"problem": why.message}), why
        else:
            recorded, error = why, refused(why)
        self._results.errors[self._first + number] = error.fields or {"body": [error.message]}
        envelope = envelope_of(self._objects[number])
        self._tools.refusals.add(
            recorded,
            client="",
            account_id=self._bulk.account_id,
            credential=self._bulk.token_id or self._bulk.user_id,
            envelope=envelope,
            header_from=str(envelope.sender or ""),
        )


async def _of_token(connection: AsyncConnection, bulk: BulkEmail) -> Grant | None:
    """What the token behind a batch may do now; None: not send any more. That it has expired meanwhile was to be
    expected when the batch was accepted."""
    token = await tokens.get(connection, bulk.token_id, bulk.account_id)
    if token is None or token.paused:
        return None
    domains = None if token.domain_id is None else frozenset({token.domain_id})
    return Grant(Role.CUSTOM_USER, frozenset(Permission), domains)


async def _of_user(connection: AsyncConnection, bulk: BulkEmail) -> Grant | None:
    """The same of the person behind a batch."""
    membership = await memberships.get(connection, bulk.account_id, bulk.user_id)
    grant = None if membership is None else Grant.of(membership)
    return grant if grant is not None and Permission.CONTROL_SENDINGS in grant.permissions else None


async def _all(sent: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait for every one of them, then raise what one of them raised: none goes on behind the group's back."""
    for outcome in await asyncio.gather(*sent, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
