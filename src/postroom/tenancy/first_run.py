"""What the first run makes, so that the first message can be sent at once: an approved account, an operator, a
sandbox domain, an SMTP user.

It may be interrupted anywhere and begun again: what is there already is kept, and the run is over only when `finish`
says so. Until then the passwords are kept, sealed, because the tables have only their hashes: a card that somebody has
read stays true.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from postroom.runtime import ids
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

DOMAIN = "sandbox.postroom.example"
"""Reserved for examples (RFC 6761 section 6.5): it can never be anybody's. Names under `.test` would do, too, but clients
that check addresses refuse those, the Python SDK among them."""
OPERATOR = f"operator@{DOMAIN}"
ACCOUNT = "First account"
SMTP_USER = "First SMTP user"


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What was made. The passwords are shown on the ready card and nowhere else.

    `operator_password` is empty when somebody added this person before the first run.
    """

    account: Account
    domain: Domain
    smtp_user: NewSmtpUser
    operator: str
    operator_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Passwords:
    operator: str = ""
    smtp_user_id: str = ""
    smtp_user: str = ""


async def make(db: Database, box: SecretBox) -> FirstRun | None:
    """Make what is missing; None when the first run is over. Another node that tries at the same time waits, and
    then finds the same."""
    async with db.read() as guard:
        await installation.lock(guard, STATE)
        async with db.read() as connection:
            state = await installation.get(connection, STATE)
        if state == DONE:
            return None
        known = _unseal(box, state) if state else None
        domain = await _domain(db, box)
        reach("first_run.domain_made")
        known = await _operator(db, box, domain.account_id, known)
        reach("first_run.operator_made")
        smtp_user = await _smtp_user(db, box, domain, known)
        reach("first_run.smtp_user_made")
        account = await accounts.get(db, domain.account_id)
        return FirstRun(account, domain, smtp_user, OPERATOR, known.operator)


async def finish(db: Database) -> None:
    """The card is written and the welcome is sent: from now on the first run is over."""
    async with db.write() as connection:
        await installation.put(connection, STATE, DONE)


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
    return await accounts.add(db, ACCOUNT, approved=True)


async def _operator(db: Database, box: SecretBox, account_id: str, known: _Passwords | None) -> _Passwords:
    async with db.read() as connection:
        exists = await user_store.by_email(connection, OPERATOR) is not None
    if known is None:
        known = _Passwords(operator="" if exists else ids.secret(18))
        await _keep(db, box, known)
    if not exists:
        await users.add(
            db,
            OPERATOR,
            account_id=account_id,
            grant=users.EVERYTHING,
            operator=True,
            password=known.operator,
            by=SYSTEM,
        )
    return known


async def _smtp_user(db: Database, box: SecretBox, domain: Domain, known: _Passwords) -> NewSmtpUser:
    user = next((user for user in await smtp_users.list_all(db, domain.id) if user.name == SMTP_USER), None)
    if user is not None and user.id == known.smtp_user_id:
        return NewSmtpUser(
            user.id, user.name, user.username, known.smtp_user, user.account_id, user.domain_id
        )
    if user is None:
        made = await smtp_users.add(db, domain.id, name=SMTP_USER)
    else:
        made = await smtp_users.reset_password(db, user.id)  # nobody has seen the one that was lost
    await _keep(db, box, replace(known, smtp_user_id=made.id, smtp_user=made.password))
    return made


async def _keep(db: Database, box: SecretBox, passwords: _Passwords) -> None:
    sealed = box.seal(json.dumps(asdict(passwords)).encode(), STATE)
    async with db.write() as connection:
        await installation.put(connection, STATE, sealed.hex())


def _unseal(box: SecretBox, state: str) -> _Passwords:
    return _Passwords(**json.loads(box.open(bytes.fromhex(state), STATE)))
