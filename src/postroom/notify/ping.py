"""Asking a webhook whether it is there."""

from __future__ import annotations

from postroom.runtime.http_client import Answer, HttpClient, NoAnswer
from postroom.wire import webhooks

SHOWN = 1000
"""Octets of the answer that its owner gets to see: enough to find a mistake, too little to read somebody's pages."""


async def ping(http: HttpClient, url: str, secret: str, now: int) -> Answer | NoAnswer:
    """What came back. `secret` signs it: the webhook's own, or `TEST_SECRET`; `now` is in milliseconds."""
    body = webhooks.ping(now)
    return await http.post(url, body, webhooks.headers(body, secret), at_most=SHOWN)
