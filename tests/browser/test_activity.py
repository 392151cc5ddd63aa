"""Activity, the page of an email with its delivery timeline, and what was refused."""

from __future__ import annotations

import json
import re
import smtplib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.dashboard import (
    NARROW,
    WIDE,
    Postroom,
    Visit,
    headers,
    injected,
    inspect,
    installed,
    opened,
    picture,
    settled,
    watch,
)
from support.net import Net, small_internet
from support.peer import Peer
from support.tls import local_tls

DOMAIN = "live.test"
SECURE = "secure.test"
GREYLISTED = "450 4.7.1 Greylisted, come back later"
XSS = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with small_internet() as net:
        yield net


@pytest.fixture(scope="module")
def postroom(
    installation: tuple[Path, str], net: Net, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postroom]:
    """One that delivers, in a net of its own; to one domain over a route that requires TLS."""
    route = {"domain": SECURE, "host": "localhost", "port": net.mx_port, "tls": "required"}
    settings = net.settings | {
        "POSTROOM_DELIVERY__ROUTES": json.dumps([route]),
        "SSL_CERT_FILE": str(local_tls().authority),
    }
    net.publish("localhost", A=["127.0.0.1"])
    with installed(installation, tmp_path_factory.mktemp("activity"), settings) as made:
        made.relay.json("domain", "add", DOMAIN, "--account", made.account, "--trusted")
        yield made


def send(context: BrowserContext, to: str, **more: object) -> str:
    """The id of the message."""
    message = {
        "from": {"email": f"shop@{DOMAIN}", "name": "Shop"},
        "to": [{"email": to}],
        "subject": f"For {to}",
        "html": "<h1>Hello</h1>",
        "text": "Hello",
    } | more
    answer = context.request.post("/v1/email", data=message, headers=headers(context))
    assert answer.status == 202, answer.text()
    return answer.headers["x-message-id"]


def test_from_the_live_list_to_every_line_that_was_said(
    page: Page, postroom: Postroom, net: Net, visit: Visit
) -> None:
    visit("/activity")
    with net.peer("there.test"):
        send(page.context, "ada@there.test")
        page.get_by_role("link", name="ada@there.test").click()  # it has come by itself
        expect(page.get_by_role("heading", name="For ada@there.test")).to_be_visible()
        expect(page.get_by_text("Attempt 1", exact=True)).to_be_visible()
        transcript = page.get_by_role("list", name="Transcript of attempt 1")
        expect(transcript).to_contain_text(re.compile(r"C:\s*MAIL FROM:<"))
        expect(transcript).to_contain_text(re.compile(r"S:\s*250 2.1.5 ok"))
        expect(page.get_by_text("Delivered", exact=True).first).to_be_visible()
    page.get_by_role("tab", name="Content").click()
    frame = page.frame_locator("iframe[title='Preview of the email']")
    expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
    page.get_by_role("tab", name="Source").click()
    expect(page.get_by_role("region", name="Source of the email")).to_contain_text(
        "Subject: For ada@there.test"
    )
    page.get_by_role("tab", name="Headers").click()
    expect(page.get_by_role("definition").filter(has_text="ada@there.test").last).to_be_visible()


def test_how_well_each_delivery_was_encrypted(page: Page, postroom: Postroom, net: Net, visit: Visit) -> None:
    """An MX may show any certificate, and the verdict says what it is worth; that of a route has to be right."""
    chips = {
        "sealed.test": (re.compile(r"^TLSv1\.[23]$"), "Certificate not verified: other name"),
        SECURE: (re.compile(r"^TLSv1\.[23]$"), "Certificate verified"),
        "open.test": ("Not encrypted",),
    }
    address = net.address()
    net.domain("sealed.test", address)
    with (
        Peer(host=address, port=net.mx_port, tls=local_tls().server),
        Peer(host="127.0.0.1", port=net.mx_port, tls=local_tls().server),
        net.peer("open.test"),
    ):
        messages = {domain: send(page.context, f"eve@{domain}") for domain in chips}
        for domain, words in chips.items():
            visit(f"/activity?message={messages[domain]}")
            page.get_by_role("link", name=f"eve@{domain}").click()
            step = page.get_by_role("list", name="Transcript of attempt 1").locator(
                "xpath=ancestor::*[contains(@class, 'Timeline-item')][1]"
            )
            for word in ("Delivered", *words):
                expect(step.get_by_text(word, exact=True).first).to_be_visible()
            expect(step.get_by_text("Not encrypted")).to_have_count(1 if domain == "open.test" else 0)
            settled(page)
            picture(page, f"email-{domain.partition('.')[0]}-1280")


def test_filters_are_in_the_address(page: Page, postroom: Postroom, net: Net, visit: Visit) -> None:
    with net.peer("found.test"):
        send(page.context, "one@found.test", tags=["blue"])
        send(page.context, "two@found.test")
        visit("/activity?recipient=found.test")
        expect(page.get_by_role("link", name=re.compile("@found.test"))).to_have_count(2)
        page.get_by_role("textbox", name="Recipient").fill("one@found")
        expect(page).to_have_url(re.compile(r"recipient=one%40found$"))
        expect(page.get_by_role("link", name=re.compile("@found.test"))).to_have_count(1)
        expect(page.get_by_role("textbox", name="Recipient")).to_be_focused()
        page.get_by_role("button", name="Clear the filters").click()
        page.get_by_role("button", name="More filters").click()
        page.get_by_role("textbox", name="Tag").fill("blue")
        expect(page.get_by_role("link", name=re.compile("@found.test"))).to_have_text(["one@found.test"])
        page.get_by_role("textbox", name="Tag").fill("no such tag")
        expect(page.get_by_role("heading", name="No email fits")).to_be_visible()


def test_what_waits_says_why_and_can_be_tried_and_cancelled(
    page: Page, postroom: Postroom, net: Net, visit: Visit
) -> None:
    with net.peer("later.test", {"RCPT": [GREYLISTED] * 9}):
        message = send(page.context, "bob@later.test")
        visit(f"/activity?message={message}")
        page.get_by_role("link", name="bob@later.test").click()
        expect(page.get_by_role("alert").filter(has_text="Next attempt")).to_contain_text(GREYLISTED)
        page.get_by_role("button", name="Retry now").click()
        expect(page.get_by_text("Attempt 2", exact=True)).to_be_visible()
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Cancel the email").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel the email").click()
        expect(page.get_by_text("It is cancelled.")).to_be_visible()
        expect(page.get_by_role("button", name="Retry now")).to_have_count(0)


def test_send_again_to_somebody_else(page: Page, postroom: Postroom, net: Net, visit: Visit) -> None:
    with net.peer("again.test"):
        message = send(page.context, "first@again.test")
        visit(f"/activity?message={message}")
        page.get_by_role("link", name="first@again.test").click()
        page.get_by_role("button", name="Send again").click()
        page.get_by_role("dialog").get_by_label("To").fill("second@again.test")
        page.get_by_role("dialog").get_by_role("button", name="Send again").click()
        expect(page.get_by_role("link", name="second@again.test")).to_be_visible()


def test_content_that_is_not_kept_names_the_setting(page: Page, postroom: Postroom, visit: Visit) -> None:
    message = send(page.context, "gone@nowhere.test")
    gone = {
        "content_kept": False,
        "reason": "The content was deleted.",
        "setting": "track_content",
        "kept_until": None,
        "size": 400,
        "text": None,
        "html": None,
        "cut": False,
        "headers": [],
        "attachments": [],
    }
    page.route("**/v1/email/*/content", lambda route: route.fulfill(json={"data": gone}))
    visit(f"/activity?message={message}")
    page.get_by_role("link", name="gone@nowhere.test").click()
    page.get_by_role("tab", name="Content").click()
    told = page.get_by_role("alert", name="The content is not kept")
    expect(told).to_contain_text("track_content")
    expect(told.get_by_role("link", name="its domain")).to_have_attribute("href", re.compile("/domains/"))
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)


def test_what_was_refused_says_how_to_mend_it(page: Page, postroom: Postroom, visit: Visit) -> None:
    refuse(postroom, "somebody@not-ours.test")
    visit("/activity")
    page.get_by_role("tab", name="Refused").click()
    expect(page).to_have_url(re.compile("/refused$"))
    row = page.get_by_role("row").filter(has_text="somebody@not-ours.test")
    expect(row).to_contain_text("ada@there.test")
    expect(row.get_by_role("link")).to_have_attribute("href", re.compile(r"/refusals#[a-z-]+$"))
    inspect(page, "refused-filled-1280")
    page.get_by_role("textbox", name="Search").fill("no such thing")
    expect(page.get_by_role("heading", name="No refusal fits")).to_be_visible()


def refuse(postroom: Postroom, sender: str) -> None:
    """Over SMTP: then it is known from whom and to whom."""
    made = postroom.relay.json("smtp-user", "add", DOMAIN, "--name", "Shop")
    content = f"From: {sender}\r\nSubject: No\r\n\r\nNo\r\n"
    with (
        postroom.relay.smtp(made["username"], made["password"]) as client,
        pytest.raises(smtplib.SMTPResponseException),
    ):
        client.sendmail(f"shop@{DOMAIN}", ["ada@there.test"], content)


def test_u02_foreign_text_is_only_text(page: Page, postroom: Postroom, net: Net, visit: Visit) -> None:
    """In every place that shows it, also what another server said."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    file = {"filename": f"{XSS}.txt", "content": b64encode(b"hello").decode(), "disposition": "attachment"}
    with net.peer("hostile.test", {"RCPT": [f"450 4.7.1 {XSS}"] * 9, "CONNECT": f"220 {XSS} ESMTP"}):
        message = send(
            page.context,
            "eve@hostile.test",
            **{
                "from": {"email": f"shop@{DOMAIN}", "name": XSS},
                "subject": XSS,
                "html": f"<p>{XSS}</p><script>top.location='/hacked'</script>",
                "text": XSS,
                "tags": [XSS],
                "metadata": {"note": XSS},
                "attachments": [file],
            },
        )
        visit(f"/activity?message={message}")
        expect(page.get_by_role("row").last).to_contain_text(XSS)
        page.get_by_role("link", name="eve@hostile.test").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(XSS)
        expect(page.get_by_role("list", name="Transcript of attempt 1")).to_contain_text(f"450 4.7.1 {XSS}")
        page.get_by_role("tab", name="Content").click()
        frame = page.frame_locator("iframe[title='Preview of the email']")
        expect(frame.locator("p").first).to_be_visible()
        for tab in ("Text", "Headers", "Source", "Attachments"):
            page.get_by_role("tab", name=re.compile(tab)).click()
            expect(page.get_by_role("tabpanel").last).to_be_visible()
            assert injected(page) == 0
        expect(page.get_by_text("<script>alert(2)</script>.txt").first).to_be_visible()
    refuse(postroom, f'"{XSS[2:]}" <eve@evil.test>')
    visit("/refused?search=evil.test")
    expect(page.get_by_role("row").last).to_contain_text(XSS[2:])
    assert injected(page) == 0


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "390"])
def test_the_page_of_an_email_looks_well(
    browser: Browser, postroom: Postroom, net: Net, viewport: dict[str, int]
) -> None:
    width = viewport["width"]
    domain = f"{width}.test"
    with (
        net.peer(domain, {"RCPT": [GREYLISTED]}),
        opened(browser, postroom, viewport=viewport) as context,
    ):
        postroom.sign_in(context)
        message = send(context, f"looks@{domain}", tags=["order", "blue"])
        page = context.new_page()
        errors = watch(page)
        page.goto(f"/activity?message={message}")
        page.get_by_role("link", name=f"looks@{domain}").click()
        page.get_by_role("list", name="Transcript of attempt 1").wait_for()
        page.get_by_role("button", name="Retry now").click()
        page.get_by_role("list", name="Transcript of attempt 2").wait_for()
        inspect(page, f"email-{width}")
        page.get_by_role("tab", name="Content").click()
        frame = page.frame_locator("iframe[title='Preview of the email']")
        expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
        inspect(page, f"email-content-{width}")
        assert errors == []
