"""`/v1/token`: the credentials of programs. Nobody makes one that reaches farther than they do themselves."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from postroom.store import domains
from postroom.store import tokens as store
from postroom.store.domains import Domain
from postroom.store.tokens import Token
from postroom.tenancy import token_reach, tokens
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.token_reach import Reach
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.errors import invalid, not_found, refused
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.api.token_object import (
    CreatedToken,
    TokenChange,
    TokenIn,
    TokenOut,
    TokenStatus,
    created_token,
    token_out,
)
from postroom.web.api.words import REQUIRED

GONE: dict[int | str, dict[str, Any]] = {200: {"description": "It opens nothing any more."}}


def router(api: Api) -> APIRouter:
    resource = routes("Tokens")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the token of the path."""

    async def token(token_id: str, caller: CurrentCaller) -> Token:
        async with api.database.read() as connection:
            found = await store.get(connection, token_id, caller.account_id)
        if found is None or (caller.domains is not None and found.domain_id not in caller.domains):
            raise not_found()
        return found

    return token


def add_reading(api: Api, resource: APIRouter) -> None:
    token = loader(api)

    @resource.get("/token", summary="List tokens", response_model=Counted[TokenOut])
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def index(caller: CurrentCaller, page: CurrentPage, domain_id: DomainId | None = None) -> Any:
        """In the order they were made. Who is limited to some domains sees the tokens for those.

        With `domain_id`, which is Postroom's own, those that are for this domain alone.
        """
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        only = caller.domains if domain_id is None else frozenset({domain_id})
        async with api.database.read() as connection:
            total = await store.count(connection, caller.account_id, domains=only)
            found = await store.page(
                connection, caller.account_id, domains=only, offset=page.offset, limit=page.limit
            )
            owned = {one.id: one for one in await domains.list_all(connection, caller.account_id)}
        return page.counted([token_out(one, owned) for one in found], total)

    @resource.get("/token/{token_id}", summary="Get a token")
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def show(found: Annotated[Token, Depends(token)]) -> Data[TokenOut]:
        """What it may do. The token itself is not known any more."""
        return await _answer(api, found)


def add_changing(api: Api, resource: APIRouter) -> None:
    token = loader(api)

    @resource.post("/token", summary="Create a token")
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def create(body: TokenIn, caller: CurrentCaller) -> Data[CreatedToken]:
        """The answer has the token itself, this once.

        A person needs the permissions for what its scopes allow, a token the scopes themselves. What a token makes
        lives no longer than it does, and is for the same domain and clients.
        """
        domain = await _domain(api, caller, body.domain_id)
        own = await _own_reach(api, caller)
        wanted = _wanted(body).within(own)
        _check(wanted.beyond(own))
        made = await tokens.add(
            api.database,
            caller.account_id,
            by=caller.actor,
            name=body.name,
            scopes=body.scopes,
            domain=body.domain_id,
            expires_at=wanted.expires_at,
            allowed_addresses=[str(network) for network in wanted.networks],
            most=entitlements(caller.account, api.config).tokens,
        )
        return Data(data=created_token(made, domain))

    @resource.put("/token/{token_id}", summary="Rename a token")
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def update(
        body: TokenChange, caller: CurrentCaller, found: Annotated[Token, Depends(token)]
    ) -> Data[TokenOut]:
        """Or pause it, or let it go on."""
        return await _changed(api, caller, found, body)

    @resource.put("/token/{token_id}/settings", summary="Pause a token, or let it go on")
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def update_settings(
        body: TokenStatus, caller: CurrentCaller, found: Annotated[Token, Depends(token)]
    ) -> Data[TokenOut]:
        """Within a second. Everybody who manages tokens may pause one; to let it go on one needs what it may do."""
        return await _changed(api, caller, found, TokenChange(status=body.status))

    @resource.delete("/token/{token_id}", summary="Delete a token", response_class=Response, responses=GONE)
    @access(Scope.TOKENS_FULL, Permission.MANAGE_API_TOKEN)
    async def delete(caller: CurrentCaller, found: Annotated[Token, Depends(token)]) -> Response:
        """It opens nothing any more, within a second. What was sent with it is delivered all the same."""
        await tokens.delete(api.database, found.id, account_id=caller.account_id, by=caller.actor)
        return empty(200)


async def _domain(api: Api, caller: Caller, domain_id: str | None) -> Domain | None:
    """The domain that is asked for. Raises ApiError for somebody else's, and when there has to be one."""
    if domain_id is None:
        if caller.domains is not None:
            raise invalid({"domain_id": [REQUIRED.replace("{field}", "domain id")]})
        return None
    domain = await own_domain(api, caller, domain_id)
    if domain is None:
        raise invalid(UNKNOWN_DOMAIN)
    return domain


async def _own_reach(api: Api, caller: Caller) -> Reach:
    """What the caller may hand out."""
    if caller.person is not None:
        return token_reach.of_person(caller.grant)
    async with api.database.read() as connection:
        own = await store.get(connection, caller.credential_id, caller.account_id)
    if own is None:
        raise not_found()  # deleted this moment
    return token_reach.of_token(own)


def _wanted(body: TokenIn) -> Reach:
    domains_ = None if body.domain_id is None else frozenset({body.domain_id})
    return Reach(
        frozenset(body.scopes), domains_, body.expires_at_ms, token_reach.networks(body.allowed_addresses)
    )


def _check(why: Refused | None) -> None:
    if why is not None:
        raise refused(why)


async def _changed(api: Api, caller: Caller, found: Token, body: TokenChange) -> Data[TokenOut]:
    """Raises ApiError when a paused token shall go on that reaches farther than the caller."""
    if body.status == "unpause" and found.paused:
        _check(token_reach.of_token(found).beyond(await _own_reach(api, caller)))
    paused = None if body.status is None else body.status == "pause"
    changed = await tokens.change(
        api.database, found.id, account_id=caller.account_id, name=body.name, paused=paused, by=caller.actor
    )
    return await _answer(api, changed)


async def _answer(api: Api, token: Token) -> Data[TokenOut]:
    async with api.database.read() as connection:
        domain = await domains.get(connection, token.domain_id or "")
    return Data(data=token_out(token, {} if domain is None else {domain.id: domain}))
