"""The page behind the link in a confirmation mail: may this account send from your address?

Opening it changes nothing, for mail scanners open every link; only the button confirms. There is no script, and nothing
is loaded. The secret stands in the path, so no page and no cache may learn it: no Referer, nothing kept.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from postroom.errors import StorageUnavailableError
from postroom.tenancy import sender_identities
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.proxies import Proxies

PATH = "/confirm-sender"

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; } blockquote { margin: 1rem 0; padding: 0 1rem; border-left: 3px solid #8888; }
blockquote { white-space: pre-line; } p, h1 { overflow-wrap: anywhere; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .4rem; background: #2f5bea; color: #fff; }
button:focus-visible { outline: 3px solid #f80; outline-offset: 2px; } small { color: #777; }
"""
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Postroom</title>
<style>{style}</style>
<main><h1>{title}</h1>
{content}
</main></html>
"""
ASK = """<p><strong>{account}</strong> wants to send email with <strong>{address}</strong> as its sender.</p>
{note}<form method="post"><button>Yes, they may send from my address</button></form>
<p><small>If that is not fine with you, close this page: without your confirmation they cannot use your address.</small></p>"""

_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def router(api: Api) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    page = Confirmation(api)
    routes.add_api_route(PATH + "/{secret}", page.ask, methods=["GET"], response_class=HTMLResponse)
    routes.add_api_route(PATH + "/{secret}", page.confirm, methods=["POST"], response_class=HTMLResponse)
    return routes


class Confirmation:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._proxies = Proxies(api.config.http.trusted_proxies)

    async def ask(self, secret: str) -> HTMLResponse:
        """Who asks, what they write, and the button."""
        if _SECRET.fullmatch(secret) is None:
            return _refused(Refused(refusals.IDENTITY_LINK))
        try:
            found = await sender_identities.look(self._api.database, secret)
        except StorageUnavailableError:
            return _refused(Refused(refusals.DATABASE_UNAVAILABLE))
        if found is None:
            return _refused(Refused(refusals.IDENTITY_LINK))
        identity, account = found
        note = f"<blockquote>{escape(identity.personal_note)}</blockquote>\n" if identity.add_note else ""
        content = ASK.format(account=escape(account.name), address=escape(identity.email), note=note)
        return _page(200, "May they send from your address?", content)

    async def confirm(self, secret: str, request: Request) -> HTMLResponse:
        """The button was pressed."""
        client = self._proxies.client(request.scope)[0]
        if _SECRET.fullmatch(secret) is None:
            return _refused(Refused(refusals.IDENTITY_LINK))
        try:
            confirmed = await sender_identities.confirm(
                self._api.database, self._api.resolver, secret, client=client
            )
        except StorageUnavailableError:
            return _refused(Refused(refusals.DATABASE_UNAVAILABLE))
        if isinstance(confirmed, Refused):
            return _refused(confirmed)
        return _page(
            200,
            "Thank you",
            f"<p>Email can be sent from <strong>{escape(confirmed.email)}</strong> now. You can close this page.</p>",
        )


def _refused(why: Refused) -> HTMLResponse:
    content = f"<p>{escape(why.text)}</p>\n<p>{escape(why.rule.fix)}</p>"
    return _page(why.rule.status, "That did not work", content)


def _page(status: int, title: str, content: str) -> HTMLResponse:
    text = PAGE.format(title=escape(title), style=STYLE, content=content)
    return HTMLResponse(text, status, HEADERS)
