"""The submission edge: SMTP from applications, over TLS, after a login (RFC 6409).

The protocol is wire.smtp's; here are the sockets, the clock and the limits. What is right and what is wrong is decided
by the `Policy` that is injected, so this package knows neither databases nor accounts.

- Everything is a callback: no task per message, none per command. A policy that answers at once costs nothing; one that
  answers with an awaitable is waited for while the session reads nothing.
- A message up to `submission.spool_above` is a list of chunks, joined once; a larger one goes to the blob store while
  it arrives, and reading stops while the disk is behind.
- Reading stops before STARTTLS is answered: what was sent in the clear is never seen by what comes after (S04).
- The policy's answer to a message is its promise. A client that is gone by then changes nothing; one that leaves
  before the final dot leaves nothing behind (S32).
- A mistake counts; from half of `max_errors` on each one delays its reply by a second. One failed login counts per
  connection and user, for clients try each mechanism; an address that logged in lately is never shut out for its
  own user (S08).
- All deadlines are looked at together, once a tick: a command must be whole within its time, however its octets drip
  (S17), and data must keep a minimum rate.

listener.py       SubmissionServer: binds, accepts, drains
implicit_tls.py   tells TLS from plain text on the port for implicit TLS
channel.py        the transport of one connection: octets, TLS, pauses, the end
connection.py     one connection: events to the policy, answers to the session
deadlines.py      how long a client may take
spool.py          content as it arrives
limits.py         connections and failed logins by client address
context.py        what all connections share
policy.py         what is asked of whoever decides
"""

from postroom.accept.submission.listener import SubmissionServer

__all__ = ["SubmissionServer"]
