"""Plays the dialogues of this folder (README.md tells how they are written)."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from postroom.wire.smtp.server import ServerSession
from postroom.wire.smtp.settings import ServerSettings
from support.smtp_owner import Owner

FILES = sorted(Path(__file__).parent.glob("*.talk"))
_ESCAPE = re.compile(r"\\(?:u\{(?P<uni>[0-9a-f]+)\}|x(?P<hex>[0-9a-f]{2})|(?P<char>[rn0t\\]))")
_REPEAT = re.compile(r"\{(.+?)\*(\d+)\}")
_CHARS = {"r": b"\r", "n": b"\n", "0": b"\0", "t": b"\t", "\\": b"\\"}


def unescape(text: str) -> bytes:
    text = _REPEAT.sub(lambda match: match[1] * int(match[2]), text)
    result, at = b"", 0
    for match in _ESCAPE.finditer(text):
        result += text[at : match.start()].encode()
        if match["uni"]:
            result += chr(int(match["uni"], 16)).encode()
        else:
            result += bytes([int(match["hex"], 16)]) if match["hex"] else _CHARS[match["char"]]
        at = match.end()
    return result + text[at:].encode()


def read(file: Path) -> tuple[dict[str, str], list[str]]:
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    start = lines.index("")
    settings = dict(re.split(r":\s*", line, maxsplit=1) for line in lines[:start])
    return settings, [line for line in lines[start:] if line]


def new_owner(settings: dict[str, str]) -> Owner:
    words = dict(settings)
    words.pop("feed", None)
    tls, ready = words.pop("tls", "no") == "yes", words.pop("ready", "no") == "yes"
    answers = {name: words.pop(name) for name in ("login", "mail", "rcpt", "message") if name in words}
    limits = {name: int(value) for name, value in words.items()}
    owner = Owner(
        ServerSession(ServerSettings("relay.example.com", "https://r.example/x", **limits), tls=tls or ready)
    )
    if ready:
        owner.feed(b"EHLO client.example\r\n")
        owner.feed(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n")
        owner.logins.clear()
    for name, value in answers.items():
        setattr(owner, name, value)
    return owner


class Player:
    def __init__(self, owner: Owner, *, bytewise: bool) -> None:
        self.owner = owner
        self.bytewise = bytewise
        self.to_send = b""
        self.replies: list[str] = []

    def play(self, lines: Iterable[str]) -> None:
        for line in lines:
            kind, text = line[:2], line[2:].removeprefix(" ")
            if kind == "C:":
                self.to_send += unescape(text) + b"\r\n"
            elif kind == "C|":
                self.to_send += unescape(text)
            else:
                self.send()
                self.check(kind, text, line)
        self.send()
        assert self.replies == [], "replies nobody expected"

    def send(self) -> None:
        data, self.to_send = self.to_send, b""
        if not data:
            return
        assert self.replies == [], "replies nobody expected"
        pieces = [data[at : at + 1] for at in range(len(data))] if self.bytewise else [data]
        self.replies = b"".join(map(self.owner.feed, pieces)).decode().splitlines()

    def check(self, kind: str, text: str, line: str) -> None:
        if kind == "S:":
            assert self.replies, f"no reply for: {line}"
            assert self.replies[0].startswith(text), f"{self.replies[0]!r} is not: {line}"
            del self.replies[0]
        elif kind == "S~":
            assert self.replies, f"no reply for: {line}"
            assert re.search(text, self.replies[0]), f"{self.replies[0]!r} is not: {line}"
            del self.replies[0]
        elif kind == "S*":
            while self.replies and self.replies[0].startswith(f"{text}-"):
                del self.replies[0]
            self.check("S:", f"{text} ", line)
        else:
            assert kind == "* ", f"cannot read: {line}"
            self.check_fact(*text.split(" ", 1))

    def check_fact(self, fact: str, text: str = "") -> None:
        owner = self.owner
        if fact == "tls":
            assert owner.handshakes == 1
            owner.session.tls_started()
        elif fact in ("closed", "open"):
            assert owner.closed == owner.session.closing == (fact == "closed")
        elif fact == "login":
            assert owner.logins.pop(0)[1] == text
        elif fact == "no":
            assert owner.logins == []
        elif fact == "kept":
            expected = [] if text == "nothing" else [unescape(text)]
            assert owner.kept == expected
            owner.kept.clear()
        elif fact == "refused":
            assert owner.refusals == text.split()
            owner.refusals.clear()
        else:
            raise AssertionError(f"unknown fact: {fact}")


@pytest.mark.parametrize("bytewise", [False, True], ids=["pieces", "octets"])
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_dialogue(file: Path, bytewise: bool):
    settings, lines = read(file)
    if bytewise and settings.get("feed") == "whole":
        pytest.skip("shows what happens when the pieces come together")
    Player(new_owner(settings), bytewise=bytewise).play(lines)
