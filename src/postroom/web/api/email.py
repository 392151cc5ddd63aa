"""`POST /v1/email`: send one message."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from postroom.tenancy.entitlements import Area
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.direct import direct
from postroom.web.api.route import routes
from postroom.web.api.sending.answers import Warnings
from postroom.web.api.sending.endpoint import Sending
from postroom.web.api.sending.idempotency import IdempotencyKey
from postroom.web.api.sending.request import EmailRequest
from postroom.web.api.sending.schema import ShownAs

_MESSAGE_ID = {
    "description": "The id of the message; absent when all recipients are suppressed, for then there is none.",
    "schema": {"type": "string"},
    "example": "0195f0c2a7d1000001a2b3c4",
}
_SEND_PAUSED = {
    "description": "Only when sending from the domain is paused: the message is kept, and sent when that ends.",
    "schema": {"type": "string", "enum": ["true"]},
    "example": "true",
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Warnings,
        "description": "Kept, and on its way. The body is empty unless there are warnings.",
        "headers": {"x-message-id": _MESSAGE_ID, "x-send-paused": _SEND_PAUSED},
        "content": {"text/html": {"schema": {"type": "string", "maxLength": 0}, "example": ""}},
    },
    409: {
        "description": "A request with this Idempotency-Key is being handled right now.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    },
}


def router(api: Api) -> APIRouter:
    resource = routes("Email")
    sending = Sending(api)

    @resource.post("/email", status_code=202, summary="Send an email", responses=ANSWERS)
    @access(Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS, area=Area.EMAIL, large_body=True)
    @direct
    async def send(
        request: Request,
        caller: CurrentCaller,
        body: Annotated[Any, ShownAs(EmailRequest), Body()],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """The message is on stable storage when this answers; each recipient gets an email of its own.

        `send_at` schedules it. With suppressed recipients the answer has a body that names them.
        """
        del idempotency_key  # read from the request, where one can see whether it was repeated
        return await sending.send(request, caller, body)

    return resource
