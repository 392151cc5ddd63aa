"""/v1/openapi.json: what FastAPI knows of the endpoints, and what is the same for all of them (errors, headers, token).

An endpoint declares its models, its status codes and examples; everything here is added to each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from postroom import __version__
from postroom.tenancy.entitlements import Area
from postroom.web.api.access import ID, Access
from postroom.web.api.route import ApiRoute

Document = dict[str, Any]

ABOUT = """Send email and see what became of it.

Every request carries `Authorization: Bearer <token>`. Bodies and answers are JSON. `null` and `""` in a body are the
same as leaving the field out; unknown fields are ignored. Lists in a query are written `name[]=a&name[]=b`."""

_REQUIRED = "The name field is required. #MS42209"
_LONGEST = 65_536
"""Characters of a text about what is wrong: it may quote what was sent."""


def _text(about: str, example: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": _LONGEST, "description": about, "examples": [example]}


_ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": _text("What went wrong, in a sentence.", "Unauthenticated.")},
}
_INVALID = {
    "type": "object",
    "required": ["message", "errors"],
    "properties": {
        "message": _text("The first error, and how many more there are.", f"{_REQUIRED} (and 1 more error)"),
        "errors": {
            "type": "object",
            "description": "Path of a field, like `to.0.email`, to what is wrong with it.",
            "additionalProperties": {
                "type": "array",
                "maxItems": 1000,
                "items": {"type": "string", "maxLength": _LONGEST},
            },
            "examples": [{"name": [_REQUIRED]}],
        },
    },
}
_ERRORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "401": ("Unauthenticated", "No token, or one that is not valid.", {"message": "Unauthenticated."}),
    "403": (
        "Forbidden",
        "The token lacks the scope, may not be used from this address, or the account is suspended.",
        {"message": "The token lacks the permission for this; it needs domains_full. #MS40301"},
    ),
    "404": ("NotFound", "There is no such object in this account.", {"message": "Resource not found."}),
    "408": ("TooSlow", "The request took too long to arrive.", {"message": "Nothing came for 60 s."}),
    "413": (
        "TooLarge",
        "The body is too large.",
        {"message": "The request body is larger than 1048576 bytes."},
    ),
    "415": (
        "WrongType",
        "The body is not declared to be JSON, or is compressed.",
        {
            "message": "The request body must be JSON with the header Content-Type: application/json, not text/plain."
        },
    ),
    "422": (
        "Invalid",
        "Fields are wrong; all of them are named.",
        {
            "message": _REQUIRED,
            "errors": {"name": [_REQUIRED]},
        },
    ),
    "429": (
        "TooMany",
        "The rate limit or the daily quota is reached; `retry-after` says when to try again.",
        {
            "message": "Your account reached its rate limit of 60 requests/min. Please wait before trying again. #MS42903"
        },
    ),
    "500": ("Failed", "Our fault.", {"message": "An internal error happened. Try again later."}),
    "503": ("Unavailable", "Nothing was kept; trying again is safe.", {"message": "Try again later."}),
}
_ALWAYS, _WITH_BODY, _WITH_INPUT, _WITH_ID = (
    ("401", "403", "429", "500", "503"),
    ("408", "413", "415"),
    "422",
    "404",
)
_SHORT_IDS = {"domain", "identity", "token"}
"""What is configured has ids of 16 characters, mail of 24."""
_HEADERS = {
    "X-Request-Id": (
        "string",
        "Of the request, or a new one; quote it when you ask for help.",
        "0195f0c2a7d1000001a2b3c4",
    ),
    "x-apiquota-remaining": ("integer", "Requests left today; -1: no limit.", 99986),
    "x-apiquota-reset": ("string", "When the daily quota begins anew.", "2026-01-31T00:00:00Z"),
    "x-ratelimit-limit": ("integer", "Requests a minute; absent where there is no limit.", 120),
    "x-ratelimit-remaining": ("integer", "Requests left in this minute.", 119),
}


def document(app: FastAPI, per_minute: Mapping[Area, int | None]) -> Document:
    """The whole document; `per_minute` are the limits it names. Takes a while: not for the event loop."""
    made = get_openapi(title=app.title, version=__version__, description=ABOUT, routes=app.routes)
    made["servers"] = [{"url": "/v1"}]
    made["security"] = [{"token": []}]
    components = made.setdefault("components", {})
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, `mlsn.` and 64 hex digits.",
        }
    }
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= {"Error": _ERROR, "InvalidFields": _INVALID}
    components["headers"] = {name: _header(*facts) for name, facts in _HEADERS.items()}
    components["responses"] = {
        name: _response(status, about, example) for status, (name, about, example) in _ERRORS.items()
    }
    for route, method in _endpoints(app):
        _finish(made["paths"][route.path_format][method], route.access, per_minute[route.access.area])
    return made


def _endpoints(app: FastAPI) -> Iterator[tuple[ApiRoute, str]]:
    for route in app.routes:
        if isinstance(route, ApiRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, method.lower()


def _finish(operation: dict[str, Any], access: Access, per_minute: int | None) -> None:
    """Errors, headers, ids, scopes and limit of one endpoint."""
    answers = operation["responses"]
    answers.pop("422", None)  # FastAPI's own shape
    for answer in answers.values():
        own = answer.setdefault("headers", {})
        for name in _HEADERS:
            own.setdefault(name, {"$ref": f"#/components/headers/{name}"})
    statuses = set(_ALWAYS)
    if "requestBody" in operation:
        statuses.update(_WITH_BODY, {_WITH_INPUT})
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            statuses.add(_WITH_ID)
            if parameter["name"].endswith("_id"):
                parameter |= _id(parameter["name"])
    if operation.get("parameters"):
        statuses.add(_WITH_INPUT)
    for status in sorted(statuses - set(answers)):
        answers[status] = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
    operation["x-scopes"] = [str(scope) for scope in access.scopes]
    operation["x-permissions"] = [str(permission) for permission in access.permissions]
    operation["x-rate-limit"] = str(access.area)
    operation["x-requests-per-minute"] = per_minute


def _id(name: str) -> dict[str, Any]:
    """What stands in the path; `gate` answers 404 to what looks otherwise."""
    what = name.removesuffix("_id").replace("_", " ")
    example = "65qngkdovk8lwr12" if what in _SHORT_IDS else "0195f0c2a7d1000001a2b3c4"
    schema = {"type": "string", "pattern": f"^({ID.pattern})$", "maxLength": 24}
    return {"description": f"The id of the {what}.", "schema": schema, "example": example}


def _header(kind: str, about: str, example: object) -> dict[str, Any]:
    return {"description": about, "schema": {"type": kind}, "example": example}


def _response(status: str, about: str, example: dict[str, Any]) -> dict[str, Any]:
    shape = "InvalidFields" if status == _WITH_INPUT else "Error"
    schema = {"$ref": f"#/components/schemas/{shape}"}
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    headers["X-Refusal"] = _header(
        "string", "The entry of the catalogue (/refusals), if it is one.", "permission-missing"
    )
    if status in ("429", "503"):
        headers["retry-after"] = _header("integer", "Seconds after which to try again.", 12)
    return {
        "description": about,
        "content": {"application/json": {"schema": schema, "example": example}},
        "headers": headers,
    }
