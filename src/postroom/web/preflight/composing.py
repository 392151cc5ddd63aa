"""Render, build and sign as delivery would, then look at the result as a receiver would. Runs in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from functools import partial

from postroom.compose.compose import CHUNK, OpenBlob, Stored, Uncomposed, compose
from postroom.compose.personal import personalise
from postroom.types.composed import Composed
from postroom.types.draft import Draft
from postroom.web.preflight.report import Finding, Verdict
from postroom.wire.dkim import SigningKey
from postroom.wire.dkim_verify import problem
from postroom.wire.mime.header import Header, read_header
from postroom.wire.template import TemplateCache

VALID = 7 * 86400
"""Seconds; what is signed here goes nowhere."""
NAMED = 5
"""Recipients named in one finding."""
_AGAIN = "Send the message again; if it fails again the operator should see the log."


@dataclass(frozen=True, slots=True)
class Workshop:
    """`record` is the TXT record of the key, "" when there is none; `source` says where it is from."""

    key: SigningKey
    record: str
    source: str
    open_blob: OpenBlob
    templates: TemplateCache


def composed(draft: Draft, workshop: Workshop, hostname: str, now: int) -> list[Finding]:
    """`now` in milliseconds."""
    stored = Stored.from_draft(draft, hostname)
    made, failed = _made(draft, stored, workshop, now // 1000)
    findings = [_rendered(draft, failed)] if draft.content.personalised else []
    if made is None:
        return findings if findings else [_unbuilt(failed)]
    return [*findings, *_checked(made, workshop)]


def _made(
    draft: Draft, stored: Stored, workshop: Workshop, at: int
) -> tuple[Composed | None, dict[str, str]]:
    """One message that can be sent, and what is wrong with those that cannot, by recipient."""
    one, failed = None, dict[str, str]()
    for recipient in draft.envelope.recipients:
        address = str(recipient.address)
        given = draft.personalizations.get(address, b"")
        render = partial(personalise, personalization=given, templates=workshop.templates)
        result = compose(
            stored,
            workshop.key,
            workshop.open_blob,
            at=at,
            expires=at + VALID,
            render=render if draft.content.personalised else None,
        )
        if isinstance(result, Uncomposed):
            failed[address] = result.reply.text
        else:
            one = one or result
        if not draft.content.personalised:
            break
    return one, failed


def _rendered(draft: Draft, failed: dict[str, str]) -> Finding:
    if not failed:
        return Finding.passed("render", f"Rendered for {_recipients(draft.envelope.recipients)}.")
    told = "; ".join(f"{address}: {why}" for address, why in list(failed.items())[:NAMED])
    fix = "Correct the template, or give these recipients the values it needs."
    return Finding("render", Verdict.FAIL, f"It fails for {_recipients(failed)}. {told}", fix)


def _unbuilt(failed: dict[str, str]) -> Finding:
    return Finding("build", Verdict.FAIL, "; ".join(failed.values()), _AGAIN)


def _checked(made: Composed, workshop: Workshop) -> Iterator[Finding]:
    """Read again from the octets that would go over the wire."""
    head, _, begun = made.head.partition(b"\r\n\r\n")
    header = read_header(head + b"\r\n")
    if not isinstance(header, Header):
        evidence = f"Line {header.line} of the finished header: {header.problem}."
        yield Finding("build", Verdict.FAIL, evidence, _AGAIN)
        return
    yield Finding.passed("build", f"{made.size} octets, {len(header.fields)} header fields.")
    wrong = "there is no such record"
    if workshop.record:
        wrong = problem(header.fields, _body(made, begun, workshop.open_blob), workshop.record)
    if wrong:
        fix = "Publish the TXT record of the key as the domain's page shows it."
        yield Finding("signature", Verdict.FAIL, f"Verified with {workshop.source}: {wrong}.", fix)
    else:
        yield Finding.passed("signature", f"Verified with {workshop.source}: good.")


def _body(made: Composed, begun: bytes, open_blob: OpenBlob) -> Iterator[bytes]:
    yield begun
    yield made.body
    if made.blob is not None:
        with open_blob(made.blob, made.offset) as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _recipients(some: Sized) -> str:
    return f"{len(some)} recipient{'s' if len(some) != 1 else ''}"
