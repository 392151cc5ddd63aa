"""The way from a fresh installation to a real message, for the operator who walks it in the dashboard.

Nothing of it is remembered but what was left out: each step looks at what there is (the account somebody works in, the
last network checks), so it is right however a step was done, by hand, by the API or at the command line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import domains, emails, installation, smtp_users, users
from postroom.store import first_run_steps as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.emails import Email
from postroom.store.users import User
from postroom.tenancy import audit, network_checks
from postroom.tenancy.domains import LIVE, SANDBOX
from postroom.tenancy.first_run import WELCOME
from postroom.tenancy.network_checks import HOST_NAME, PORT_25
from postroom.types.actor import Actor
from postroom.types.check import OK, Check
from postroom.types.status import EmailStatus

MARKS = "first_run_marks"


class Step(StrEnum):
    """In the order in which they are walked."""

    ACCOUNT = "account"
    SANDBOX = "sandbox"
    HOST_NAME = "host_name"
    PORT_25 = "port_25"
    DOMAIN = "domain"
    SMTP_USER = "smtp_user"
    MESSAGE = "message"


class State(StrEnum):
    DONE = "done"
    OPEN = "open"  # still to be done
    PROBLEM = "problem"  # done, and not well: `fix` says how to mend it


@dataclass(frozen=True, slots=True)
class Found:
    """`object_id` is what the step is about: a message, a domain, an SMTP user; "" for none."""

    step: Step
    state: State
    detail: str
    fix: str = ""
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What operators said themselves: steps they leave out, and that they do not want to see it any more."""

    skipped: frozenset[Step] = field(default=frozenset())
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """`domain` is the live one that the later steps are about: a verified one, if there is."""

    steps: Sequence[Found]
    domain: Domain | None
    marks: Marks


async def look(db: Database, user_id: str, account_id: str) -> Progress:
    """Where somebody who works in this account stands."""
    run = await network_checks.last(db)
    checks = {check.name: check for check in run.checks} if run is not None else {}
    async with db.read() as connection:
        user = await users.get(connection, user_id)
        owned = await domains.list_all(connection, account_id)
        live = sorted((one for one in owned if one.mode == LIVE), key=lambda one: one.verified_at is None)
        domain = live[0] if live else None
        verified = [one.id for one in live if one.verified_at is not None]
        steps = [
            _account(user),
            await _sandbox(connection, account_id, [one for one in owned if one.mode == SANDBOX]),
            _network(Step.HOST_NAME, checks.get(HOST_NAME)),
            _network(Step.PORT_25, checks.get(PORT_25)),
            _domain(domain),
            await _smtp_user(connection, live),
            await _message(connection, account_id, verified),
        ]
        return Progress(steps, domain, _marks(await installation.get(connection, MARKS)))


async def mark(
    db: Database, *, skipped: Collection[Step] | None = None, closed: bool | None = None, by: Actor
) -> None:
    """Leave steps out, or come back to them; None: as before."""
    async with db.write() as connection:
        await installation.lock(connection, MARKS)
        before = _marks(await installation.get(connection, MARKS))
        after = Marks(
            before.skipped if skipped is None else frozenset(skipped),
            before.closed if closed is None else closed,
        )
        if after == before:
            return
        kept = json.dumps({"skipped": sorted(after.skipped), "closed": after.closed})
        await installation.put(connection, MARKS, kept)
        await audit.record(
            connection, by, "first_run.marked", account_id="", before=asdict(before), after=asdict(after)
        )


def _marks(kept: str | None) -> Marks:
    if kept is None:
        return Marks()
    values = json.loads(kept)
    return Marks(frozenset(Step(one) for one in values["skipped"]), values["closed"])


# -- the steps --------------------------------------------------------------------------------------------------


def _account(user: User | None) -> Found:
    if user is not None and user.password_hash:
        return Found(Step.ACCOUNT, State.DONE, "You have a password.")
    detail = "You came by a link, which is good once."
    return Found(Step.ACCOUNT, State.OPEN, detail, "Choose a password in your profile.")


async def _sandbox(connection: AsyncConnection, account_id: str, sandboxes: Sequence[Domain]) -> Found:
    """The welcome that the first run has sent itself does not count."""
    if not sandboxes:
        return Found(Step.SANDBOX, State.OPEN, "There is no sandbox domain.", "Add one.")
    welcome = await installation.get(connection, WELCOME) or ""
    ids = [one.id for one in sandboxes]
    message_id = await store.newest_in_inbox(connection, account_id, ids, but=welcome)
    if message_id is not None:
        return Found(Step.SANDBOX, State.DONE, "The sandbox inbox has a message.", object_id=message_id)
    fix = f"Send one from anything@{sandboxes[0].name}: nothing leaves the machine."
    return Found(Step.SANDBOX, State.OPEN, "The sandbox inbox has no message of yours yet.", fix)


def _network(step: Step, check: Check | None) -> Found:
    if check is None:
        return Found(step, State.OPEN, "It was not looked at yet.", "Run the network checks.")
    return Found(step, State.DONE if check.result == OK else State.PROBLEM, check.detail, check.fix)


def _domain(domain: Domain | None) -> Found:
    if domain is None:
        return Found(Step.DOMAIN, State.OPEN, "There is no live domain.", "Add the domain you send from.")
    if domain.verified_at is None:
        detail = f"The records of {domain.name} do not prove it yet."
        fix = "Publish its DNS records, then check them."
        return Found(Step.DOMAIN, State.OPEN, detail, fix, domain.id)
    if domain.failing_since is not None:
        detail = f"The DKIM record of {domain.name} is gone."
        return Found(Step.DOMAIN, State.PROBLEM, detail, "Publish it again.", domain.id)
    return Found(Step.DOMAIN, State.DONE, f"{domain.name} is verified.", object_id=domain.id)


async def _smtp_user(connection: AsyncConnection, live: Sequence[Domain]) -> Found:
    for domain in live:
        for user in await smtp_users.list_all(connection, domain.id):
            if user.enabled:
                return Found(Step.SMTP_USER, State.DONE, f"{user.name} may send.", object_id=user.id)
    detail = "There is no SMTP user for a live domain."
    return Found(Step.SMTP_USER, State.OPEN, detail, "Generate one on the domain's page.")


async def _message(connection: AsyncConnection, account_id: str, verified: Sequence[str]) -> Found:
    message_id = await store.newest_message(connection, account_id, verified) if verified else None
    if message_id is None:
        fix = "Send one to an address of your own."
        return Found(Step.MESSAGE, State.OPEN, "No message was sent from a verified domain yet.", fix)
    written = await emails.of_message(connection, account_id, message_id)
    return _outcome(message_id, written)


def _outcome(message_id: str, written: Sequence[Email]) -> Found:
    """The best that became of it."""
    for email in written:
        if email.status == EmailStatus.DELIVERED:
            detail = f"{email.recipient} has it: {email.reply}"
            return Found(Step.MESSAGE, State.DONE, detail, object_id=message_id)
    for email in written:
        if not EmailStatus(email.status).final:
            detail = f"It is on its way to {email.recipient}: {email.reply or email.status}"
            return Found(Step.MESSAGE, State.OPEN, detail, "Its timeline tells more.", message_id)
    said = f"{written[0].recipient}: {written[0].reply or written[0].status}" if written else "It is gone."
    return Found(Step.MESSAGE, State.PROBLEM, said, "Its timeline tells why.", message_id)
