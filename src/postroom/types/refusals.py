"""THE catalogue: everything Postroom ever refuses, once.

SMTP, the API, the dashboard, the log of refused attempts and docs/refusals.md all read it. A rule has a stable id,
an SMTP code with its enhanced code (RFC 5321, RFC 3463), an HTTP status, one line of text, what happened and how
to mend it. Permanent faults are 5xx; only what time or waiting can mend is 4xx.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter

from postroom.types.reply import Reply

REPLY_OCTETS = 250
FACT_OCTETS = 80


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry. `text` may hold {facts}; `fix` is for the customer unless it says otherwise."""

    id: str
    code: int
    enhanced: str
    status: int
    text: str
    what: str
    fix: str
    closes: bool = False

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(name for _, name, _, _ in Formatter().parse(self.text) if name)


@dataclass(frozen=True, slots=True)
class Refused:
    """A pipeline step's way of saying no: the rule and the facts its text names."""

    rule: Rule
    facts: dict[str, str] = field(default_factory=dict)

    def reply(self, link: str = "") -> Reply:
        """One line of at most 250 octets that ends with the rule id. `link` is the page of the catalogue, or "".

        What does not fit is cut from the text, never from the code or the id: clients show the tail to people.
        """
        rule = self.rule
        cleaned = {name: _clean(value) for name, value in self.facts.items()}
        text = rule.text.format_map(_Missing(cleaned))
        tail = f" {link}#{rule.id} [{rule.id}]" if link else f" [{rule.id}]"
        room = REPLY_OCTETS - len(f"{rule.code} {rule.enhanced} ") - len(tail.encode()) - 2
        if room < len(text.encode()):
            text = text.encode()[: room - 3].decode("utf-8", "ignore") + "..."
        return Reply.of(rule.code, rule.enhanced, text + tail)


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"({key})"


def _clean(value: str) -> str:
    """Printable and short: a fact may be what a stranger sent (X03)."""
    text = "".join(char if char.isprintable() else "?" for char in str(value))
    return (
        text
        if len(text.encode()) <= FACT_OCTETS
        else text.encode()[: FACT_OCTETS - 3].decode("utf-8", "ignore") + "..."
    )


_RULES: list[Rule] = []


def _rule(
    id: str, code: int, enhanced: str, status: int, text: str, *, what: str, fix: str, closes: bool = False
) -> Rule:
    rule = Rule(id, code, enhanced, status, text, what, fix, closes)
    _RULES.append(rule)
    return rule


# -- TLS and login ---------------------------------------------------------------------------------------------

TLS_REQUIRED = _rule(
    "tls-required",
    530,
    "5.7.0",
    403,
    "Must issue a STARTTLS command first: this relay talks only over TLS.",
    what="The client tried to send without encryption.",
    fix='Switch on encryption in the client: "STARTTLS" or "TLS" on ports 587 and 2525, "SSL" on port 465.',
)
AUTH_NEEDS_TLS = _rule(
    "auth-needs-tls",
    538,
    "5.7.11",
    403,
    "Encryption is required before a login: issue STARTTLS first.",
    what="The client sent a password over a connection that is not encrypted. Consider it seen by others.",
    fix="Switch on STARTTLS in the client, then reset the SMTP user's password.",
)
PLAIN_ON_TLS_PORT = _rule(
    "plain-on-tls-port",
    554,
    "5.7.0",
    400,
    "This port expects TLS from the first byte. For STARTTLS use port 587 or 2525.",
    what="The client spoke plain SMTP on the port for implicit TLS.",
    fix='Choose "SSL" (implicit TLS) for port 465, or port 587 or 2525 with "STARTTLS".',
    closes=True,
)
AUTH_REQUIRED = _rule(
    "auth-required",
    530,
    "5.7.0",
    401,
    "Authentication required: log in with an SMTP user first.",
    what="The client tried to send without logging in.",
    fix="Set the SMTP user's username and password in the client and switch authentication on.",
)
AUTH_FAILED = _rule(
    "auth-failed",
    535,
    "5.7.8",
    401,
    "Authentication failed: username or password is wrong.",
    what="No SMTP user has this username and password.",
    fix="Copy both again from the domain's SMTP page, or reset the password there (it is shown once).",
)
SMTP_USER_DISABLED = _rule(
    "smtp-user-disabled",
    535,
    "5.7.8",
    403,
    "Authentication failed: the SMTP user {username} is switched off.",
    what="The password was right, but this SMTP user is switched off.",
    fix="Switch the SMTP user on, or use another one.",
)
DOMAIN_SMTP_DISABLED = _rule(
    "domain-smtp-disabled",
    535,
    "5.7.8",
    403,
    "Authentication failed: SMTP is switched off for {domain}.",
    what="The password was right, but sending by SMTP is switched off for the domain of this SMTP user.",
    fix="Switch SMTP on in the domain's settings.",
)
ADDRESS_NOT_ALLOWED = _rule(
    "address-not-allowed",
    535,
    "5.7.8",
    403,
    "Authentication failed: {address} may not use this SMTP user.",
    what="The password was right, but the client's address is not on the SMTP user's address list.",
    fix="Add the address to the list of the SMTP user, or send from an address that is on it.",
)
TOO_MANY_FAILED_LOGINS = _rule(
    "too-many-failed-logins",
    421,
    "4.7.0",
    429,
    "Too many failed logins from your address; wait {seconds} s.",
    what="There were too many failed logins from this address. It has to wait.",
    fix="Correct the credentials in every client behind this address, then wait for the time given.",
    closes=True,
)
LOGIN_UNAVAILABLE = _rule(
    "login-unavailable",
    454,
    "4.7.0",
    503,
    "Temporary authentication failure: logins cannot be checked now.",
    what="The database did not answer while a login was checked. That is our fault.",
    fix="Nothing: clients try again by themselves. Operator: see the log and /health.",
)
AUTH_MECHANISM = _rule(
    "auth-mechanism",
    504,
    "5.5.4",
    400,
    "Unrecognized authentication type; use PLAIN or LOGIN.",
    what="The client asked for a way to log in that is not offered.",
    fix='Set the client\'s authentication to "PLAIN" or "LOGIN".',
)
AUTH_SYNTAX = _rule(
    "auth-syntax",
    501,
    "5.5.2",
    400,
    "Cannot decode the login: {problem}.",
    what="What the client sent as its login is not valid base64, or holds control characters.",
    fix="Check username and password for stray characters, or update the client.",
)
AUTH_CANCELLED = _rule(
    "auth-cancelled",
    501,
    "5.7.0",
    400,
    "Authentication cancelled.",
    what="The client cancelled the login.",
    fix="Nothing, unless it was not meant.",
)

# -- account ----------------------------------------------------------------------------------------------------

ACCOUNT_UNAPPROVED = _rule(
    "account-unapproved",
    550,
    "5.7.1",
    403,
    "The account {account} is not approved for sending yet.",
    what="New accounts may log in, but send only after an operator has approved them.",
    fix="Fill in the approval questionnaire and wait for the decision. Operator: postroom account approve ID.",
)
ACCOUNT_SUSPENDED = _rule(
    "account-suspended",
    550,
    "5.7.1",
    403,
    "The account {account} is suspended.",
    what="An operator has suspended this account; it cannot send.",
    fix="Ask the operator ({contact}) for the reason.",
)
DAILY_QUOTA = _rule(
    "daily-quota",
    451,
    "4.7.1",
    429,
    "Daily quota of {quota} emails is used up ({used} used); it resets at 00:00 UTC, in {wait}.",
    what="Every accepted recipient counts as one email of the account's daily quota.",
    fix="Wait for the reset at 00:00 UTC, or ask the operator for a larger quota.",
)
RATE_LIMIT = _rule(
    "rate-limit",
    451,
    "4.7.1",
    429,
    "Too many messages: at most {limit} per minute. Try again in {seconds} s.",
    what="The account sends faster than its plan allows. Replies were slowed down first.",
    fix="Send slower, or spread the messages. Clients that keep a queue try again by themselves.",
)
LOGIN_REVOKED = _rule(
    "login-revoked",
    421,
    "4.7.0",
    401,
    "The login of this connection is no longer valid; log in again.",
    what="The SMTP user was switched off, deleted or given a new password while the connection was open.",
    fix="Use the new password, or another SMTP user.",
    closes=True,
)

# -- sender and headers -----------------------------------------------------------------------------------------

FROM_NOT_VERIFIED = _rule(
    "from-not-verified",
    550,
    "5.7.1",
    422,
    "The domain {domain} in {field} is not verified for this account.",
    what="Every address in From and Sender must be under a domain that this account has verified.",
    fix="Add the domain and its DNS records and verify it, or send from a domain that is verified.",
)
ENVELOPE_NOT_VERIFIED = _rule(
    "envelope-not-verified",
    550,
    "5.7.1",
    422,
    "The envelope sender {address} is not under a verified domain.",
    what="This domain is set to be strict: the envelope sender must be under a verified domain, too.",
    fix="Set the client's envelope sender (return path), or switch strict envelope senders off.",
)
FROM_MISSING = _rule(
    "from-missing",
    554,
    "5.6.0",
    422,
    "The message has no From field.",
    what="A message needs exactly one From field (RFC 5322 section 3.6).",
    fix="Let the application set From.",
)
HEADER_REPEATED = _rule(
    "header-repeated",
    554,
    "5.6.0",
    422,
    "The field {field} is there more than once.",
    what="From, Sender, Reply-To, To, Cc, Subject, Date and Message-ID may be there only once "
    "(RFC 5322 section 3.6); mail providers refuse such messages.",
    fix="Let the application set the field once.",
)
FROM_INVALID = _rule(
    "from-invalid",
    554,
    "5.6.0",
    422,
    "The field {field} cannot be read as addresses: {problem}.",
    what="From or Sender does not follow RFC 5322 section 3.4.",
    fix="Write addresses as name@example.com or Name <name@example.com>; quote special characters in names.",
)
HEADER_INVALID = _rule(
    "header-invalid",
    554,
    "5.6.0",
    422,
    "The header is broken at line {line}: {problem}.",
    what="A line of the header is no field (name, colon, value) and no continuation of one.",
    fix="Separate header and body by one empty line; no space before the colon.",
)
REPLY_TO_INVALID = _rule(
    "reply-to-invalid",
    550,
    "5.6.0",
    422,
    "Reply-To cannot be read as addresses: {problem}.",
    what="Reply-To does not follow RFC 5322 section 3.4, so nobody could answer.",
    fix="Correct Reply-To or leave it out.",
)
STREAM_UNKNOWN = _rule(
    "stream-unknown",
    550,
    "5.6.0",
    422,
    "X-Postroom-Stream must be transactional or broadcast.",
    what="The header X-Postroom-Stream names no stream.",
    fix="Write transactional or broadcast, or leave the header out.",
)
TAGS_INVALID = _rule(
    "tags-invalid",
    550,
    "5.6.0",
    422,
    "X-MailerSend-Tags: {problem}.",
    what="There may be at most five tags of at most 100 characters.",
    fix="Send fewer or shorter tags.",
)

# -- content ----------------------------------------------------------------------------------------------------

BARE_CR = _rule(
    "bare-cr",
    550,
    "5.5.2",
    422,
    "The message holds a CR without LF; lines must end in CRLF.",
    what="A stray carriage return makes mail servers disagree on where a message ends (SMTP smuggling).",
    fix="Let the application end lines with CRLF, and encode binary parts as base64.",
)
NUL_IN_CONTENT = _rule(
    "nul-in-content",
    550,
    "5.5.2",
    422,
    "The message holds a NUL character.",
    what="RFC 5322 forbids NUL in messages, and servers treat it differently.",
    fix="Encode binary parts as base64.",
)
LINE_TOO_LONG = _rule(
    "line-too-long",
    554,
    "5.6.0",
    422,
    "Line {line} is longer than 998 characters.",
    what="RFC 5322 section 2.1.1 limits lines to 998 characters, and servers cut longer ones, "
    "which breaks the signature.",
    fix="Let the application encode the body as quoted-printable or base64.",
)
HEADER_TOO_BIG = _rule(
    "header-too-big",
    552,
    "5.3.4",
    413,
    "The header is larger than {limit} bytes or {count} fields.",
    what="The header block is larger than this relay takes.",
    fix="Send fewer or shorter header fields; long recipient lists belong into the envelope.",
)
MESSAGE_TOO_BIG = _rule(
    "message-too-big",
    552,
    "5.3.4",
    413,
    "The message is larger than {limit} bytes.",
    what="The message, encoded as it travels, is over the limit. Base64 adds a third to attachments.",
    fix="Send smaller attachments, or links.",
)
TOO_MANY_HOPS = _rule(
    "too-many-hops",
    554,
    "5.4.6",
    422,
    "The message has passed {count} servers: this is a loop.",
    what="The header holds too many Received fields.",
    fix="Find the two servers that send to each other.",
)

# -- envelope ---------------------------------------------------------------------------------------------------

TOO_MANY_RECIPIENTS = _rule(
    "too-many-recipients",
    452,
    "4.5.3",
    422,
    "Too many recipients: at most {limit} per message.",
    what="There are more recipients than one message may have. Those before were accepted.",
    fix="Send the rest as another message; mail servers and most clients do so by themselves.",
)
NO_RECIPIENTS = _rule(
    "no-recipients",
    503,
    "5.5.1",
    422,
    "No valid recipients: send RCPT first.",
    what="DATA came before any recipient was accepted.",
    fix="See the replies to the recipients.",
)
SENDER_SYNTAX = _rule(
    "sender-syntax",
    501,
    "5.1.7",
    422,
    "The sender address is not valid: {problem}.",
    what="MAIL FROM does not hold an address that follows RFC 5321 section 4.1.2.",
    fix="Correct the address.",
)
RECIPIENT_SYNTAX = _rule(
    "recipient-syntax",
    501,
    "5.1.3",
    422,
    "The recipient address is not valid: {problem}.",
    what="RCPT TO does not hold an address that follows RFC 5321 section 4.1.2.",
    fix="Correct the address.",
)
RECIPIENT_SUPPRESSED = _rule(
    "recipient-suppressed",
    550,
    "5.7.1",
    422,
    "{address} is on a suppression list of this account.",
    what="The address bounced, complained, unsubscribed or was blocked before, and this SMTP user is set to refuse.",
    fix="Remove the address from the suppression list, if you know it is good again.",
)
UTF8_NOT_DECLARED = _rule(
    "utf8-not-declared",
    553,
    "5.6.7",
    422,
    "The address is international; MAIL needs the SMTPUTF8 parameter.",
    what="An address holds characters beyond ASCII, but the client did not announce that.",
    fix="Use a client that knows SMTPUTF8, or an ASCII address.",
)
PARAMETER_UNKNOWN = _rule(
    "parameter-unknown",
    555,
    "5.5.4",
    422,
    "The parameter {name} is not supported.",
    what="MAIL or RCPT holds a parameter that was not offered in the EHLO reply.",
    fix="Leave the parameter out.",
)
PARAMETER_SYNTAX = _rule(
    "parameter-syntax",
    501,
    "5.5.4",
    422,
    "The parameter {name} is not valid: {problem}.",
    what="A parameter of MAIL or RCPT does not follow its RFC.",
    fix="Correct the parameter.",
)

# -- protocol ---------------------------------------------------------------------------------------------------

COMMAND_UNKNOWN = _rule(
    "command-unknown",
    500,
    "5.5.1",
    400,
    "Unknown command.",
    what="The client sent a command that does not exist.",
    fix="Update or correct the client.",
)
COMMAND_NOT_IMPLEMENTED = _rule(
    "command-not-implemented",
    502,
    "5.5.1",
    400,
    "The command {command} is not implemented.",
    what="The command exists but is not offered here.",
    fix="Use what the EHLO reply offers.",
)
COMMAND_SYNTAX = _rule(
    "command-syntax",
    501,
    "5.5.4",
    400,
    "Syntax: {syntax}",
    what="A command has too few, too many or wrong arguments.",
    fix="Update or correct the client.",
)
COMMAND_BYTES = _rule(
    "command-bytes",
    500,
    "5.5.2",
    400,
    "The command holds a control or non-UTF-8 character.",
    what="Commands end in CRLF and hold printable text only.",
    fix="Update or correct the client.",
)
COMMAND_TOO_LONG = _rule(
    "command-too-long",
    500,
    "5.5.2",
    400,
    "The command line is too long.",
    what="A command line is longer than this relay takes.",
    fix="Update or correct the client.",
)
BAD_SEQUENCE = _rule(
    "bad-sequence",
    503,
    "5.5.1",
    400,
    "Bad sequence of commands: {problem}.",
    what="A command came when it was not its turn.",
    fix="Update or correct the client.",
)
EARLY_PIPELINING = _rule(
    "early-pipelining",
    554,
    "5.5.0",
    400,
    "Protocol error: input after {command} before its reply.",
    what="The client sent on without waiting for the reply to a command that does not allow it.",
    fix="Update or correct the client; malware does this, too.",
    closes=True,
)
TOO_MANY_ERRORS = _rule(
    "too-many-errors",
    421,
    "4.7.0",
    429,
    "Too many errors on this connection.",
    what="The client made too many mistakes on one connection.",
    fix="See the replies before.",
    closes=True,
)
TOO_MANY_CONNECTIONS = _rule(
    "too-many-connections",
    421,
    "4.7.0",
    429,
    "Too many connections from {address}: at most {limit}.",
    what="One address holds more connections than are allowed.",
    fix="Let the application reuse connections, or ask the operator to raise submission.connections_per_address.",
    closes=True,
)
SERVER_BUSY = _rule(
    "server-busy",
    421,
    "4.3.2",
    503,
    "Too busy: too many connections. Try again later.",
    what="The relay holds as many connections as it is configured for.",
    fix="Nothing: clients try again. Operator: raise submission.connections.",
    closes=True,
)
IDLE_TIMEOUT = _rule(
    "idle-timeout",
    421,
    "4.4.2",
    408,
    "Timeout: nothing came for {seconds} s.",
    what="The client was silent for too long.",
    fix="Close connections that are not needed.",
    closes=True,
)
TOO_SLOW = _rule(
    "too-slow",
    421,
    "4.4.2",
    408,
    "Too slow: less than {rate} bytes per second.",
    what="The client sent the message so slowly that it looked like an attack.",
    fix="Check the network between the application and the relay.",
    closes=True,
)

# -- ours -------------------------------------------------------------------------------------------------------

STORAGE_UNAVAILABLE = _rule(
    "storage-unavailable",
    451,
    "4.3.0",
    503,
    "The message cannot be stored now. Try again later.",
    what="The database or the disk did not take the message. Nothing was kept; sending it again is safe.",
    fix="Nothing: clients that keep a queue try again. Operator: see the log and /health.",
)
INTERNAL_ERROR = _rule(
    "internal-error",
    451,
    "4.3.0",
    500,
    "An internal error happened. Try again later.",
    what="Something we did not foresee went wrong. Nothing was kept; sending it again is safe.",
    fix="Operator: the log has the details; please report it.",
)
SHUTTING_DOWN = _rule(
    "shutting-down",
    421,
    "4.3.2",
    503,
    "The relay is shutting down. Try again in a moment.",
    what="The relay was stopped or is being restarted.",
    fix="Nothing: clients try again.",
    closes=True,
)

CATALOGUE: dict[str, Rule] = {rule.id: rule for rule in _RULES}
