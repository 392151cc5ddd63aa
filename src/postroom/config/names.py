"""Settings that name a place or a person: hosts, IP addresses, URLs, mailboxes.

A wrong one is refused here, where file or variable and key are known: found later, it would cost mail or a search. The
types called Optional may be empty, too; what that means says the setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from postroom.config.values import Kind
from postroom.types.addresses import AddressError, parse_domain, parse_mailbox
from postroom.types.parts import Mailbox

LONGEST_URL = 255
_MAILBOX = re.compile(r'(?:(?P<name>"[^"<>\\]*"\s*|[^"<>@,;:\\]*)<)?(?P<address>[^<>\s,;]+)(?(name)>)')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~%!$&*+,;=:/\[\]-]+")  # no user, no query, no fragment


def host_name(text: str) -> str:
    """A name in the DNS, folded to lower-case A-labels without a final dot. Raises ValueError, as all of these do."""
    try:
        name = parse_domain(text.removesuffix("."))
    except AddressError as error:
        raise ValueError(f"must be a host name, like mail.example.com: {error}") from None
    if name.rpartition(".")[2].isdigit():
        raise ValueError("must be a host name, like mail.example.com, and no IP address")
    return name


def host(text: str) -> str:
    """Whom to connect to, or where to listen: an IP address or a name. Names of containers may hold "_"."""
    with suppress(ValueError):
        return str(ip_address(text))
    try:
        if "_" not in text:
            return host_name(text)
        host_name(text.replace("_", "x"))
    except ValueError:
        raise ValueError("must be a host name or an IP address, like mail.example.com or 192.0.2.1") from None
    return text.lower()


def certificate_name(text: str) -> str:
    """A host, or all names of one level below a name: `*.example.com`."""
    return f"*.{host_name(text[2:])}" if text.startswith("*.") else host(text)


def mail_domain(text: str) -> str:
    return text if text == "*" else host_name(text)


def label(text: str) -> str:
    if _LABEL.fullmatch(text) is None:
        raise ValueError("must be one lower-case label, like mta")
    return text


def network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a network, like 10.0.0.0/8") from None
    return text


def ipv4_address(text: str) -> str:
    """One that a machine may have."""
    try:
        address = IPv4Address(text)
    except ValueError:
        raise ValueError("must be an IPv4 address, like 192.0.2.1") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError("must be the IPv4 address of one machine, like 192.0.2.1")
    return str(address)


def dns_server(text: str) -> tuple[str, int]:
    """Address and port of "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353"."""
    address, colon, port = text.rpartition(":")
    if not colon or (":" in address and not address.endswith("]")):
        address, port = text, "53"
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    try:
        ip_address(address)
    except ValueError:
        port = ""
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("must be an IP address or address:port, like 192.0.2.53 or [2001:db8::53]:5353")
    return address, int(port)


def http_url(text: str) -> str:
    """`http://` or `https://`, a host, perhaps a port and a path."""
    problem = f"must be a URL like https://postroom.example.com, at most {LONGEST_URL} characters"
    if len(text) > LONGEST_URL or _URL_CHARACTERS.fullmatch(text) is None:
        raise ValueError(problem)
    try:
        url = urlsplit(text)
        host(url.hostname or "")
        right = url.scheme in ("http", "https") and url.port != 0
    except ValueError:
        right = False
    if not right:
        raise ValueError(problem)
    return text


def mailbox(text: str) -> Mailbox:
    """`Name <address>` or an address alone."""
    found = _MAILBOX.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "is no email address: it must be one, like noreply@example.com or Name <noreply@example.com>"
        )
    try:
        address = parse_mailbox(found["address"])
    except AddressError as error:
        raise ValueError(f"is no email address: {error}") from None
    return Mailbox((found["name"] or "").strip().strip('"'), address)


def database_url(text: str) -> str:
    # Commands that need no database, or the default one, start without SQLAlchemy.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        backend = make_url(text).get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError("is not a URL like sqlite:///path or postgresql://user@host/name") from None
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"{backend} is not supported; use sqlite or postgresql")
    return text


def _as_written(read: Callable[[str], object]) -> Callable[[str], str]:
    """The text itself, once it could be read."""

    def check(text: str) -> str:
        read(text)
        return text

    return check


def _or_empty(read: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda text: read(text) if text else text)


_HOST_NAME = Kind("host name", "host names")
_HOST = Kind("host name or IP address", "host names or IP addresses")

Host = Annotated[str, AfterValidator(host), _HOST]
CertificateName = Annotated[str, AfterValidator(certificate_name), _HOST]
MailDomain = Annotated[str, AfterValidator(mail_domain), Kind("domain", "domains")]
Label = Annotated[str, AfterValidator(label), Kind("label", "labels")]
Network = Annotated[str, AfterValidator(network), Kind("network", "networks")]
DnsServer = Annotated[
    str,
    AfterValidator(_as_written(dns_server)),
    Kind("IP address, perhaps with a port", "IP addresses, perhaps with a port"),
]
OptionalHostName = Annotated[str, _or_empty(host_name), _HOST_NAME]
OptionalHost = Annotated[str, _or_empty(host), _HOST]
OptionalIpv4 = Annotated[str, _or_empty(ipv4_address), Kind("IPv4 address", "IPv4 addresses")]
OptionalUrl = Annotated[str, _or_empty(http_url), Kind("URL", "URLs")]
OptionalMailbox = Annotated[
    str, _or_empty(_as_written(mailbox)), Kind("email address, perhaps with a name", "email addresses")
]
OptionalDatabaseUrl = Annotated[str, _or_empty(database_url), Kind("URL", "URLs")]
