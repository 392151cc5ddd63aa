"""The rules: who may send what. Each is a short function with a name; the lists below are their order.

A rule looks at a candidate and says None, or refuses with an entry of the catalogue. The edges differ only in when
they ask: SMTP asks about the account at MAIL (so that a client's connection test passes and the reason shows) and
about everything at the end of data; the API asks once. Quota and suppressions are decided again, exactly, in the
transaction that stores the message (`accept.commit`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from postroom.config import Config
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.entries import AccountState, Credential, DomainInfo
from postroom.types import refusals
from postroom.types.draft import Content, CredentialKind, Draft, Stream
from postroom.types.envelope import Address, Envelope
from postroom.types.refusals import Refused
from postroom.wire.mime.addresses import read_addresses
from postroom.wire.mime.encoded_words import display
from postroom.wire.mime.header import Header, HeaderProblem, read_header
from postroom.wire.mime.message_id import valid_message_id

MOST_TAGS, LONGEST_TAG = 5, 100
TAGS, STREAM = b"X-MailerSend-Tags", b"X-Postroom-Stream"

_PREFLIGHT = re.compile(rb"^x-postroom-preflight:[ \t]*only[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class Candidate:
    """A message that wants in. The rules fill what they find out, in their order."""

    credential: Credential
    account: AccountState
    envelope: Envelope
    content: Content
    config: Config
    header: Header = field(default_factory=lambda: Header([]))
    authors: list[Address] = field(default_factory=list)
    domain: DomainInfo | None = None
    stream: Stream = Stream.TRANSACTIONAL
    tags: tuple[str, ...] = ()
    credential_kind: CredentialKind = CredentialKind.SMTP_USER


Rule = Callable[[Candidate], Refused | None]


def run(rules: Iterable[Rule], candidate: Candidate) -> Refused | None:
    """The first refusal, or None: every rule is content."""
    for rule in rules:
        refused = rule(candidate)
        if refused is not None:
            return refused
    return None


def account_state(account: AccountState, config: Config) -> Refused | None:
    """Approved and not suspended. Asked at MAIL, and again at the end of data: things change meanwhile."""
    if account.state == "suspended":
        contact = config.server.contact or "the operator of this server"
        return Refused(refusals.ACCOUNT_SUSPENDED, {"account": account.name, "contact": contact})
    if account.state != "approved":
        return Refused(refusals.ACCOUNT_UNAPPROVED, {"account": account.name})
    return None


def account_may_send(candidate: Candidate) -> Refused | None:
    """Who is not approved yet may try things out over the API: what harms nobody else is let through."""
    refused = account_state(candidate.account, candidate.config)
    if refused is None or refused.rule is not refusals.ACCOUNT_UNAPPROVED or not _stays_with_them(candidate):
        return refused
    return None


def _stays_with_them(candidate: Candidate) -> bool:
    """It comes from sandbox domains, which nothing leaves; or all recipients are at domains of the account that it has
    proved to be its own."""
    account, authors = candidate.account, candidate.authors
    if not authors or candidate.credential_kind is CredentialKind.SMTP_USER:
        return False
    if all(_has_mode(account.sending_domain(author), "sandbox") for author in authors):
        return True
    recipients = candidate.envelope.recipients
    return all(_has_mode(account.covering(recipient.address.domain), "live") for recipient in recipients)


def _has_mode(domain: DomainInfo | None, mode: str) -> bool:
    return domain is not None and domain.mode == mode


def recipients_fit_the_plan(candidate: Candidate) -> Refused | None:
    most = entitlements(candidate.account, candidate.config).recipients
    if most is None or len(candidate.envelope.recipients) <= most:
        return None
    return Refused(refusals.TOO_MANY_RECIPIENTS, {"limit": str(most)})


def header_can_be_read(candidate: Candidate) -> Refused | None:
    """Strict, on the raw bytes: what two programs would read differently is not let in (S11)."""
    header = read_header(candidate.content.header)
    if isinstance(header, HeaderProblem):
        return Refused(refusals.HEADER_INVALID, {"line": str(header.line), "problem": header.problem})
    repeated = header.repeated()
    if repeated is not None:
        return Refused(refusals.HEADER_REPEATED, {"field": repeated.decode("ascii")})
    candidate.header = header
    return None


def no_loop(candidate: Candidate) -> Refused | None:
    hops = len(candidate.header.all(b"Received"))
    if hops > candidate.config.submission.max_hops:
        return Refused(refusals.TOO_MANY_HOPS, {"count": str(hops)})
    return None


def from_is_verified(candidate: Candidate) -> Refused | None:
    """Every address in From and Sender lies under a domain this account has verified, or is a sender identity (S10);
    and an SMTP user that is limited to some domains uses those, what lies under them, and their sender identities."""
    if candidate.header.first(b"From") is None:
        return Refused(refusals.FROM_MISSING)
    for name in (b"From", b"Sender"):
        refused = _verify(candidate, name)
        if refused is not None:
            return refused
    return None


def _verify(candidate: Candidate, name: bytes) -> Refused | None:
    written = candidate.header.first(name)
    if written is None:
        return None
    label = name.decode("ascii")
    mailboxes = read_addresses(written.value)
    if isinstance(mailboxes, str):
        return Refused(refusals.FROM_INVALID, {"field": label, "problem": mailboxes})
    if not mailboxes:
        return Refused(refusals.FROM_INVALID, {"field": label, "problem": "it holds no address"})
    if name == b"From":
        candidate.authors = [mailbox.address for mailbox in mailboxes]
    return _are_verified(candidate, [mailbox.address for mailbox in mailboxes], label)


def _are_verified(candidate: Candidate, addresses: Iterable[Address], label: str) -> Refused | None:
    for address in addresses:
        domain = candidate.account.sending_domain(address)
        if domain is None:
            return Refused(refusals.FROM_NOT_VERIFIED, {"domain": address.domain, "field": label})
        allowed = candidate.credential.from_domains
        if allowed is not None and not candidate.account.lies_under(domain.name, allowed):
            return Refused(refusals.FROM_NOT_ALLOWED, {"domain": address.domain, "field": label})
        candidate.domain = candidate.domain or domain  # the first author's domain signs
    return None


def authors_are_verified(candidate: Candidate) -> Refused | None:
    """`from_is_verified` where the authors are known without a header, as from the API."""
    return _are_verified(candidate, candidate.authors, "From")


def envelope_sender_fits(candidate: Candidate) -> Refused | None:
    """Anything valid will do (cron uses local names, the return path is ours), unless the domain is strict."""
    sender = candidate.envelope.sender
    if candidate.domain is None or not candidate.domain.strict_envelope or sender is None:
        return None
    if candidate.account.sending_domain(sender) is None:
        return Refused(refusals.ENVELOPE_NOT_VERIFIED, {"address": str(sender)})
    return None


def reply_to_is_valid(candidate: Candidate) -> Refused | None:
    written = candidate.header.first(b"Reply-To")
    if written is None:
        return None
    mailboxes = read_addresses(written.value)
    if isinstance(mailboxes, str):
        return Refused(refusals.REPLY_TO_INVALID, {"problem": mailboxes})
    return None if mailboxes else Refused(refusals.REPLY_TO_INVALID, {"problem": "it holds no address"})


def stream_is_known(candidate: Candidate) -> Refused | None:
    candidate.stream = candidate.credential.stream
    written = candidate.header.first(STREAM)
    if written is None:
        return None
    try:
        candidate.stream = Stream(written.unfolded.decode("ascii", "replace").lower())
    except ValueError:
        return Refused(refusals.STREAM_UNKNOWN)
    return None


def tags_are_few(candidate: Candidate) -> Refused | None:
    """`X-MailerSend-Tags: "a, b"`: at most five, separated by commas, quotes around the whole are stripped."""
    written = candidate.header.first(TAGS)
    if written is None:
        return None
    text = display(written.unfolded, 1000).strip().strip('"')
    tags = tuple(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip().strip('"'))))
    if len(tags) > MOST_TAGS:
        return Refused(
            refusals.TAGS_INVALID, {"problem": f"{len(tags)} tags; at most {MOST_TAGS} are allowed"}
        )
    if any(len(tag) > LONGEST_TAG for tag in tags):
        return Refused(refusals.TAGS_INVALID, {"problem": f"a tag has more than {LONGEST_TAG} characters"})
    candidate.tags = tags
    return None


MESSAGE: tuple[Rule, ...] = (
    account_may_send,
    recipients_fit_the_plan,
    header_can_be_read,
    no_loop,
    from_is_verified,
    envelope_sender_fits,
    reply_to_is_valid,
    stream_is_known,
    tags_are_few,
)


PARTS: tuple[Rule, ...] = (
    account_may_send,
    recipients_fit_the_plan,
    authors_are_verified,
    envelope_sender_fits,
)
"""Of a message that comes as parts: its fields were checked one by one, and headers are ours to write."""


def draft(candidate: Candidate, message_id: str, now: int) -> Draft:
    """What an admitted candidate becomes. `message_id` is its 24-hex id, `now` in milliseconds."""
    author = candidate.authors[0]
    domain = candidate.domain
    if domain is None:
        raise TypeError("a candidate without a verified domain was admitted")
    return Draft(
        id=message_id,
        account_id=candidate.account.id,
        domain_id=domain.id,
        credential_id=candidate.credential.id,
        envelope=candidate.envelope,
        content=candidate.content,
        signing_domain=domain.name,
        header_from=str(author)[:320],
        subject=_shown(candidate.header, b"Subject", 255),
        message_id=_message_id(candidate.header) or f"<{message_id}@{author.domain}>",
        received_at=now,
        stream=candidate.stream,
        tags=candidate.tags,
        refuse_suppressed=candidate.credential.refuse_suppressed,
        precedence_bulk=domain.precedence_bulk,
        paused=domain.send_paused,
    )


def preflight_only(header: bytes) -> bool:
    """Whether the client wants to hear what would become of its message, and nothing else (`web.preflight`)."""
    # Nearly nobody asks for it, and the expression looks at every octet in three times the time.
    return b"x-postroom-preflight:" in header.lower() and _PREFLIGHT.search(header) is not None


def shown_from(header: bytes) -> str:
    """The From of a message that may be refused, for the log: readable, cut, never an error. Of a header that is broken
    only what stands before the broken field is looked at."""
    read = read_header(header)
    if isinstance(read, HeaderProblem):
        read = read_header(b"".join(header.splitlines(keepends=True)[: read.line - 1]))
    return _shown(read, b"From", 320) if isinstance(read, Header) else ""


def _message_id(header: Header) -> str:
    written = header.first(b"Message-ID")
    return (
        written.unfolded.decode("ascii") if written is not None and valid_message_id(written.unfolded) else ""
    )


def _shown(header: Header, name: bytes, width: int) -> str:
    written = header.first(name)
    return display(written.value, width) if written is not None else ""
