"""types.refusals as replies: every rule of the catalogue is one line that fits, whatever its facts and the link."""

from __future__ import annotations

import pytest

from postroom.accept.submission.context import session_settings
from postroom.config import Config, Server
from postroom.config.names import LONGEST_URL
from postroom.types.refusals import CATALOGUE, Refused, Rule
from postroom.types.refusals.rule import LEAST_TEXT_OCTETS, REPLY_OCTETS
from postroom.wire.smtp.server import ServerSession

MOST_OCTETS = 512  # RFC 5321 section 4.5.3.1.5
OVER_SMTP = [rule for rule in CATALOGUE.values() if rule.code]
URLS = {
    "none": "",
    "usual": "https://postroom.example.com",
    "long": f"https://postroom.example.com/{'x' * 40}",
    "longest": f"https://postroom.example.com/{'x' * (LONGEST_URL - 29)}",
}
LONGEST_NAME = ".".join(["h" * 62] * 4)


def link(url: str) -> str:
    return session_settings(Config(server=Server(http_url=url)), "relay.test").link


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("rule", OVER_SMTP, ids=lambda rule: rule.id)
def test_every_reply_is_one_line_that_fits(rule: Rule, url: str) -> None:
    page = link(URLS[url])
    for fact in ("1", "ü" * 300, "a\r\nb"):
        line = Refused(rule, dict.fromkeys(rule.facts, fact)).reply(page).encode()
        assert len(line) <= REPLY_OCTETS <= MOST_OCTETS
        assert line.startswith(f"{rule.code} {rule.enhanced} ".encode())
        assert line.endswith(f" [{rule.id}]\r\n".encode())
        assert line.count(b"\r") == line.count(b"\n") == 1
        assert (f" {page}#{rule.id} [".encode() in line) is (url in ("usual", "long"))
        assert (b"https://" in line) is (url in ("usual", "long"))


@pytest.mark.parametrize("rule", OVER_SMTP, ids=lambda rule: rule.id)
def test_a_link_never_takes_the_sentences_place(rule: Rule) -> None:
    refused = Refused(rule, dict.fromkeys(rule.facts, "y" * 300))
    for length in (0, 34, 100, 120, 150, 289, 1000):
        line = refused.reply("x" * length).encode().decode()
        said = line.removeprefix(f"{rule.code} {rule.enhanced} ").partition(" x")[0].removesuffix("\r\n")
        said = said.removesuffix(f" [{rule.id}]")
        assert len(line.encode()) <= REPLY_OCTETS
        assert refused.text.startswith(said.removesuffix("..."))
        assert said == refused.text or len(said) >= LEAST_TEXT_OCTETS


@pytest.mark.parametrize("url", URLS)
def test_the_other_lines_fit_under_the_longest_name(url: str) -> None:
    config = Config(server=Server(hostname=LONGEST_NAME, http_url=URLS[url]))
    session = ServerSession(session_settings(config, config.server.hostname), tls=True)
    session.greet()
    session.receive(b"EHLO me\r\nHELP\r\n")
    assert session.next_event() is None
    lines = session.take_output().splitlines(keepends=True)
    assert len(lines) > 9
    assert max(map(len, lines)) <= MOST_OCTETS
    assert URLS[url].encode() in lines[-1]
