"""URLs that customers give us to call: the type of the field, and what the settings have against one (H09)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from postroom.runtime.http_client import HttpClient, UrlError, parse_url
from postroom.types import refusals
from postroom.types.refusals import Refused


def readable(url: str) -> str:
    """Without the white space around it. Raises ValueError with a template of the API's words."""
    url = url.strip()
    try:
        parse_url(url)
    except UrlError as error:
        raise ValueError(f"The {{field}} {error}.") from None
    return url


CalledUrl = Annotated[str, AfterValidator(readable)]
"""A URL as strict as the client reads it. Whether it may be called says `url_problem`; where it leads, only calling it."""


def url_problem(http: HttpClient, url: str) -> Refused | None:
    """Why the settings do not allow this URL, or None."""
    try:
        http.check(url)
    except UrlError as error:
        return Refused(refusals.URL_REFUSED, {"problem": str(error)})
    return None
