"""The session's cookie: only for this host and all of it, out of reach of scripts, not sent from other sites' forms."""

from __future__ import annotations

from postroom.web.api.call import Call
from postroom.web.api.persons import cookie_name


def keep(call: Call, secret: str, seconds: float) -> None:
    """The browser keeps it for so long."""
    _set(call, f"{secret}; Max-Age={round(seconds)}")


def drop(call: Call) -> None:
    _set(call, "; Max-Age=0")


def _set(call: Call, value: str) -> None:
    """The prefix __Host- obliges browsers to refuse the cookie without Secure and Path, or with a Domain."""
    secure = "; Secure" if call.encrypted else ""
    cookie = f"{cookie_name(call)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"
    call.headers.append((b"set-cookie", cookie.encode("ascii")))
