"""`postroom user`: the people who look after accounts."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from postroom.cli import password as passwords
from postroom.cli import running
from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.errors import PostroomError
from postroom.store.database import Database
from postroom.tenancy import domains, enrolment, sessions, sign_in_links, users
from postroom.tenancy.grants import Grant
from postroom.tenancy.users import Member
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused

app = group("The people who look after accounts.")

LIST_COLUMNS = ("id", "email", "operator", "roles", "created_at")
SESSION_COLUMNS = ("id", "client", "user_agent", "created_at", "last_used_at", "expires_at")

Who = Annotated[
    str, typer.Argument(metavar="USER", help="The address or the id, as `user list` prints them.")
]
AccountOption = Annotated[str, typer.Option(metavar="ID", help="In which account.")]
RoleOption = Annotated[Role, typer.Option(help="What the person may do in the account.")]
PermissionOption = Annotated[
    list[Permission] | None, typer.Option(help="What a Custom User may do; once for each.")
]
DomainOption = Annotated[
    list[str] | None,
    typer.Option(metavar="DOMAIN", help="Name or id: a Custom User sees only these domains of the account."),
]


@command(app)
async def add(
    context: Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="What the person signs in with.")],
    account: AccountOption,
    role: RoleOption,
    permission: PermissionOption = None,
    domain: DomainOption = None,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the password from standard input instead of asking."),
    ] = False,
    operator: Annotated[
        bool, typer.Option("--operator", help="The person may do everything on this installation.")
    ] = False,
) -> None:
    """Add a person with a role in an account.

    The password has at least 10 characters and is never an argument: other users of the machine could see it.
    """
    password = passwords.read(from_stdin=password_stdin)
    async with context.database() as database:
        user = await users.add(
            database,
            email,
            account_id=account,
            grant=await _grant(database, account, role, permission or [], domain or []),
            operator=operator,
            password=password,
            by=context.actor,
        )
    context.out.record("User", shown(user))


@command(app, "list")
async def list_(context: Context) -> None:
    """List all people, with their role in each account."""
    async with context.database() as database:
        rows = [shown(user) for user in await users.list_all(database)]
    context.out.records("Users", rows, LIST_COLUMNS, empty="There is no user yet: `postroom user add EMAIL`.")


@command(app, "set-role")
async def set_role(
    context: Context,
    user: Who,
    account: AccountOption,
    role: RoleOption,
    permission: PermissionOption = None,
    domain: DomainOption = None,
) -> None:
    """Give a person another role in an account, within a second. One Admin always remains."""
    async with context.database() as database:
        found = await users.find(database, user)
        grant = await _grant(database, account, role, permission or [], domain or [])
        changed = await users.change(
            database, account, found.id, grant, within=users.EVERYTHING, by=context.actor
        )
    context.out.record("User", _row(changed))


@command(app)
async def remove(context: Context, user: Who, account: AccountOption) -> None:
    """Take a person out of an account, within a second. Their other accounts stay, and so does one Admin here."""
    async with context.database() as database:
        found = await users.find(database, user)
        removed = await users.remove(database, account, found.id, within=users.EVERYTHING, by=context.actor)
    context.out.record("Removed", _row(removed))


@command(app, "sessions")
async def sessions_(context: Context, user: Who) -> None:
    """List where a person is signed in."""
    async with context.database() as database:
        found = await users.find(database, user)
        rows = [shown(session) for session in await sessions.list_all(database, found.id)]
    context.out.records("Sessions", rows, SESSION_COLUMNS, empty=f"{found.email} is not signed in anywhere.")


@command(app, "sign-out")
async def sign_out(context: Context, user: Who) -> None:
    """End all sessions of a person, within a second."""
    async with context.database() as database:
        found = await users.find(database, user)
        ended = await sessions.revoke_all(database, found.id, by=context.actor)
    context.out.record("Signed out", {"email": found.email, "sessions": len(ended)})


@command(app, "sign-in-link")
async def sign_in_link(context: Context, user: Who) -> None:
    """Print a link that signs a person in, once, within 15 minutes. It stands for their password: a second step, if they
    have one, is asked for all the same."""
    async with context.database() as database:
        secret = await sign_in_links.add(database, user, now=context.clock.now_ms(), by=context.actor)
    url = f"{running.base_url(context.config)}{sign_in_links.PAGE}{secret}"
    context.out.value({"url": url}, lambda: Text(url))


@command(app, "disable-second-factor")
async def disable_second_factor(context: Context, user: Who) -> None:
    """For who has lost their phone and the recovery codes: signing in takes one step again. Ends all their sessions."""
    async with context.database() as database:
        found = await users.find(database, user)
        done = await enrolment.disable_for(database, found.id, by=context.actor)
    if isinstance(done, Refused):
        raise PostroomError(done.text)
    context.out.record("Second step off", {"id": found.id, "email": found.email})


async def _grant(
    database: Database, account: str, role: Role, chosen: list[Permission], named: list[str]
) -> Grant:
    """Raises PostroomError when options do not go together."""
    if role is not Role.CUSTOM_USER and (chosen or named):
        raise PostroomError(f"--permission and --domain are for a {Role.CUSTOM_USER}")
    if role is Role.CUSTOM_USER and not chosen:
        raise PostroomError(f"a {Role.CUSTOM_USER} needs at least one --permission")
    found = await domains.list_all(database, account_id=account)
    owned = {key: domain.id for domain in found for key in (domain.id, domain.name)}
    unknown = [name for name in named if name not in owned]
    if unknown:
        raise PostroomError(f"the account has no domain {', '.join(unknown)}")
    return Grant(role, frozenset(chosen), frozenset(owned[name] for name in named) or None)


def _row(changed: Member | Refused) -> dict[str, Any]:
    """Raises PostroomError with why it was refused."""
    if isinstance(changed, Refused):
        raise PostroomError(changed.text)
    return {"id": changed.user.id, "email": changed.user.email} | shown(changed.membership)
