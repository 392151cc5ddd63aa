"""`postroom account`: who mail belongs to."""

from __future__ import annotations

from typing import Annotated

import typer

from postroom.cli.command import command, group
from postroom.cli.context import Context
from postroom.cli.output import shown
from postroom.errors import PostroomError
from postroom.store.accounts import Account
from postroom.tenancy import accounts, quotas
from postroom.types.refusals import Refused

app = group("Who mail belongs to. An account sends once it is approved.")

LIST_COLUMNS = ("id", "name", "state", "plan", "daily_quota", "created_at")
NO_PLAN, DEFAULT = "none", "default"

AccountId = Annotated[str, typer.Argument(metavar="ID", help="As `account list` prints it.")]


@command(app)
async def add(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people; need not be unique.")],
    approved: Annotated[bool, typer.Option("--approved", help="It may send at once.")] = False,
    daily_quota: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Emails per day (UTC); 0 is no limit. Default: as its plan or limits.daily_quota.",
        ),
    ] = None,
    plan: Annotated[str, typer.Option(metavar="NAME", help="A plan of the configuration.")] = "",
) -> None:
    """Add an account and print it with its id."""
    refused = accounts.unknown(context.config, plan)
    if refused is not None:
        raise PostroomError(refused.text)
    async with context.database() as database:
        account = await accounts.add(
            database, name, approved=approved, daily_quota=daily_quota, plan=plan, by=context.actor
        )
    _print(context, account)


@command(app)
async def approve(context: Context, account_id: AccountId) -> None:
    """Let an account send. What a suspension held is queued again."""
    async with context.database() as database:
        _print(context, await accounts.approve(database, account_id, by=context.actor))


@command(app)
async def suspend(
    context: Context,
    account_id: AccountId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the account.")] = "",
) -> None:
    """Stop an account from sending, within 10 s. What it has queued is held until the suspension is lifted."""
    async with context.database() as database:
        _print(context, await accounts.suspend(database, account_id, reason, by=context.actor))


@command(app)
async def unsuspend(context: Context, account_id: AccountId) -> None:
    """Lift a suspension: the account is approved, or not, as it was before. What was held is queued again."""
    async with context.database() as database:
        _print(context, await accounts.unsuspend(database, account_id, by=context.actor))


@command(app)
async def plan(
    context: Context,
    account_id: AccountId,
    name: Annotated[
        str, typer.Argument(metavar="PLAN", help=f"A plan of the configuration; `{NO_PLAN}` takes it off.")
    ],
) -> None:
    """Put an account on a plan."""
    name = "" if name == NO_PLAN else name
    async with context.database() as database:
        _print(context, await accounts.set_plan(database, context.config, account_id, name, by=context.actor))


@command(app)
async def quota(
    context: Context,
    account_id: AccountId,
    emails: Annotated[
        str,
        typer.Argument(
            metavar="N", help=f"Emails a day (UTC); 0 is no limit, `{DEFAULT}` what its plan says."
        ),
    ],
) -> None:
    """Give an account a daily quota of its own. What waits for the next day goes on as far as that allows."""
    if emails != DEFAULT and not emails.isdecimal():
        raise PostroomError(f"a quota is a number, or `{DEFAULT}`")
    number = None if emails == DEFAULT else int(emails)
    async with context.database() as database:
        account = await accounts.set_quota(database, context.config, account_id, number, by=context.actor)
    _print(context, account)


@command(app)
async def show(context: Context, account_id: AccountId) -> None:
    """Show an account, its quota and what it has used of that today, and its domains."""
    async with context.database() as database:
        details = await accounts.show(database, account_id)
    account = details.account
    more = {
        "quota_today": quotas.quota_of(account.daily_quota, account.plan, context.config),
        "used_today": details.used_today,
        "held_for_tomorrow": details.held,
        "domains": [domain.name for domain in details.domains],
    }
    context.out.record("Account", shown(account) | more)


@command(app, "list")
async def list_(context: Context) -> None:
    """List all accounts."""
    async with context.database() as database:
        rows = [shown(account) for account in await accounts.list_all(database)]
    context.out.records(
        "Accounts", rows, LIST_COLUMNS, empty="There is no account yet: `postroom account add NAME`."
    )


def _print(context: Context, account: Account | Refused) -> None:
    """Raises PostroomError for what was refused."""
    if isinstance(account, Refused):
        raise PostroomError(account.text)
    context.out.record("Account", shown(account))
