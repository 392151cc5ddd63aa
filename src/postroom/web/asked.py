"""What a request asks for, in whatever way it is written."""

from __future__ import annotations

from starlette.types import Scope


def asked(scope: Scope) -> Scope:
    """The request as the routes know it. HEAD is a GET whose body the server leaves out (RFC 9110 section 9.3.2), and one
    slash at the end changes nothing. The server goes on with its own scope."""
    method, path = scope["method"], scope["path"]
    if method != "HEAD" and path[-1:] != "/":
        return scope
    return {**scope, "method": "GET" if method == "HEAD" else method, "path": path.removesuffix("/") or "/"}
