"""Refusals of the protocol itself, and those that are our fault."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

# -- protocol --------------------------------------------------------------------------------------------

COMMAND_UNKNOWN = Rule(
    "command-unknown",
    500,
    "5.5.1",
    400,
    "Unknown command.",
    what="The client sent a command that does not exist.",
    fix="Update or correct the client.",
)
COMMAND_NOT_IMPLEMENTED = Rule(
    "command-not-implemented",
    502,
    "5.5.1",
    400,
    "The command {command} is not implemented.",
    what="The command exists but is not offered here.",
    fix="Use what the EHLO reply offers.",
)
COMMAND_SYNTAX = Rule(
    "command-syntax",
    501,
    "5.5.4",
    400,
    "Syntax: {syntax}",
    what="A command has too few, too many or wrong arguments.",
    fix="Update or correct the client.",
)
COMMAND_BYTES = Rule(
    "command-bytes",
    500,
    "5.5.2",
    400,
    "The command holds a control or non-UTF-8 character.",
    what="Commands end in CRLF and hold printable text only.",
    fix="Update or correct the client.",
)
COMMAND_TOO_LONG = Rule(
    "command-too-long",
    500,
    "5.5.2",
    400,
    "The command line is too long.",
    what="A command line is longer than this relay takes.",
    fix="Update or correct the client.",
)
BAD_SEQUENCE = Rule(
    "bad-sequence",
    503,
    "5.5.1",
    400,
    "Bad sequence of commands: {problem}.",
    what="A command came when it was not its turn.",
    fix="Update or correct the client.",
)
EARLY_PIPELINING = Rule(
    "early-pipelining",
    554,
    "5.5.0",
    400,
    "Protocol error: input after {command} before its reply.",
    what="The client sent on without waiting for the reply to a command that does not allow it.",
    fix="Update or correct the client; malware does this, too.",
    closes=True,
)
TOO_MANY_ERRORS = Rule(
    "too-many-errors",
    421,
    "4.7.0",
    429,
    "Too many errors on this connection.",
    what="The client made too many mistakes on one connection.",
    fix="See the replies before.",
    closes=True,
)
TOO_MANY_CONNECTIONS = Rule(
    "too-many-connections",
    421,
    "4.7.0",
    429,
    "Too many connections from {address}: at most {limit}.",
    what="One address holds more connections than are allowed.",
    fix="Let the application reuse connections, or ask the operator to raise submission.connections_per_address.",
    closes=True,
)
SERVER_BUSY = Rule(
    "server-busy",
    421,
    "4.3.2",
    503,
    "Too busy: too many connections. Try again later.",
    what="The relay holds as many connections as it is configured for.",
    fix="Nothing: clients try again. Operator: raise submission.connections.",
    closes=True,
)
IDLE_TIMEOUT = Rule(
    "idle-timeout",
    421,
    "4.4.2",
    408,
    "Timeout: nothing came for {seconds} s.",
    what="The client was silent for too long.",
    fix="Close connections that are not needed.",
    closes=True,
)
TOO_SLOW = Rule(
    "too-slow",
    421,
    "4.4.2",
    408,
    "Too slow: less than {rate} bytes per second.",
    what="The client sent the message so slowly that it looked like an attack.",
    fix="Check the network between the application and the relay.",
    closes=True,
)

# -- ours ------------------------------------------------------------------------------------------------

STORAGE_UNAVAILABLE = Rule(
    "storage-unavailable",
    451,
    "4.3.0",
    503,
    "The message cannot be stored now. Try again later.",
    what="The database or the disk did not take the message. Nothing was kept; sending it again is safe.",
    fix="Nothing: clients that keep a queue try again. Operator: see the log and /health.",
)
INTERNAL_ERROR = Rule(
    "internal-error",
    451,
    "4.3.0",
    500,
    "An internal error happened. Try again later.",
    what="Something we did not foresee went wrong. Nothing was kept; sending it again is safe.",
    fix="Operator: the log has the details; please report it.",
)
SHUTTING_DOWN = Rule(
    "shutting-down",
    421,
    "4.3.2",
    503,
    "The relay is shutting down. Try again in a moment.",
    what="The relay was stopped or is being restarted.",
    fix="Nothing: clients try again.",
    closes=True,
)
