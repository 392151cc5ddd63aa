"""Taking a batch in: it is durable when `keep` returns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from postroom.accept.accepted import Accepted
from postroom.accept.api import Sender
from postroom.errors import ConflictError, StorageUnavailableError
from postroom.runtime.ids import mail_id
from postroom.runtime.killpoints import reach
from postroom.store import bulk_emails, idempotency_keys
from postroom.store.bulk_emails import BulkEmail, BulkGroup
from postroom.store.idempotency_keys import IdempotencyKey
from postroom.types import refusals
from postroom.types.draft import CredentialKind, Idempotency
from postroom.types.refusals import Refused
from postroom.web.api.body import off_loop
from postroom.web.bulk.body import pack
from postroom.web.bulk.tools import Tools


async def keep(
    tools: Tools, sender: Sender, objects: Sequence[Any], key: Idempotency | None = None
) -> str | Refused:
    """The batch's id, after it is on stable storage. With an idempotency key call it in the key's turn, when nothing was
    answered yet. Raises StorageUnavailableError."""
    account_id, by_hand = sender.account.id, sender.kind is CredentialKind.USER
    now = tools.clock.now_ms()
    bulk_id = mail_id(now)
    versions = await _versions(tools, account_id, objects)
    recipients = await off_loop(_recipients, objects)
    packed = await pack(objects, tools.blobs, tools.config.submission.spool_above)
    groups = packed.groups(account_id, bulk_id)
    bulk = BulkEmail(
        account_id=account_id,
        id=bulk_id,
        token_id="" if by_hand else sender.credential_id,
        user_id=sender.credential_id if by_hand else "",
        state=bulk_emails.QUEUED,
        objects=len(objects),
        groups=len(groups),
        recipients=recipients,
        templates=json.dumps(versions),
        blob=packed.blob,
        created_at=now,
        updated_at=now,
    )
    try:
        await _insert_surely(tools, bulk, groups, key)
    except TimeoutError:
        raise StorageUnavailableError("the database does not answer in time") from None
    except ConflictError:  # another node was quicker with this key; the blob is garbage that is swept
        return Refused(refusals.IDEMPOTENCY_KEY_IN_USE)
    reach("bulk.accepted")
    return bulk_id


async def _insert_surely(
    tools: Tools, bulk: BulkEmail, groups: Sequence[BulkGroup], key: Idempotency | None
) -> None:
    """When the connection is lost its COMMIT may have happened (Q10). Then the rows are in the way of the second try, which
    waits until the first one has ended. SQLite always knows."""
    try:
        await _insert(tools, bulk, groups, key)
    except StorageUnavailableError:
        if tools.database.sqlite:
            raise
        try:
            await _insert(tools, bulk, groups, key)
        except ConflictError:
            async with tools.database.read() as connection:
                if await bulk_emails.get(connection, bulk.account_id, bulk.id) is None:
                    raise


async def _insert(
    tools: Tools, bulk: BulkEmail, groups: Sequence[BulkGroup], key: Idempotency | None
) -> None:
    """One transaction; ConflictError when the key is taken. On PostgreSQL nobody waits longer for it than the database's
    timeout (Q09): TimeoutError."""
    patience = None if tools.database.sqlite else tools.database.timeout
    async with asyncio.timeout(patience), tools.database.write() as connection:
        if key is not None:
            used = IdempotencyKey(key.fingerprint, Accepted(bulk.id).encode())
            begun = tools.clock.steady_ms()
            await idempotency_keys.add(connection, bulk.account_id, key.key, used, begun, begun + key.kept_ms)
        await bulk_emails.add(connection, bulk, groups)
        reach("bulk.before_commit")


async def _versions(tools: Tools, account_id: str, objects: Sequence[Any]) -> dict[str, str]:
    """The version that each template the objects name has now (P06)."""
    named = {value.get("template_id") for value in objects if isinstance(value, dict)}
    found = {}
    for template_id in sorted(one for one in named if isinstance(one, str) and one):
        template = await tools.templates.get(account_id, template_id)
        if template is not None:
            found[template_id] = template.version_id
    return found


def _recipients(objects: Sequence[Any]) -> int:
    """As many as are asked for, whether they are right or not."""
    lists = (
        value.get(name)
        for value in objects
        if isinstance(value, dict)
        for name in ("to", "cc", "bcc", "rcpt_to", "rcptTo")
    )
    return sum(len(people) for people in lists if isinstance(people, list))
