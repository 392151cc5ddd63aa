"""`GET /v1/email/{id}/timeline`: every step of a delivery, from the moment it was accepted to the last reply."""

# No postponed annotations here: they name loaders that only `router` knows.

import json
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from postroom.deliver import transcript
from postroom.store import attempts, credentials, events, queue
from postroom.store.batches.rows import AttemptRow
from postroom.store.credentials import Named
from postroom.store.emails import EmailDetails
from postroom.store.messages import Message
from postroom.store.queue import AT_ONCE, NEVER, QueueItem
from postroom.types.draft import CredentialKind
from postroom.types.outcome import Result
from postroom.types.permissions import Permission
from postroom.types.status import EmailStatus, Hold
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.email_object import Status
from postroom.web.api.emails import SCOPES, EventOut, event_out, loader
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.kept import message_of
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, ConfigId, Count, DomainName, Line, MailId, Word, limited

MOST_ATTEMPTS, MOST_LINES = 1000, 1000

_ID = "0195f0c2a7d1000001a2b3c4"
_TLS = re.compile(r"(\S+) (\S+) \((.*)\)")
_WHO: dict[str, Literal["client", "server", "note"]] = {"C": "client", "S": "server"}

HOLDS = {
    Hold.SUSPENDED: "The account is suspended.",
    Hold.QUOTA: "Accepted beyond the daily quota; it goes on by itself after 00:00 UTC.",
    Hold.PAUSED: "Sending from its domain is paused; it goes on when that ends.",
    Hold.SCHEDULED: "It waits for the time it was asked to be sent.",
    Hold.QUARANTINED: "Three attempts never ended; an operator tries it again or cancels it.",
}


class SentBy(BaseModel):
    kind: CredentialKind | None = Field(
        description="With what somebody came in; null where that is not known any more.",
        examples=["smtp_user"],
    )
    id: ConfigId = Field(
        description='Of the SMTP user, token or user; "" for Postroom itself.', examples=["65qngkdovk8lwr12"]
    )
    name: Word = Field(description='For people; "" when it is gone.', examples=["app@example.com"])


class AcceptedOut(BaseModel):
    at: Timestamp = Field(description="When it was on stable storage.")
    edge: Word = Field(description="Where it came in: `smtp` or `api`.", examples=["smtp"])
    by: SentBy = Field(description="Who sent it.")
    sender: AddressText = Field(
        description='The sender of the envelope; "" is the null sender.', examples=["app@example.com"]
    )
    size: Count = Field(description="Of the message, in octets.", examples=[51870])
    stream: Word = Field(description="`transactional` or `broadcast`.", examples=["transactional"])


class LineOut(BaseModel):
    at_ms: Count = Field(description="Milliseconds since the attempt began.", examples=[31])
    who: Literal["client", "server", "note"] = Field(
        description="We (`client`), they (`server`), or what happened between: DNS, connection, TLS.",
        examples=["server"],
    )
    text: Line = Field(description="What was said, or happened.", examples=["250 2.0.0 Ok: queued"])


class AttemptOut(BaseModel):
    """What was found is "" and 0 where the attempt did not come so far."""

    number: Count = Field(description="From 1.", examples=[1])
    at: Timestamp = Field(description="When it ended.")
    duration_ms: Count = Field(description="How long it took, in milliseconds.", examples=[412])
    result: Result = Field(description="What it came to.", examples=["delivered"])
    host: DomainName = Field(description="The server that answered last.", examples=["mx1.example.org"])
    address: Word = Field(description="Its address.", examples=["192.0.2.25"])
    tls_version: Word = Field(description='"" without TLS.', examples=["TLSv1.3"])
    tls_cipher: Word = Field(description="The cipher.", examples=["TLS_AES_256_GCM_SHA384"])
    certificate: Word = Field(
        description="What a look at its certificate showed: `verified`, or `not verified` and why.",
        examples=["not verified: self-signed"],
    )
    code: Count = Field(description="Of the reply that decided; 0: there was none.", examples=[250])
    enhanced: Word = Field(description="Its enhanced code.", examples=["2.0.0"])
    reply: Line = Field(
        description="The reply that decided, in the server's words or ours.", examples=["250 2.0.0 Ok"]
    )
    transcript: Annotated[list[LineOut], limited(maxItems=MOST_LINES)] = Field(
        description="Every line with its time. Of a long one the middle is left out."
    )


class StepOut(EventOut):
    next_attempt_at: Timestamp | None = Field(
        description="When it will be tried again, as far as was known then; null if it will not.",
        examples=[None],
    )
    host: DomainName | None = Field(
        description="The server it happened at; null if none.", examples=["mx1.example.org"]
    )


class WaitingOut(BaseModel):
    due_at: Timestamp | None = Field(
        description="When it is tried next; null for something that waits without a time.", examples=[None]
    )
    under_way: bool = Field(description="An attempt is being made right now.", examples=[False])
    expires_at: Timestamp = Field(description="When it is given up.")
    hold: Hold | None = Field(
        description="What it waits for beside its time; null if nothing.", examples=[None]
    )
    why: Word = Field(
        description="The same in a sentence, or the last reply.", examples=["450 4.2.1 Try again later"]
    )


class TimelineOut(BaseModel):
    id: MailId = Field(description="Of the email.", examples=[_ID])
    message_id: MailId = Field(description="Of its message.", examples=[_ID])
    recipient: AddressText = Field(description="Whose copy it is.", examples=["ada@example.org"])
    status: Status = Field(description="Where it stands, in the words of the API.", examples=["delivered"])
    state: EmailStatus = Field(description="The same, more exactly.", examples=["delivered"])
    possible_duplicate: bool = Field(
        description="The outcome of an attempt was lost: the recipient may have got it twice.",
        examples=[False],
    )
    reply: Line = Field(description='The last one heard about it; "" if none.', examples=["250 2.0.0 Ok"])
    accepted: AcceptedOut | None = Field(
        description="How it came in; null when the message is not kept any more."
    )
    events: Annotated[list[StepOut], limited(maxItems=10_000)] = Field(
        description="What happened, in that order."
    )
    attempts: Annotated[list[AttemptOut], limited(maxItems=MOST_ATTEMPTS)] = Field(
        description="Each try with all that was said, in that order."
    )
    waiting: WaitingOut | None = Field(description="What is still to come; null when it is final.")


def router(api: Api) -> APIRouter:
    resource = routes("Emails")
    email = loader(api)

    @resource.get("/email/{email_id}/timeline", summary="Get the delivery timeline of an email")
    @access(*SCOPES, Permission.READ_EMAIL, Permission.READ_ACTIVITY)
    async def show(found: Annotated[EmailDetails, Depends(email)]) -> Data[TimelineOut]:
        """Every step: who sent it, each attempt with DNS, connection, TLS and every line of SMTP, what comes next."""
        return Data(data=await _timeline(api, found))

    return resource


async def _timeline(api: Api, email: EmailDetails) -> TimelineOut:
    message = await message_of(api, email)
    async with api.database.read() as connection:
        happened = await events.of_email(connection, email.account_id, email.id)
        tried = (await attempts.of_emails(connection, email.account_id, [email.id]))[email.id]
        names = await credentials.named(connection, email.account_id, {email.credential_id})
        waits = await queue.show(connection, email.id)
    return TimelineOut(
        id=email.id,
        message_id=email.message_id,
        recipient=email.recipient,
        status=EmailStatus(email.status).api_word(attempted=email.sent),
        state=EmailStatus(email.status),
        possible_duplicate=email.possible_duplicate,
        reply=email.reply,
        accepted=None if message is None else _accepted(message, sent_by(email, names)),
        events=[_step(event_out(event), json.loads(event.detail)) for event in happened],
        attempts=[_attempt(one) for one in tried[-MOST_ATTEMPTS:]],
        waiting=None if waits is None else _waiting(api, waits),
    )


def sent_by(email: EmailDetails, names: dict[str, Named]) -> SentBy:
    known = names.get(email.credential_id)
    kind = email.credential_kind or (known.kind if known is not None else None)
    return SentBy(
        kind=CredentialKind(kind) if kind else None,
        id=email.credential_id,
        name=known.name[:255] if known is not None else "",
    )


def _accepted(message: Message, by: SentBy) -> AcceptedOut:
    return AcceptedOut(
        at=message.received_at,
        edge=message.edge,
        by=by,
        sender=message.sender,
        size=message.size,
        stream=message.stream,
    )


def _step(event: EventOut, detail: dict[str, Any]) -> StepOut:
    return StepOut(
        **dict(event), next_attempt_at=detail.get("next_attempt_at"), host=detail.get("host") or None
    )


def _attempt(row: AttemptRow) -> AttemptOut:
    tls = _TLS.fullmatch(row.tls)
    version, cipher, certificate = tls.groups() if tls is not None else (row.tls, "", "")
    return AttemptOut(
        number=row.number,
        at=row.at,
        duration_ms=row.duration,
        result=Result(row.result),
        host=row.host,
        address=row.address,
        tls_version=version,
        tls_cipher=cipher,
        certificate=certificate,
        code=row.code,
        enhanced=row.enhanced,
        reply=row.reply,
        transcript=[
            LineOut(at_ms=line.at, who=_WHO.get(line.who, "note"), text=line.text)
            for line in transcript.decode(row.transcript)
        ],
    )


def _waiting(api: Api, item: QueueItem) -> WaitingOut:
    due_at = {AT_ONCE: api.clock.now_ms(), NEVER: None}.get(item.due_at, item.due_at)
    hold = Hold(item.hold) if item.hold else None
    timed = hold in (None, Hold.QUOTA, Hold.SCHEDULED)
    return WaitingOut(
        due_at=due_at if timed else None,
        under_way=item.mark > 0,
        expires_at=item.expires_at,
        hold=hold,
        why=item.reply[:255] if hold is None else HOLDS[hold],
    )
