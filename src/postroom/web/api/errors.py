"""Everything the API answers when it does not do what was asked. Raise one of these; nothing else makes an error body.

The shapes are those of the contract (section 1.5): `message` always, `errors` (dot path -> texts) with a 422, and a
number like #MS42209 at the end of a text where the contract has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Response

from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.codes import code_of
from postroom.web.api.json_out import Json, dumps

Fields = Mapping[str, Sequence[str]]
"""Dot path of a field -> what is wrong with it."""


class ApiError(Exception):
    """An answer that is no success. `fields` only with 422."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        fields: Fields | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fields = fields
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """A 404 is written over several lines, as the contract's server does it."""
        body: dict[str, object] = {"message": self.message}
        if self.fields is not None:
            body["errors"] = self.fields
        text = dumps(body, pretty=self.status == 404)
        return Response(text, self.status, self.headers, media_type=Json.media_type)


def not_found(message: str = "Resource not found.") -> ApiError:
    """For an id that does not exist, or belongs to another account: nobody can tell which (H01)."""
    return ApiError(404, message)


def invalid(fields: Fields) -> ApiError:
    """422 with all fields that are wrong; `message` is the first text and how many more there are."""
    texts = [text for field in fields.values() for text in field]
    more = len(texts) - 1
    message = texts[0] + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")
    return ApiError(422, message, fields=fields)


def failed(request_id: str) -> ApiError:
    """500 for something we did not foresee; nothing of it goes out (H15)."""
    error = refused(Refused(refusals.INTERNAL_ERROR))
    error.message += f" The request's id is {request_id}."
    return error


def refused(why: Refused, field: str = "", *, retry_after: int | None = None) -> ApiError:
    """An entry of the catalogue as an answer. A 422 about one field of the request names it; `X-Refusal` is the id."""
    headers = {"x-refusal": why.rule.id}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    text = why.text + code_of(why.rule.id)
    fields = {field: [text]} if field and why.rule.status == 422 else None
    return ApiError(why.rule.status, text, fields=fields, headers=headers)
