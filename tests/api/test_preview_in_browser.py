"""The preview of an email in a real browser, opened by itself: whatever it holds, nothing runs and nothing is loaded.

The pages come from the API without a socket; every other request the browser wants to make is noted and refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, Dialog, Route, async_playwright

from support.api import ApiWorld
from support.messages import message
from support.sent import sent
from support.tools import need

PAGE, SPY = "https://postroom.test/preview", "https://spy.test"
WHILE = 250
"""Milliseconds in which something might happen."""

PAYLOADS = (
    "<script>alert(1)</script>",
    f"<script src='{SPY}/a.js'></script>",
    f"<img src='{SPY}/a.png' onerror='alert(1)'>",
    f"<img srcset='{SPY}/a.png 2x' src=x onerror=alert(1)>",
    f"<picture><source srcset='{SPY}/a.png'><img></picture>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    f"<svg><image href='{SPY}/a.png'/><use href='{SPY}/a.svg#x'/></svg>",
    f"<base href='{SPY}/'><img src=a.png>",
    f"<meta http-equiv=refresh content='0;url={SPY}/'>",
    "<META HTTP-EQUIV='refresh' CONTENT='0;url=javascript:alert(1)'>",
    f"<link rel=stylesheet href='{SPY}/a.css'><link rel=prefetch href='{SPY}/p'><link rel=preload as=image href='{SPY}/p'>",
    f"<style>@import '{SPY}/a.css'; body {{ background: url({SPY}/a.png) }} </style>",
    f"<style>@font-face {{ font-family: f; src: url({SPY}/f.woff) }} p {{ font-family: f }}</style><p>text</p>",
    f"<p style='background:url({SPY}/a.png)'>text</p>",
    f"<iframe src='{SPY}/'></iframe><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    f"<frameset><frame src='{SPY}/'></frameset>",
    f"<object data='{SPY}/a.swf'></object><embed src='{SPY}/a.swf'>",
    f"<video autoplay src='{SPY}/a.mp4' poster='{SPY}/a.png'></video><audio autoplay src='{SPY}/a.mp3'></audio>",
    f"<form action='{SPY}/'><input autofocus onfocus=alert(1)><button autofocus>x</button></form>",
    "<details open ontoggle=alert(1)>x</details><body onload=alert(1)>",
    f"<table background='{SPY}/a.png'><tr><td>x</table>",
    "<img src='cid:logo@shop' onload='alert(1)'>",
    f"<!--><img src='{SPY}/a.png'>--><noscript><img src='{SPY}/b.png'></noscript>",
)


Seen = tuple[list[str], list[str]]
"""What was asked for, and what dialogs said."""
NOTHING: dict[str, Seen] = {payload: ([], []) for payload in PAYLOADS}


class Watch:
    """What the browser did."""

    def __init__(self, answer: httpx.Response, *, guarded: bool = True) -> None:
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        self._answer = answer
        self._guarded = guarded

    async def route(self, route: Route) -> None:
        if route.request.url != PAGE:
            self.asked.append(route.request.url)
            await route.abort()
            return
        headers = dict(self._answer.headers)
        if not self._guarded:
            del headers["content-security-policy"]
        await route.fulfill(status=200, headers=headers, body=self._answer.content)

    async def dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    async def look(self, browser: Browser) -> Seen:
        context = await browser.new_context()
        await context.route("**/*", self.route)
        page = await context.new_page()
        page.on("dialog", self.dialog)
        await page.goto(PAGE, wait_until="load")
        await page.wait_for_timeout(WHILE)
        await context.close()
        return self.asked, self.dialogs


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = need("chromium")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        launched = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        await launched.close()


async def _preview(api: ApiWorld, html: str, query: str = "") -> httpx.Response:
    mail = await sent(api, api.first, content=message(html))
    answer = await api.get(f"/email/{mail.emails[0].id}/preview{query}")
    assert answer.status_code == 200
    return answer


async def _seen(browser: Browser, answers: list[httpx.Response]) -> dict[str, Seen]:
    """What each payload's page did, side by side."""
    looks = [Watch(answer).look(browser) for answer in answers]
    return dict(zip(PAYLOADS, await asyncio.gather(*looks), strict=True))


async def test_u02_m10_nothing_runs_and_nothing_is_loaded(api: ApiWorld, browser: Browser) -> None:
    answers = [await _preview(api, payload) for payload in PAYLOADS]
    assert await _seen(browser, answers) == NOTHING


async def test_u02_remote_pictures_only_when_asked_for(api: ApiWorld, browser: Browser) -> None:
    html = f"<img src='{SPY}/a.png' onerror='alert(1)'><link rel=stylesheet href='{SPY}/a.css'>"
    watch = Watch(await _preview(api, html, "?images=1"))
    assert await watch.look(browser) == ([f"{SPY}/a.png"], [])


async def test_u02_what_is_not_sent_yet_is_behind_the_same_wall(api: ApiWorld, browser: Browser) -> None:
    person = await api.person()
    answers = []
    for payload in PAYLOADS:
        made = await person.post("/console/previews", json={"html": payload})
        answers.append(await person.get(f"/console/previews/{made.json()['data']['id']}"))
    assert {answer.status_code for answer in answers} == {200}
    assert await _seen(browser, answers) == NOTHING


async def test_without_its_policy_the_page_would_do_something(api: ApiWorld, browser: Browser) -> None:
    """So the watch sees what happens."""
    html = f"<script>alert(1)</script><img src='{SPY}/a.png'>"
    asked, dialogs = await Watch(await _preview(api, html), guarded=False).look(browser)
    assert (asked, dialogs) == ([f"{SPY}/a.png"], ["1"])
