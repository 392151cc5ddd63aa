"""Pages of others that try to do something in the name of who is signed in here: a browser sends the cookie along."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Page

from support.dashboard import Postroom, Visit, headers, opened
from support.http_sink import http_sink

BODY = json.dumps({"name": "Evil"})
FORM = """<!doctype html><title>Win a prize</title>
<form method="post" enctype="text/plain" action="{url}/console/accounts">
<input name='{{"name": "Evil", "rest": "' value='"}}'><button>Win</button></form>"""
_POST = """async ([url, type, mode]) => {
    const answer = await fetch(url, {method: "POST", mode, credentials: "include", headers: {"content-type": type},
        body: JSON.stringify({name: "Evil"})}).catch(() => null);
    return answer && answer.status;
}"""


def accounts(page: Page) -> list[str]:
    session = page.context.request.get("/console/session").json()["data"]
    return [str(one["name"]) for one in session["accounts"]]


def test_u01_a_page_of_another_origin_changes_nothing(browser: Browser, postroom: Postroom) -> None:
    """Another port of the same host is the same site: SameSite does not keep the cookie back, the Origin check does."""
    with opened(browser, postroom) as context, http_sink() as evil:
        postroom.sign_in(context)
        page = context.new_page()
        before = accounts(page)
        evil.body = FORM.format(url=postroom.url).encode()
        evil.headers = {"content-type": "text/html"}
        page.goto(f"http://localhost:{evil.port}/")
        target = f"{postroom.url}/console/accounts"
        page.evaluate(_POST, [target, "text/plain", "no-cors"])  # sent, whatever the page sees of the answer
        assert (
            page.evaluate(_POST, [target, "application/json", "cors"]) is None
        )  # asked about first, and not sent
        with page.expect_navigation() as navigation:
            page.get_by_role("button", name="Win").click()
        answer = navigation.value
        assert answer is not None
        assert "cookie" in answer.request.all_headers()
        assert (answer.status, answer.header_value("x-refusal")) == (403, "foreign-origin")
        assert accounts(page) == before


def test_u01_a_request_without_the_token_changes_nothing(
    page: Page, postroom: Postroom, visit: Visit
) -> None:
    visit("/profile")
    assert page.evaluate(_POST, ["/console/accounts", "application/json", "same-origin"]) == 403

    token = headers(page.context)
    for origin in ("https://evil.test", "null", f"{postroom.url}.evil.test"):
        answer = page.context.request.post(
            "/console/accounts",
            data=BODY,
            headers=token | {"origin": origin, "content-type": "application/json"},
        )
        assert (answer.status, answer.headers["x-refusal"]) == (403, "foreign-origin")
    assert "Evil" not in accounts(page)


def test_u04_no_page_of_others_frames_the_dashboard(browser: Browser, postroom: Postroom) -> None:
    with opened(browser, postroom) as context, http_sink() as evil:
        postroom.sign_in(context)
        page = context.new_page()
        evil.body = f'<!doctype html><title>Win</title><iframe src="{postroom.url}/users"></iframe>'.encode()
        evil.headers = {"content-type": "text/html"}
        page.goto(f"http://localhost:{evil.port}/")
        (frame,) = page.frames[1:]
        assert not frame.url.startswith(postroom.url)
        assert frame.get_by_role("heading", name="Users").count() == 0
