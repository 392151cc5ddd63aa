"""How the mail of Postroom itself reads."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from postroom.notify.letters import FILES, LONGEST_NAME, Wording, render
from postroom.types.notices import (
    ApprovalDecision,
    ApprovalRequest,
    DomainCheckFailed,
    DomainRestored,
    EmailChangeAsked,
    EmailChangeConfirmation,
    EmailChanged,
    EmailChangeKnown,
    IdentityConfirmation,
    IdentityProblem,
    Invitation,
    Notice,
    PasswordChanged,
    PasswordReset,
    QuotaDecision,
    QuotaNotice,
    QuotaRequest,
    SecondStepLocked,
    SignUpConfirmation,
    SignUpKnown,
)

TO, LINK = "ada@example.com", "https://mail.example.com/invites/s3cret?a=b&c=d"
AT = 1_795_420_800_000

NOTICES: dict[str, Notice] = {
    "invitation": Invitation(TO, "Shop", "Bob", LINK),
    "confirmation": IdentityConfirmation(TO, "Shop", LINK),
    "confirmation with a note": IdentityConfirmation(TO, "Shop", LINK, "Dear Ada,\nplease."),
    "identity problem": IdentityProblem(TO, "Shop", "ben@client.example", "Its policy is p=reject."),
    "80 %": QuotaNotice(TO, "Shop", 80, 1000, held=False),
    "100 %": QuotaNotice(TO, "Shop", 100, 1000, held=True),
    "request": ApprovalRequest(
        "Shop", (("What do you send?", "Orders\nand news"), ("How many?", "10")), LINK
    ),
    "approved": ApprovalDecision(TO, "Shop", True),
    "not approved": ApprovalDecision(TO, "Shop", False, "Too little is said."),
    "quota request": QuotaRequest("Shop", 100, 5000, "Autumn sale.\nIt begins soon.", LINK),
    "quota raised": QuotaDecision(TO, "Shop", True, 5000),
    "quota kept": QuotaDecision(TO, "Shop", False, 100, "Not yet."),
    "domain failed": DomainCheckFailed(TO, "Shop", "shop.test", ("pr1: there is no record", "x"), AT, LINK),
    "domain restored": DomainRestored(TO, "Shop", "shop.test"),
    "reset": PasswordReset(TO, LINK),
    "password changed": PasswordChanged(TO, "192.0.2.7", LINK),
    "password changed on the machine": PasswordChanged(TO, "", LINK),
    "second step locked": SecondStepLocked(TO, "192.0.2.7", LINK),
    "sign up": SignUpConfirmation(TO, LINK),
    "sign up, known": SignUpKnown(TO, LINK),
    "email change": EmailChangeConfirmation(TO, LINK),
    "email change, known": EmailChangeKnown(TO, LINK),
    "email change asked for": EmailChangeAsked(TO, "new@example.com", "192.0.2.7", LINK),
    "email changed": EmailChanged(TO, "new@example.com", "192.0.2.7"),
}
SUBJECTS = {
    "invitation": "Bob invites you to Shop",
    "confirmation": "Shop wants to send email from your address",
    "confirmation with a note": "Shop wants to send email from your address",
    "identity problem": "Mail from ben@client.example will not arrive any more",
    "80 %": "Shop: 80 % of today's emails are used",
    "100 %": "Shop: 100 % of today's emails are used",
    "request": "Shop asks to be approved",
    "approved": "Shop may send now",
    "not approved": "Shop was not approved",
    "quota request": "Shop asks for 5000 emails a day",
    "quota raised": "Shop has a new daily quota",
    "quota kept": "Shop keeps its daily quota",
    "domain failed": "The DNS records of shop.test are not right any more",
    "domain restored": "shop.test is all right again",
    "reset": "A new password for Postroom",
    "password changed": "Your password was changed",
    "password changed on the machine": "Your password was changed",
    "second step locked": "Somebody has guessed at your sign-in codes",
    "sign up": "Confirm your address to make an account",
    "sign up, known": "You have a user on Postroom already",
    "email change": "Confirm your new address for Postroom",
    "email change, known": "You have a user on Postroom already",
    "email change asked for": "Your address for Postroom may change",
    "email changed": "Your address for Postroom was changed",
}
SAID = {
    "invitation": ["Bob invites you to join", LINK],
    "confirmation": [TO, LINK, "without your confirmation they cannot"],
    "confirmation with a note": ["They write:\n\nDear Ada,\nplease.\n\n"],
    "identity problem": [
        "ben@client.example as its sender",
        "Its policy is p=reject.",
        "Nothing was switched off",
    ],
    "80 %": ["80 % of its 1000 emails", "Beyond 1000 messages are refused"],
    "100 %": ["From now on messages are accepted and wait"],
    "request": ["What do you send?\n> Orders\n> and news\n\nHow many?\n> 10\n\n", LINK],
    "approved": ['"Shop" is approved'],
    "not approved": ["was not approved", "The operator writes:\n\nToo little is said."],
    "quota request": [
        "may send 100 emails a day and asks for 5000 a day",
        "Autumn sale.\nIt begins soon.",
        LINK,
    ],
    "quota raised": ['"Shop" may send 5000 emails a day.'],
    "quota kept": ["was not given a larger", "The operator writes:\n\nNot yet."],
    "domain failed": ["  - pr1: there is no record\n  - x\n", "paused on 23 November 2026, 08:00 UTC", LINK],
    "domain restored": ["are right again"],
    "reset": [f"a new password for {TO}", LINK, "the password stays as it is"],
    "password changed": ["was changed, from the address 192.0.2.7. Everybody", LINK],
    "password changed on the machine": [f"The password of {TO} was changed. Everybody"],
    "second step locked": ["five wrong codes", "from the address 192.0.2.7", LINK],
    "sign up": [f"with {TO}", LINK, "nothing is made"],
    "sign up, known": ["There is a user with this address already", LINK],
    "email change": [f"sign in to Postroom with {TO}", LINK, "nothing changes"],
    "email change, known": ["There is a user with this address already", LINK],
    "email change asked for": [
        "wants to sign in with new@example.com",
        "from the address 192.0.2.7",
        "choose a new password",
        LINK,
    ],
    "email changed": [f"signed in with {TO} signs in with new@example.com", "from the address 192.0.2.7"],
}


class Reader(HTMLParser):
    """The words and links of a page; fails where a tag is left open or closed without having been opened."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"


def words(text: str) -> str:
    return re.sub(r"[\s>\"-]+", " ", text)


def test_every_notice_has_its_files_and_is_looked_at_here() -> None:
    assert set(FILES) == set(get_args(Notice)) == {type(notice) for notice in NOTICES.values()}


@pytest.mark.parametrize("name", NOTICES)
def test_what_a_letter_says(name: str) -> None:
    wording = render(NOTICES[name])
    assert wording.subject == SUBJECTS[name]
    for said in SAID[name]:
        assert said in wording.text
    assert "{" not in wording.text
    assert "\n\n\n" not in wording.text.strip()


@pytest.mark.parametrize("name", NOTICES)
def test_html_says_the_same_and_fetches_nothing(name: str) -> None:
    notice = NOTICES[name]
    page = Reader(render(notice).html)
    for said in SAID[name]:
        for line in said.splitlines():
            if line != LINK:
                assert words(line).strip() in words(page.words)
    assert page.links == ([LINK] if hasattr(notice, "link") else [])
    assert page.tags <= {
        "html", "head", "meta", "title", "body", "div", "p", "strong", "a", "blockquote", "br", "dl", "dt", "dd", "ul", "li",
    }  # fmt: skip


NASTY = (
    '</p><a href="https://evil.example/">x</a><img src=x onerror=y>{{ link }}&amp;\r\nBcc: all@example.com'
)


@pytest.mark.parametrize(
    "notice",
    [
        Invitation(TO, NASTY, NASTY, LINK),
        IdentityConfirmation(TO, NASTY, LINK, NASTY),
        ApprovalRequest(NASTY, ((NASTY, NASTY),), LINK),
        ApprovalDecision(TO, NASTY, False, NASTY),
        QuotaRequest(NASTY, 1, 2, NASTY, LINK),
        QuotaDecision(TO, NASTY, False, 1, NASTY),
        DomainCheckFailed(TO, NASTY, NASTY, (NASTY,), AT, LINK),
    ],
    ids=lambda notice: type(notice).__name__,
)
def test_what_customers_write_is_never_markup(notice: Notice) -> None:
    wording = render(notice)
    page = Reader(wording.html)
    assert set(page.links) <= {LINK}
    assert "img" not in page.tags
    assert "onerror" in page.words
    assert "{{ link }}" in page.words
    assert "\n" not in wording.subject
    assert "\r" not in wording.subject


def test_names_are_cut_and_stay_on_their_line() -> None:
    wording = render(Invitation(TO, "A" * 500, "B\n\nB" * 200, LINK))
    assert "A" * (LONGEST_NAME - 3) + "..." in wording.text
    assert "A" * LONGEST_NAME not in wording.text
    assert "B\n" not in wording.text


def test_a_link_that_is_secret_is_not_logged() -> None:
    for name in ("invitation", "confirmation", "reset", "sign up"):
        assert "s3cret" not in repr(NOTICES[name])
        assert isinstance(render(NOTICES[name]), Wording)
