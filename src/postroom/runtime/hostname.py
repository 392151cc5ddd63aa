"""The name under which this machine speaks: in EHLO, in Received, in the banner."""

from __future__ import annotations

import re
import socket

from postroom.errors import ConfigError
from postroom.wire.smtp.client_commands import InjectionError, hello_name

# What every machine calls itself, or what stands for an address that has no name.
_NOBODY = re.compile(r"(?:ip6-)?(?:localhost|loopback)[46]?(?:\.localdomain[46]?)?|.*\.arpa", re.IGNORECASE)


def own_hostname(configured: str) -> str:
    """`server.hostname`, or else the machine's full name, or else the short one. Raises ConfigError when that cannot be
    a name in EHLO."""
    if configured:
        return configured
    full = socket.getfqdn()
    name = socket.gethostname() if _NOBODY.fullmatch(full) else full
    try:
        return hello_name(name)
    except InjectionError:
        raise ConfigError(f"server.hostname: must be set, the machine's name is none: {name!r}") from None
