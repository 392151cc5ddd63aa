"""One call that succeeds for everything that changes something, for tests that go through all endpoints.

`CHANGES` has them by method and path, as the routes have it: a function that is given the `Scene`, prepares what there has
to be, and says what to send. `SILENT` has those that change nothing, each with the reason. A new endpoint comes into one
of the two; the console's are in `console_changes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from postroom.tenancy import suppressions, tokens
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from support import identities, people
from support.api import ApiWorld, Tenant
from support.objects import new_domain, webhook
from support.people import SignedIn
from support.sent import in_the_inbox, sent

_numbers = count()


@dataclass(frozen=True, slots=True)
class Scene:
    """An account with one of everything: `ids` as `support.objects` makes them. `person` is an Admin of it, and runs the
    installation."""

    api: ApiWorld
    tenant: Tenant
    person: SignedIn
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """`ids` in the path are these, else those of the scene. `by`: another person than the scene's.

    `account_id` is that of the entry in the audit log, None: the caller's; empty: it concerns no account; `NEW`: one that
    comes to be. `entries`: more than one only where several things are made at once, each with its own.
    """

    body: Any = None
    ids: Mapping[str, str] = field(default_factory=dict)
    by: SignedIn | None = None
    account_id: str | None = None
    entries: int = 1


NEW = "new"
Prepare = Callable[[Scene], Awaitable[Change]]


def said(**body: Any) -> Prepare:
    """A body that is always right."""

    async def prepare(_: Scene) -> Change:
        return Change(body)

    return prepare


def somebody() -> str:
    return f"somebody{next(_numbers)}@example.org"


# -- mail -----------------------------------------------------------------------------------------------------------


async def waiting_email(scene: Scene) -> Change:
    mail = await sent(scene.api, scene.tenant)
    return Change({}, {"email_id": mail.emails[0].id})


async def email_to_resend(scene: Scene) -> Change:
    head = f"From: shop@{scene.tenant.domain.name}\r\nTo: bob@example.org\r\nSubject: Hello\r\n"
    mail = await sent(scene.api, scene.tenant, content=f"{head}\r\nHello\r\n".encode())
    return Change({"email": "bob@example.org"}, {"email_id": mail.emails[0].id})


async def scheduled_message(scene: Scene) -> Change:
    mail = await sent(scene.api, scene.tenant, send_at=scene.api.clock.now_ms() + 3_600_000)
    return Change(ids={"message_id": mail.messages[0].id})


async def sandbox_email(scene: Scene) -> Change:
    mail = await sent(scene.api, scene.tenant)
    [email_id] = await in_the_inbox(scene.api.database, mail)
    return Change(ids={"sandbox_email_id": email_id})


# -- suppressions ---------------------------------------------------------------------------------------------------


async def recipients(scene: Scene) -> Change:
    return Change({"domain_id": scene.tenant.domain.id, "recipients": [somebody()]})


def all_of(on: str) -> Prepare:
    async def prepare(scene: Scene) -> Change:
        account_id, domain_id = scene.tenant.account.id, scene.tenant.domain.id
        await suppressions.add(scene.api.database, account_id, somebody(), on=on, domain=domain_id, by=SYSTEM)
        return Change({"domain_id": domain_id, "all": True})

    return prepare


# -- what is configured ---------------------------------------------------------------------------------------------


async def inbound(scene: Scene) -> Change:
    forwards = [{"type": "email", "value": "ann@example.com"}]
    domain = {"domain_id": scene.tenant.domain.id, "domain_enabled": False}
    return Change({"name": "Support", "forwards": forwards} | domain)


async def webhook_of_its_own(scene: Scene) -> Change:
    return Change(webhook(scene.tenant))


async def domain(_: Scene) -> Change:
    return Change(new_domain())


async def another_domain(scene: Scene) -> Change:
    made = await scene.tenant.post("/domains", json=new_domain())
    return Change(ids={"domain_id": made.json()["data"]["id"]})


async def another_token(scene: Scene) -> str:
    made = await tokens.add(
        scene.api.database, scene.tenant.account.id, name="Shop", scopes=[Scope.EMAIL_FULL], by=SYSTEM
    )
    return made.token.id


async def token_to_pause(scene: Scene) -> Change:
    return Change({"status": "pause"}, {"token_id": await another_token(scene)})


async def token_to_delete(scene: Scene) -> Change:
    return Change(ids={"token_id": await another_token(scene)})


async def identity(scene: Scene) -> Change:
    return Change({"domain_id": scene.tenant.domain.id, "email": somebody(), "name": "Ben"})


def known_identity(**body: Any) -> Prepare:
    async def prepare(scene: Scene) -> Change:
        made = await identities.identity(scene.api, scene.tenant)
        return Change(body or None, {"email": made.email, "identity_id": made.id})

    return prepare


# -- people ---------------------------------------------------------------------------------------------------------


async def another_user(scene: Scene) -> Change:
    user = await people.make(scene.api.database, scene.tenant.account.id)
    return Change(ids={"user_id": user.id})


async def invitation(_: Scene) -> Change:
    return Change({"email": somebody(), "role": "Manager"})


CHANGES: dict[str, Prepare] = {
    "POST /email/{email_id}/resend": email_to_resend,
    "POST /email/{email_id}/retry": waiting_email,
    "POST /email/{email_id}/cancel": waiting_email,
    "DELETE /message-schedules/{message_id}": scheduled_message,
    "DELETE /inbox": said(),
    "DELETE /inbox/{sandbox_email_id}": sandbox_email,
    "DELETE /recipients/{recipient_id}": said(),
    "POST /suppressions/blocklist": recipients,
    "POST /suppressions/hard-bounces": recipients,
    "POST /suppressions/spam-complaints": recipients,
    "POST /suppressions/unsubscribes": recipients,
    "DELETE /suppressions/blocklist": all_of("blocklist"),
    "DELETE /suppressions/hard-bounces": all_of("hard_bounces"),
    "DELETE /suppressions/spam-complaints": all_of("spam_complaints"),
    "DELETE /suppressions/unsubscribes": all_of("unsubscribes"),
    "DELETE /suppressions/on-hold-list": all_of("on_hold"),
    "POST /templates": said(name="Order", html="<p>Hello</p>", auto_generate=True),
    "PUT /templates/{template_id}": said(name="Another name"),
    "DELETE /templates/{template_id}": said(),
    "POST /domains": domain,
    "PUT /domains/{domain_id}/settings": said(track_opens=True),
    "DELETE /domains/{domain_id}": another_domain,
    "POST /domains/{domain_id}/smtp-users": said(name="Shop"),
    "PUT /domains/{domain_id}/smtp-users/{smtp_user_id}": said(name="Another name"),
    "POST /domains/{domain_id}/smtp-users/{smtp_user_id}/reset-password": said(),
    "DELETE /domains/{domain_id}/smtp-users/{smtp_user_id}": said(),
    "POST /identities": identity,
    "PUT /identities/{identity_id}": known_identity(name="Another name"),
    "POST /identities/{identity_id}/resend": known_identity(),
    "DELETE /identities/{identity_id}": known_identity(),
    "PUT /identities/email/{email}": known_identity(name="Another name"),
    "DELETE /identities/email/{email}": known_identity(),
    "POST /webhooks": webhook_of_its_own,
    "PUT /webhooks/{webhook_id}": said(name="Another name"),
    "DELETE /webhooks/{webhook_id}": said(),
    "POST /inbound": inbound,
    "PUT /inbound/{inbound_id}": said(name="Another name"),
    "DELETE /inbound/{inbound_id}": said(),
    "POST /token": said(name="Shop", scopes=["email_full"]),
    "PUT /token/{token_id}": said(name="Another name"),
    "PUT /token/{token_id}/settings": token_to_pause,
    "DELETE /token/{token_id}": token_to_delete,
    "POST /users": invitation,
    "PUT /users/{user_id}": said(role="Manager"),
    "DELETE /users/{user_id}": another_user,
    "POST /invites/{invite_id}/resend": said(),
    "DELETE /invites/{invite_id}": said(),
}

SILENT: dict[str, str] = {
    "POST /email": "mail has its own events; an entry for each would be a second activity",
    "POST /bulk-email": "as /email",
    "POST /preflight": "it only looks",
    "POST /webhooks/{webhook_id}/test": "it only asks",
}
