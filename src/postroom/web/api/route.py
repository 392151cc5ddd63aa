"""How an endpoint is run: gate, body, FastAPI's own handling, and every kind of error turned into its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from postroom.errors import NotFoundError, PostroomError, StorageUnavailableError
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api import body, query
from postroom.web.api.access import Access, access_of
from postroom.web.api.body import Memory
from postroom.web.api.call import Call, call_of
from postroom.web.api.direct import is_direct
from postroom.web.api.errors import ApiError, failed, invalid, not_found, refused
from postroom.web.api.json_out import Json
from postroom.web.api.words import fields_of

log = structlog.get_logger()

RETRY_AFTER = 5
"""Seconds, when the database does not answer."""

SAFE = frozenset({"GET", "HEAD"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def routes(tag: str) -> APIRouter:
    """The router of one resource. `tag` is its heading in the reference."""
    return APIRouter(
        route_class=ApiRoute,
        tags=[tag],
        default_response_class=Json,
        generate_unique_id_function=_operation_id,
        strict_content_type=False,  # `body` has its own rules
    )


def _operation_id(route: APIRoute) -> str:
    """`webhooks_update`: the file and the function."""
    resource = route.endpoint.__module__.rpartition(".")[2]
    return route.name if route.name == resource else f"{resource}_{route.name}"


class Admitted(Protocol):
    """Who was let in. The memory for large bodies is counted by `account_id`."""

    @property
    def account_id(self) -> str: ...


class Door(Protocol):
    """Lets callers in: `gate.Gate` those of the API, and the console has its own."""

    bodies: Memory

    def largest_body(self, access: Access) -> int:
        """In octets."""

    async def admit(
        self, call: Call, headers: Sequence[tuple[bytes, bytes]], path: dict[str, str], access: Access
    ) -> Admitted:
        """Raises ApiError."""


class ApiRoute(APIRoute):
    @cached_property
    def access(self) -> Access:
        return replace(access_of(self.endpoint), changes=not SAFE.issuperset(self.methods or ()))

    def get_route_handler(self) -> Handler:
        about_one = bool(self.param_convertors)  # an object that the path names, and that may not be there
        if about_one:
            self.dependant.dependencies.append(get_dependant(path=self.path_format, call=_readable))
        endpoint = _called(self.endpoint) if is_direct(self.endpoint) else super().get_route_handler()
        access = self.access
        takes_body = self.body_field is not None
        arrays = query.array_names(self.dependant)

        async def handle(request: Request) -> Response:
            call = call_of(request.scope)
            call.route = self.path_format
            gate: Door = request.app.state.gate
            ours = _Request(request.scope, request.receive)
            try:
                caller = await gate.admit(call, request.scope["headers"], request.path_params, access)
                with gate.bodies.lease(caller.account_id) as lease:
                    try:
                        ours.parameters = query.read(request.scope["query_string"], arrays)
                        if takes_body:
                            ours.value = await body.read(request, lease, gate.largest_body(access))
                    except ApiError as error:
                        if not about_one:
                            raise
                        ours.unreadable = error
                    return await endpoint(ours)
            except ApiError as error:
                return error.response()
            except RequestValidationError as error:
                return invalid(fields_of(error.errors())).response()
            except NotFoundError:
                return not_found().response()
            except StorageUnavailableError as error:
                log.warning("storage unavailable", request=call.id, reason=str(error))
                return refused(Refused(refusals.DATABASE_UNAVAILABLE), retry_after=RETRY_AFTER).response()
            except PostroomError as error:
                return ApiError(422, _sentence(str(error)), fields={}).response()
            except ClientDisconnect:
                raise
            except Exception:
                log.exception("a request failed", request=call.id, route=call.route)
                return failed(call.id).response()

        return handle


def _called(endpoint: Callable[..., Awaitable[Response]]) -> Handler:
    """A direct endpoint as FastAPI would run it."""

    async def run(request: Request) -> Response:
        assert isinstance(request, _Request)
        return await endpoint(request, call_of(request.scope).caller, request.value)

    return run


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


class _Request(Request):
    """FastAPI finds the body already decoded, and the query's arrays in one spelling.

    `unreadable`: why there is no body or query; see `_readable`.
    """

    value: Any = None
    parameters: query.Query = query.EMPTY
    unreadable: ApiError | None = None

    async def body(self) -> bytes:
        return b"{}"

    async def json(self) -> Any:
        return self.value

    @property
    def query_params(self) -> query.Query:
        return self.parameters


async def _readable(request: Request) -> None:
    """The last dependency where the path names an object: one that is not there is 404 whatever else is wrong (H01)."""
    if isinstance(request, _Request) and request.unreadable is not None:
        raise request.unreadable
