"""`ApiEdge`: joins the API's endpoints to the rules, the content and the group commit."""

from __future__ import annotations

import asyncio
import contextlib

from postroom.accept import admit
from postroom.accept.accepted import Accepted
from postroom.accept.api.again import Again, renewed
from postroom.accept.api.content import build, keep
from postroom.accept.api.idempotency import IdempotencyKeys
from postroom.accept.api.request import Sender, SendRequest
from postroom.accept.commit import GroupCommit
from postroom.config import Config
from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.runtime.ids import mail_id
from postroom.store.database import Database
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.entries import Credential
from postroom.tenancy.quotas import daily_quota, holds
from postroom.types import refusals
from postroom.types.draft import Content, Draft, Edge, Idempotency, Stream
from postroom.types.envelope import Envelope, Recipient
from postroom.types.refusals import Refused
from postroom.wire.mime.build import UnsafePartsError, international


class ApiEdge:
    """`send` takes a checked request to its durable end, `resend` a message of before; `keys` are the idempotency keys of
    requests."""

    def __init__(
        self, config: Config, clock: Clock, database: Database, blobs: Blobs, commit: GroupCommit
    ) -> None:
        self._config = config
        self._clock = clock
        self._blobs = blobs
        self._commit = commit
        self.keys = IdempotencyKeys(database, clock)

    async def send(
        self, sender: Sender, request: SendRequest, idempotency: Idempotency | None = None
    ) -> Accepted | Refused:
        """Keep the message. With an idempotency key call it in the key's turn, when nothing was answered yet."""
        if request.headers and not entitlements(sender.account, self._config).custom_headers:
            return Refused(refusals.PLAN_FEATURE, {"feature": "custom headers"})
        candidate = self.candidate(sender, request)
        refused = admit.run(admit.PARTS, candidate)
        if refused is not None:
            return refused
        try:
            draft = await self.draft(candidate, request)
        except UnsafePartsError as error:
            return Refused(
                refusals.PARTS_UNSAFE, {"field": error.problem.path, "problem": error.problem.problem}
            )
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        draft.idempotency = idempotency
        return await self._submit(draft, sender)

    async def resend(
        self, sender: Sender, again: Again, idempotency: Idempotency | None = None
    ) -> Accepted | Refused:
        """Keep a message that was accepted before as a new one, for one recipient. The key as in `send`."""
        source, header_size = await asyncio.to_thread(renewed, again.source)
        envelope = Envelope(again.sender, [Recipient(again.recipient)])
        envelope.utf8 = not (source[:header_size].isascii() and again.recipient.local.isascii())
        candidate = admit.Candidate(
            _login(sender, again.stream),
            sender.account,
            envelope,
            Content(source[:header_size], len(source), header_size),
            self._config,
            credential_kind=sender.kind,
        )
        refused = admit.run(admit.MESSAGE, candidate) or _not_theirs(sender, candidate)
        if refused is not None:
            return refused
        above = self._config.submission.spool_above
        try:
            candidate.content = await keep(source, header_size, self._blobs, above)
        except StorageUnavailableError:
            return Refused(refusals.STORAGE_UNAVAILABLE)
        now = self._clock.now_ms()
        draft = admit.draft(candidate, mail_id(now), now)
        draft.edge, draft.credential_kind, draft.drop_suppressed = Edge.API, sender.kind, True
        draft.stream, draft.tags, draft.details = again.stream, again.tags, again.details
        draft.idempotency = idempotency
        return await self._submit(draft, sender)

    def candidate(self, sender: Sender, request: SendRequest) -> admit.Candidate:
        """The request as the rules want to see it."""
        author, recipients = request.from_.address, request.recipients
        envelope = Envelope(author, [Recipient(address) for address in recipients])
        envelope.utf8 = not all(address.local.isascii() for address in (author, *recipients))
        return admit.Candidate(
            _login(sender, request.stream),
            sender.account,
            envelope,
            Content(b"", 0, 0),
            self._config,
            authors=[author],
            stream=request.stream,
            tags=request.tags,
            credential_kind=sender.kind,
        )

    async def draft(self, candidate: admit.Candidate, request: SendRequest) -> Draft:
        """What an admitted candidate becomes, its content built. Raises UnsafePartsError, StorageUnavailableError."""
        assert candidate.domain is not None, "a candidate without a verified domain was admitted"
        now = self._clock.now_ms()
        message_id = mail_id(now)
        parts = request.parts(message_id, now)
        content = await build(request, parts, self._blobs, self._config.submission.spool_above)
        candidate.envelope.utf8 |= international(parts)
        return Draft(
            id=message_id,
            account_id=candidate.account.id,
            domain_id=candidate.domain.id,
            credential_id=candidate.credential.id,
            credential_kind=candidate.credential_kind,
            envelope=candidate.envelope,
            content=content,
            signing_domain=candidate.domain.name,
            header_from=str(request.from_.address)[:320],
            subject=request.subject[:255],
            message_id=parts.message_id,
            received_at=now,
            stream=candidate.stream,
            tags=candidate.tags,
            drop_suppressed=True,
            personalizations={str(address): data for address, data in request.personalizations.items()},
            edge=Edge.API,
            paused=candidate.domain.send_paused,
            send_at=request.send_at,
            details=request.details,
        )

    async def _submit(self, draft: Draft, sender: Sender) -> Accepted | Refused:
        quota = daily_quota(sender.account, self._config)
        hold = holds(sender.account, self._config)
        answer = await self._commit.submit(draft, quota=quota, hold_over_quota=hold)
        return await self._answer(draft, answer)

    async def _answer(self, draft: Draft, answer: str | Refused) -> Accepted | Refused:
        """What is not kept leaves no content behind."""
        if isinstance(answer, str):
            return Accepted.of(draft)
        if draft.content.blob is not None and answer.rule is not refusals.STORAGE_UNAVAILABLE:
            # Then a row may exist all the same; the sweep of the blob store knows.
            with contextlib.suppress(StorageUnavailableError):
                await self._blobs.delete(draft.content.blob)
        if answer.rule is refusals.IDEMPOTENCY_KEY_IN_USE and draft.idempotency is not None:
            # Another node was quicker; its transaction has ended, for ours has seen the key.
            return await self.keys.answered(draft.account_id, draft.idempotency) or answer
        return Accepted("", draft.suppressed) if answer.rule is refusals.ALL_SUPPRESSED else answer


def _login(sender: Sender, stream: Stream) -> Credential:
    """Who asks, as the rules of both edges want to see them."""
    return Credential(
        id=sender.credential_id,
        username="",
        account_id=sender.account.id,
        domain_id="",
        stream=stream,
        refuse_suppressed=False,
        password_hash=b"",
    )


def _not_theirs(sender: Sender, candidate: admit.Candidate) -> Refused | None:
    """The author is under a domain of the account that this token or person may not use."""
    for author in candidate.authors:
        if sender.sending_domain(author) is None:
            return Refused(refusals.FROM_NOT_VERIFIED, {"domain": author.domain, "field": "From"})
    return None
