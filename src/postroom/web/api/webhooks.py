"""`/v1/webhooks`: whom the events of a domain are told. Delivering them is not done here."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, BaseModel, Field

from postroom.errors import ConflictError
from postroom.notify.ping import SHOWN, ping
from postroom.runtime.http_client import Answer
from postroom.store import domains
from postroom.store import webhooks as store
from postroom.store.webhooks import Webhook
from postroom.tenancy import webhooks
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.webhooks import NewWebhook
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.types.webhooks import WebhookEvent
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.called_url import CalledUrl, url_problem
from postroom.web.api.domain_object import (
    UNKNOWN_DOMAIN,
    BodyDomainId,
    DomainId,
    EmbeddedDomain,
    embedded,
    own_domain,
)
from postroom.web.api.errors import invalid, not_found, refused
from postroom.web.api.fields import Flag, Input
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.api.shown import ConfigId, Count, CreatedAt, Sentence, UpdatedAt, Url, Word, limited
from postroom.wire.webhooks import TEST_SECRET

TAKEN = "The url has already been taken."


def _named(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable():
        raise ValueError("The {field} must hold printable characters.")
    return name


_URL, _SECRET = "https://example.com/postroom", "0123456789abcdef0123456789abcdef"
_EVENTS = ["activity.delivered", "activity.hard_bounced"]

WebhookUrl = Annotated[
    CalledUrl,
    Field(max_length=191, description="Called with POST; each only once for a domain.", examples=[_URL]),
]
Name = Annotated[
    str, AfterValidator(_named), Field(max_length=191, description="For people.", examples=["Orders"])
]
Events = Annotated[
    list[WebhookEvent],
    Field(min_length=1, max_length=100, description="What it is told.", examples=[_EVENTS]),
]
Enabled = Annotated[Flag, Field(description="Whether it is told anything.", examples=[True])]
Version = Annotated[
    Literal[1, 2], Field(description="Of what it is sent: 1 is the older form.", examples=[2])
]
Editable = Annotated[Flag, Field(description="Kept and shown; nothing depends on it.", examples=[True])]


class WebhookIn(Input):
    url: WebhookUrl
    name: Name
    events: Events
    domain_id: BodyDomainId
    enabled: Enabled = True
    version: Version = 2
    editable: Editable | None = None


class WebhookChange(Input):
    """What is absent stays as it is."""

    url: WebhookUrl | None = None
    name: Name | None = None
    events: Events | None = None
    enabled: Enabled | None = None
    version: Version | None = None
    editable: Editable | None = None


class WebhookOut(BaseModel):
    id: ConfigId = Field(description="Of the webhook.", examples=["0r83ql3vxvgzw1jm"])
    url: Url = Field(description="Called with POST.", examples=[_URL])
    events: list[WebhookEvent] = Field(
        description="What it is told.", examples=[_EVENTS], json_schema_extra={"maxItems": 24}
    )
    name: Word = Field(description="For people.", examples=["Orders"])
    enabled: bool = Field(description="Whether it is told anything.", examples=[True])
    editable: bool | None = Field(description="Null in the answer to creating it without.", examples=[True])
    version: Literal[1, 2] = Field(description="Of what it is sent.", examples=[2])
    secret: Annotated[str, limited(maxLength=32)] = Field(
        description="`Signature` in each request is the HMAC-SHA256 of the body with it, in hex.",
        examples=[_SECRET],
    )
    created_at: CreatedAt
    updated_at: UpdatedAt
    domain: EmbeddedDomain


class Tested(BaseModel):
    """How the test went."""

    succeeded: bool = Field(description="The answer had a status from 200 to 299.", examples=[True])
    status: Annotated[int, limited(minimum=100, maximum=999)] | None = Field(
        description="Of the answer; null if there was none.", examples=[200]
    )
    duration: Count = Field(description="In milliseconds, from the look-up of the host on.", examples=[84])
    body: Annotated[str, limited(maxLength=SHOWN)] = Field(
        description=f"The first {SHOWN} octets of the answer, as text.", examples=["ok"]
    )
    error: Sentence | None = Field(description="Why there was no answer.", examples=[None])


def router(api: Api) -> APIRouter:
    resource = routes("Webhooks")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the webhook of the path."""

    async def webhook(webhook_id: str, caller: CurrentCaller) -> Webhook:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, webhook_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    return webhook


def add_reading(api: Api, resource: APIRouter) -> None:
    webhook = loader(api)

    @resource.get("/webhooks", summary="List webhooks", response_model=Counted[WebhookOut])
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def index(caller: CurrentCaller, page: CurrentPage, domain_id: DomainId) -> Any:
        """Those of one domain, in the order they were made."""
        domain = await own_domain(api, caller, domain_id)
        if domain is None:
            raise invalid(UNKNOWN_DOMAIN)
        async with api.database.read() as connection:
            total = await store.count(connection, caller.account_id, domain_id)
            found = await store.page(
                connection, caller.account_id, domain_id, offset=page.offset, limit=page.limit
            )
            shown = await embedded(connection, domain)
        return page.counted([_shown(api, one, shown) for one in found], total)

    @resource.get("/webhooks/{webhook_id}", summary="Get a webhook")
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def show(found: Annotated[Webhook, Depends(webhook)]) -> Data[WebhookOut]:
        """A webhook with its secret."""
        return await _answer(api, found)

    @resource.post("/webhooks/{webhook_id}/test", summary="Test a webhook")
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def test(found: Annotated[Webhook, Depends(webhook)]) -> Data[Tested]:
        """Sends it a request of the type `webhook.test`, signed with its own secret, also while it is disabled."""
        answer = await ping(api.http, found.url, webhooks.secret(api.secrets, found), api.clock.now_ms())
        if not isinstance(answer, Answer):
            error = f"The url {answer.reason}."
            return Data(
                data=Tested(succeeded=False, status=None, duration=answer.duration, body="", error=error)
            )
        body = answer.body.decode("utf-8", "replace")
        return Data(
            data=Tested(
                succeeded=answer.succeeded,
                status=answer.status,
                duration=answer.duration,
                body=body,
                error=None,
            )
        )


def add_changing(api: Api, resource: APIRouter) -> None:
    webhook = loader(api)

    @resource.post("/webhooks", summary="Create a webhook", status_code=201)
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def create(body: WebhookIn, caller: CurrentCaller) -> Data[WebhookOut]:
        """The URL is sent a request of the type `webhook.test`; the webhook is saved only if it answers with 2xx."""
        wrong, most = _url_problems(api, body.url), entitlements(caller.account, api.config).webhooks
        if await own_domain(api, caller, body.domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN | wrong)
        async with api.database.read() as connection:
            if await store.taken(connection, caller.account_id, body.domain_id, body.url):
                wrong = {"url": [TAKEN]}
            full = await webhooks.room(connection, caller.account_id, body.domain_id, most)
        if full is not None:
            wrong |= {"domain_id": [full.text]}
        if wrong:
            raise invalid(wrong)
        await _ping(api, body.url)
        new = NewWebhook(
            domain_id=body.domain_id,
            url=body.url,
            name=body.name,
            events=tuple(body.events),
            enabled=body.enabled,
            editable=body.editable is not False,
            version=body.version,
        )
        try:
            made = await webhooks.add(
                api.database, api.secrets, caller.account_id, new, most=most, by=caller.actor
            )
        except ConflictError:
            raise invalid({"url": [TAKEN]}) from None
        answer = await _answer(api, made)
        answer.data.editable = body.editable  # so says the contract
        return answer

    @resource.put("/webhooks/{webhook_id}", summary="Update a webhook")
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def update(
        body: WebhookChange, caller: CurrentCaller, found: Annotated[Webhook, Depends(webhook)]
    ) -> Data[WebhookOut]:
        """What is absent stays as it is. Another URL is tested as when a webhook is created."""
        if body.url is not None and body.url != found.url:
            await _check_move(api, found, body.url)
        new = body.model_dump(exclude_none=True)
        if body.events is not None:
            new["events"] = webhooks.joined(body.events)
        try:
            return await _answer(api, await webhooks.change(api.database, found, by=caller.actor, **new))
        except ConflictError:
            raise invalid({"url": [TAKEN]}) from None

    @resource.delete("/webhooks/{webhook_id}", summary="Delete a webhook", status_code=204)
    @access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)
    async def delete(caller: CurrentCaller, found: Annotated[Webhook, Depends(webhook)]) -> Response:
        """It is told nothing any more."""
        await webhooks.delete(api.database, found, by=caller.actor)
        return empty(204)


def _url_problems(api: Api, url: str) -> dict[str, list[str]]:
    problem = url_problem(api.http, url)
    return {} if problem is None else {"url": [problem.text]}


async def _check_move(api: Api, webhook: Webhook, url: str) -> None:
    wrong = _url_problems(api, url)
    async with api.database.read() as connection:
        if await store.taken(connection, webhook.account_id, webhook.domain_id, url):
            wrong = {"url": [TAKEN]}
    if wrong:
        raise invalid(wrong)
    await _ping(api, url)


async def _ping(api: Api, url: str) -> None:
    """Raises ApiError (422) unless somebody is there and says yes. The secret is the public one: nobody has seen the own."""
    answer = await ping(api.http, url, TEST_SECRET, api.clock.now_ms())
    if isinstance(answer, Answer):
        if answer.succeeded:
            return
        problem = f"answered {answer.status}"
    else:
        problem = answer.reason
    raise refused(Refused(refusals.WEBHOOK_PING_FAILED, {"problem": problem}), "url")


async def _answer(api: Api, webhook: Webhook) -> Data[WebhookOut]:
    async with api.database.read() as connection:
        domain = await domains.get(connection, webhook.domain_id)
        if domain is None:
            raise not_found()  # deleted this moment, and its webhooks with it
        return Data(data=_shown(api, webhook, await embedded(connection, domain)))


def _shown(api: Api, webhook: Webhook, domain: EmbeddedDomain) -> WebhookOut:
    return WebhookOut(
        id=webhook.id,
        url=webhook.url,
        events=webhooks.events_of(webhook),
        name=webhook.name,
        enabled=webhook.enabled,
        editable=webhook.editable,
        version=1 if webhook.version == 1 else 2,
        secret=webhooks.secret(api.secrets, webhook),
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
        domain=domain,
    )
