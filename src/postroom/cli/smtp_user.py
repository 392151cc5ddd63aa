"""`postroom smtp-user`: the relay's credentials, and what each may do."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from postroom.cli import running
from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.moments import moment_of
from postroom.cli.output import shown
from postroom.store.database import Database
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy import domains, smtp_users
from postroom.tenancy.smtp_users import NewSmtpUser
from postroom.types.draft import Stream

app = group("The relay's credentials. Each belongs to a domain.")

LIST_COLUMNS = ("id", "username", "name", "enabled", "expires_at", "last_used_at", "created_at")
ANY, NEVER = "any", "never"

Which = Annotated[
    str, typer.Argument(metavar="ID", help="The id or the username, as `smtp-user list` prints them.")
]
FromDomain = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DOMAIN",
        help="From may only be under this domain of the account; may be given several times. `any`: every verified one.",
    ),
]
HourlyCap = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Most emails an hour; each recipient is one. 0: no cap."),
]
DailyCap = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Most emails a day, which begins at 00:00 UTC. 0: no cap."),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CIDR",
        help="May log in only from this address or network; may be given several times. `any`: from anywhere.",
    ),
]
StreamOption = Annotated[
    Stream | None, typer.Option("--stream", help="What its mail is unless the message says otherwise.")
]
Expires = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="When it ends: after `90d`, or at `2027-01-31` or `2027-01-31T12:00` (UTC). `never`: not at all.",
    ),
]
RefuseSuppressed = Annotated[
    bool | None,
    typer.Option(
        "--refuse-suppressed/--accept-suppressed",
        help="Refuse suppressed recipients with a 550, instead of accepting them and sending nothing.",
    ),
]


@command(app)
async def add(
    context: Context,
    domain: Annotated[
        str, typer.Argument(metavar="DOMAIN", help="Name or id; From must be under a verified domain.")
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What uses it, for people.")],
    from_domain: FromDomain = None,
    hourly_cap: HourlyCap = None,
    daily_cap: DailyCap = None,
    allow: Allow = None,
    stream: StreamOption = None,
    expires: Expires = None,
    refuse_suppressed: RefuseSuppressed = None,
) -> None:
    """Add an SMTP user and print its password, this once, with the relay to connect to."""
    async with context.database() as database:
        found = await domains.find(database, domain)
        limits = _plain(context, hourly_cap, daily_cap, allow, stream, expires, refuse_suppressed)
        limits |= await _senders(database, found.account_id, from_domain)
        made = await smtp_users.add(database, found.id, name=name, by=context.actor, **limits)
    _show_once(context, made)


@command(app)
async def change(
    context: Context,
    which: Which,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What uses it, for people.")] = None,
    from_domain: FromDomain = None,
    hourly_cap: HourlyCap = None,
    daily_cap: DailyCap = None,
    allow: Allow = None,
    stream: StreamOption = None,
    expires: Expires = None,
    refuse_suppressed: RefuseSuppressed = None,
) -> None:
    """Change what an SMTP user may do; what is not given stays. It counts within a second, also for open connections."""
    async with context.database() as database:
        user = await smtp_users.find(database, which)
        new = _plain(context, hourly_cap, daily_cap, allow, stream, expires, refuse_suppressed)
        new |= await _senders(database, user.account_id, from_domain)
        new |= {} if name is None else {"name": name}
        changed = await smtp_users.change(database, user, by=context.actor, **new)
    context.out.record("SMTP user", _row(changed))


@command(app, "list")
async def list_(
    context: Context,
    domain: Annotated[
        str | None, typer.Argument(metavar="[DOMAIN]", help="Only those of this domain.")
    ] = None,
) -> None:
    """List SMTP users. Passwords are not known any more."""
    async with context.database() as database:
        rows = [_row(user) for user in await smtp_users.list_all(database, domain)]
    empty = "There is no SMTP user yet: `postroom smtp-user add DOMAIN --name NAME`."
    context.out.records("SMTP users", rows, LIST_COLUMNS, empty=empty)


@command(app)
async def disable(context: Context, which: Which) -> None:
    """Switch an SMTP user off: logins are refused, and its open connections end within a second."""
    await _set_enabled(context, which, enabled=False)


@command(app)
async def enable(context: Context, which: Which) -> None:
    """Switch an SMTP user on again."""
    await _set_enabled(context, which, enabled=True)


@command(app, "reset-password")
async def reset_password(context: Context, which: Which) -> None:
    """Make a new password and print it, this once. The old one is refused at once."""
    async with context.database() as database:
        user = await smtp_users.find(database, which)
        made = await smtp_users.reset_password(database, user, by=context.actor)
    _show_once(context, made)


@command(app)
async def delete(context: Context, which: Which) -> None:
    """Delete an SMTP user. What it has handed over is delivered all the same."""
    async with context.database() as database:
        user = await smtp_users.find(database, which)
        await smtp_users.delete(database, user, by=context.actor)
    context.out.record("Deleted", {"id": user.id, "username": user.username})


async def _set_enabled(context: Context, which: str, *, enabled: bool) -> None:
    async with context.database() as database:
        user = await smtp_users.find(database, which)
        changed = await smtp_users.change(database, user, by=context.actor, enabled=enabled)
    context.out.record("SMTP user", _row(changed))


def _plain(
    context: Context,
    hourly_cap: int | None,
    daily_cap: int | None,
    allow: list[str] | None,
    stream: Stream | None,
    expires: str | None,
    refuse_suppressed: bool | None,
) -> dict[str, Any]:
    """What was given, as it is stored. Raises PostroomError."""
    given: dict[str, Any] = {}
    if hourly_cap is not None:
        given["hourly_cap"] = hourly_cap or None
    if daily_cap is not None:
        given["daily_cap"] = daily_cap or None
    if allow:
        given["allowed_addresses"] = "" if allow == [ANY] else smtp_users.networks(allow)
    if stream is not None:
        given["stream"] = stream.value
    if expires is not None:
        now = context.clock.now_ms()
        given["expires_at"] = None if expires == NEVER else moment_of("--expires", expires, now)
    if refuse_suppressed is not None:
        given["refuse_suppressed"] = refuse_suppressed
    return given


async def _senders(database: Database, account_id: str, chosen: list[str] | None) -> dict[str, str]:
    if not chosen:
        return {}
    found = "" if chosen == [ANY] else await smtp_users.from_domains(database, account_id, chosen)
    return {"from_domains": found}


def _row(user: SmtpUser) -> dict[str, Any]:
    return shown(user) | {
        "allowed_addresses": user.allowed_addresses.splitlines(),
        "from_domains": user.from_domains.splitlines(),
    }


def _show_once(context: Context, made: NewSmtpUser) -> None:
    listeners = running.listeners(context.config)
    user = made.user
    row = {
        "id": user.id,
        "name": user.name,
        "username": user.username,
        "password": made.password,
        "server": running.server_name(context.config),
        "port": listeners[0]["port"] if listeners else None,
        "account_id": user.account_id,
        "domain_id": user.domain_id,
    }
    context.out.record("SMTP user", row)
    context.out.note("The password is not shown again.")
