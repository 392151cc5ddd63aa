"""Logins: AUTH PLAIN (RFC 4616) and AUTH LOGIN (draft-murchison-sasl-login), one object per exchange.

What a client sent is never part of a refusal: a wrong line may hold the password all the same.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from postroom.types.refusals import AUTH_CANCELLED, AUTH_FAILED, AUTH_SYNTAX, Refused
from postroom.wire.smtp.command import has_control
from postroom.wire.smtp.events import Authenticate

MECHANISMS = ("PLAIN", "LOGIN")

_USERNAME = b"VXNlcm5hbWU6"  # "Username:" in base64
_PASSWORD = b"UGFzc3dvcmQ6"  # "Password:"

# A challenge in base64 that the client has to answer, the finished login, or a refusal.
Step = bytes | Authenticate | Refused


class Exchange:
    """One AUTH command: `begin` with its initial response (None: there was none), `respond` to each further line."""

    __slots__ = ("_username", "mechanism")

    def __init__(self, mechanism: str) -> None:
        self.mechanism = mechanism
        self._username: str | None = None

    def begin(self, initial: bytes | None) -> Step:
        if initial is None:
            return b"" if self.mechanism == "PLAIN" else _USERNAME
        return self._read(
            b"" if initial == b"=" else initial
        )  # RFC 4954 section 4: "=" is the empty response

    def respond(self, line: bytes) -> Step:
        return Refused(AUTH_CANCELLED) if line == b"*" else self._read(line)

    def _read(self, encoded: bytes) -> Step:
        try:
            text = a2b_base64(encoded, strict_mode=True).decode()
        except (Base64Error, UnicodeDecodeError):
            return _problem("it is not base64 of UTF-8 text")
        return self._read_plain(text) if self.mechanism == "PLAIN" else self._read_login(text)

    def _read_plain(self, text: str) -> Step:
        parts = text.split("\0")
        if len(parts) != 3:
            return _problem("PLAIN needs two NUL characters")
        authorize_as, username, password = parts
        if authorize_as not in ("", username):
            return Refused(AUTH_FAILED)  # nobody may act for somebody else
        return self._login(username, password)

    def _read_login(self, text: str) -> Step:
        if self._username is not None:
            return self._login(self._username, text)
        if not text or has_control(text):
            return self._login(text, "")
        self._username = text
        return _PASSWORD

    def _login(self, username: str, password: str) -> Step:
        if has_control(username) or has_control(password):
            return _problem("username or password holds a control character")
        if not username or not password:
            return _problem("username or password is empty")
        return Authenticate(self.mechanism, username, password)


def _problem(problem: str) -> Refused:
    return Refused(AUTH_SYNTAX, {"problem": problem})
