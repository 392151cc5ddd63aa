"""URLs as strangers write them, read so strictly that nobody else can read them as leading elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

import idna

LONGEST = 2048
PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<slashes>//)?(?P<authority>[^/?#]*)(?P<path>.*)", re.S
)
_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE_IN_PATH = "/?%:@!$&'()*+,;=-._~"


class UrlError(ValueError):
    """The text is no URL that we would call. `str(error)` is the rest of a sentence that begins with "The url"."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is a name in lower-case A-labels without the final dot, or an address in its usual form (`literal`).

    `path` has the query, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    path: str
    literal: bool

    @property
    def authority(self) -> str:
        """As it stands in the Host field (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(text: str) -> Target:
    """An http or https URL. Raises UrlError."""
    if len(text) > LONGEST:
        raise UrlError(f"is longer than {LONGEST} characters")
    if "\\" in text or any(char.isspace() or not char.isprintable() for char in text):
        raise UrlError("holds a blank, a backslash or a control character")
    match = _URL.fullmatch(text)
    if match is None or match["scheme"].lower() not in PORTS:
        raise UrlError("must begin with https://")
    if match["slashes"] is None or not match["authority"]:
        raise UrlError("has no host")
    if "@" in match["authority"]:
        raise UrlError("must not hold a user name or password")
    if "#" in match["path"]:
        raise UrlError("must not hold a fragment (#)")
    scheme = match["scheme"].lower()
    host, port, literal = _host_and_port(match["authority"], scheme)
    path = quote(match["path"], safe=_SAFE_IN_PATH)
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}", literal)


def _host_and_port(authority: str, scheme: str) -> tuple[str, int, bool]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UrlError("has no valid host")
    port = int(match["port"]) if match["port"] else PORTS[scheme]
    if not 0 < port < 65536:
        raise UrlError("has no valid port")
    if match["ipv6"]:
        try:
            return str(IPv6Address(match["ipv6"])), port, True
        except ValueError:
            raise UrlError("has no valid host") from None
    host = _ascii(match["host"])
    return host, port, _is_address(host)


def _ascii(written: str) -> str:
    """Lower-case A-labels. Other dots and digits than those of ASCII become these before anybody looks (UTS 46)."""
    host = written.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise UrlError("has no valid host") from None
    host = host.removesuffix(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise UrlError("has no valid host")
    return host


def _is_address(host: str) -> bool:
    """What ends in a number is an address for many programs, in forms like 127.1 and 0x7f.1; we know one form."""
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return False
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        raise UrlError("has an address for a host that is not written in the usual form") from None
