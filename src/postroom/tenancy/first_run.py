"""What the first run makes, so that the first message can be sent at once: an approved account, an operator, a
sandbox domain, an SMTP user. The operator has no password yet: a link signs them in, and they choose one then.

It may be interrupted anywhere and begun again: what is there already is kept, and the run is over only when `finish`
says so. Until then the SMTP user's password is kept, sealed, because the tables have only its hash: a card that somebody
has read stays true.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from postroom.runtime.killpoints import reach
from postroom.runtime.secrets import SecretBox
from postroom.store import installation
from postroom.store import users as user_store
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import accounts, domains, smtp_users, users
from postroom.tenancy.smtp_users import NewSmtpUser
from postroom.types.actor import SYSTEM

STATE = "first_run"
DONE = "done"
WELCOME = "welcome"

DOMAIN = "sandbox.postroom.example"
"""Reserved for examples (RFC 6761 section 6.5): it can never be anybody's. Names under `.test` would do, too, but clients
that check addresses refuse those, the Python SDK among them."""
OPERATOR = f"operator@{DOMAIN}"
ACCOUNT = "First account"
SMTP_USER = "First SMTP user"


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What was made. The SMTP user's password is shown on the ready card and nowhere else."""

    account: Account
    domain: Domain
    smtp_user: NewSmtpUser
    operator: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """The SMTP user on the card: its id and password."""

    smtp_user_id: str = ""
    password: str = field(default="", repr=False)


async def make(db: Database, box: SecretBox) -> FirstRun | None:
    """Make what is missing; None when the first run is over. Another node that tries at the same time waits, and
    then finds the same."""
    async with db.read() as guard:
        await installation.lock(guard, STATE)
        async with db.read() as connection:
            state = await installation.get(connection, STATE)
        if state == DONE:
            return None
        shown = _unseal(box, state) if state else _Shown()
        domain = await _domain(db, box)
        reach("first_run.domain_made")
        await _operator(db, domain.account_id)
        reach("first_run.operator_made")
        smtp_user = await _smtp_user(db, box, domain, shown)
        reach("first_run.smtp_user_made")
        account = await accounts.get(db, domain.account_id)
        return FirstRun(account, domain, smtp_user, OPERATOR)


async def finish(db: Database, *, welcome: str = "") -> None:
    """The card is written and the welcome is sent: from now on the first run is over. `welcome` is its message's id, ""
    when it could not be sent."""
    async with db.write() as connection:
        await installation.put(connection, STATE, DONE)
        await installation.put(connection, WELCOME, welcome)


async def _domain(db: Database, box: SecretBox) -> Domain:
    known = {domain.name: domain for domain in await domains.list_all(db)}
    if DOMAIN in known:
        return known[DOMAIN]
    account = await _account(db)
    reach("first_run.account_made")
    return await domains.add(db, box, DOMAIN, account_id=account.id, mode=domains.SANDBOX, by=SYSTEM)


async def _account(db: Database) -> Account:
    for account in await accounts.list_all(db):
        if account.name == ACCOUNT:
            return account
    return await accounts.add(db, ACCOUNT, approved=True, by=SYSTEM)


async def _operator(db: Database, account_id: str) -> None:
    async with db.read() as connection:
        exists = await user_store.by_email(connection, OPERATOR) is not None
    if not exists:
        await users.add(
            db,
            OPERATOR,
            account_id=account_id,
            grant=users.EVERYTHING,
            operator=True,
            password=None,
            by=SYSTEM,
        )


async def _smtp_user(db: Database, box: SecretBox, domain: Domain, shown: _Shown) -> NewSmtpUser:
    user = next((user for user in await smtp_users.list_all(db, domain.id) if user.name == SMTP_USER), None)
    if user is not None and user.id == shown.smtp_user_id:
        return NewSmtpUser(user, shown.password)
    if user is None:
        made = await smtp_users.add(db, domain.id, name=SMTP_USER, by=SYSTEM)
    else:
        # Nobody has seen the one that was lost.
        made = await smtp_users.reset_password(db, user, by=SYSTEM)
    await _keep(db, box, _Shown(made.id, made.password))
    return made


async def _keep(db: Database, box: SecretBox, shown: _Shown) -> None:
    sealed = box.seal(json.dumps(asdict(shown)).encode(), STATE)
    async with db.write() as connection:
        await installation.put(connection, STATE, sealed.hex())


def _unseal(box: SecretBox, state: str) -> _Shown:
    return _Shown(**json.loads(box.open(bytes.fromhex(state), STATE)))
