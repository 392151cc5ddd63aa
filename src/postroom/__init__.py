"""Postroom sends an application's email.

An application hands a message over by SMTP or by HTTP; Postroom checks it, keeps it, signs it, delivers it to
the recipient's mail server, hears what came back and tells the application.

The listing of this package is a message's journey, in order: `accept` lets it in, `compose` makes the signed
bytes, `deliver` brings them to the other side, `events` keeps what came back, `notify` tells who asked,
`report` adds it up. Underneath: `tenancy` (who may do what), `store` (SQL), `runtime` (clock, DNS, TLS, files),
`wire` (pure protocols), `types` (words every layer shares). `node` wires them together.
"""

__version__ = "0.1.0"
