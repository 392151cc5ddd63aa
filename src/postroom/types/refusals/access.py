"""Refusals about who may send: TLS, login, account, quota, rate."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

# -- TLS and login ---------------------------------------------------------------------------------------

TLS_REQUIRED = Rule(
    "tls-required",
    530,
    "5.7.0",
    403,
    "Must issue a STARTTLS command first: this relay talks only over TLS.",
    what="The client tried to send without encryption.",
    fix='Switch on encryption in the client: "STARTTLS" or "TLS" on ports 587 and 2525, "SSL" on port 465.',
)
AUTH_NEEDS_TLS = Rule(
    "auth-needs-tls",
    538,
    "5.7.11",
    403,
    "Encryption is required before a login: issue STARTTLS first.",
    what="The client sent a password over a connection that is not encrypted. Consider it seen by others.",
    fix="Switch on STARTTLS in the client, then reset the SMTP user's password.",
)
PLAIN_ON_TLS_PORT = Rule(
    "plain-on-tls-port",
    554,
    "5.7.0",
    400,
    "This port expects TLS from the first byte. For STARTTLS use port 587 or 2525.",
    what="The client spoke plain SMTP on the port for implicit TLS.",
    fix='Choose "SSL" (implicit TLS) for port 465, or port 587 or 2525 with "STARTTLS".',
    closes=True,
)
AUTH_REQUIRED = Rule(
    "auth-required",
    530,
    "5.7.0",
    401,
    "Authentication required: log in with an SMTP user first.",
    what="The client tried to send without logging in.",
    fix="Set the SMTP user's username and password in the client and switch authentication on.",
)
AUTH_FAILED = Rule(
    "auth-failed",
    535,
    "5.7.8",
    401,
    "Authentication failed: username or password is wrong.",
    what="No SMTP user has this username and password.",
    fix="Copy both again from the domain's SMTP page, or reset the password there (it is shown once).",
)
SMTP_USER_DISABLED = Rule(
    "smtp-user-disabled",
    535,
    "5.7.8",
    403,
    "Authentication failed: the SMTP user {username} is switched off.",
    what="The password was right, but this SMTP user is switched off.",
    fix="Switch the SMTP user on, or use another one.",
)
DOMAIN_SMTP_DISABLED = Rule(
    "domain-smtp-disabled",
    535,
    "5.7.8",
    403,
    "Authentication failed: SMTP is switched off for {domain}.",
    what="The password was right, but sending by SMTP is switched off for the domain of this SMTP user.",
    fix="Switch SMTP on in the domain's settings.",
)
ADDRESS_NOT_ALLOWED = Rule(
    "address-not-allowed",
    535,
    "5.7.8",
    403,
    "Authentication failed: {address} may not use this SMTP user.",
    what="The password was right, but the client's address is not on the SMTP user's address list.",
    fix="Add the address to the list of the SMTP user, or send from an address that is on it.",
)
TOO_MANY_FAILED_LOGINS = Rule(
    "too-many-failed-logins",
    421,
    "4.7.0",
    429,
    "Too many failed logins from your address; wait {seconds} s.",
    what="There were too many failed logins from this address. It has to wait.",
    fix="Correct the credentials in every client behind this address, then wait for the time given.",
    closes=True,
)
LOGIN_UNAVAILABLE = Rule(
    "login-unavailable",
    454,
    "4.7.0",
    503,
    "Temporary authentication failure: logins cannot be checked now.",
    what="The database did not answer while a login was checked. That is our fault.",
    fix="Nothing: clients try again by themselves. Operator: see the log and /health.",
)
AUTH_MECHANISM = Rule(
    "auth-mechanism",
    504,
    "5.5.4",
    400,
    "Unrecognized authentication type; use PLAIN or LOGIN.",
    what="The client asked for a way to log in that is not offered.",
    fix='Set the client\'s authentication to "PLAIN" or "LOGIN".',
)
AUTH_SYNTAX = Rule(
    "auth-syntax",
    501,
    "5.5.2",
    400,
    "Cannot decode the login: {problem}.",
    what="What the client sent as its login is not valid base64, or holds control characters.",
    fix="Check username and password for stray characters, or update the client.",
)
AUTH_CANCELLED = Rule(
    "auth-cancelled",
    501,
    "5.7.0",
    400,
    "Authentication cancelled.",
    what="The client cancelled the login.",
    fix="Nothing, unless it was not meant.",
)

# -- account ---------------------------------------------------------------------------------------------

ACCOUNT_UNAPPROVED = Rule(
    "account-unapproved",
    550,
    "5.7.1",
    403,
    "The account {account} is not approved for sending yet.",
    what="New accounts may log in, but send only after an operator has approved them.",
    fix="Fill in the approval questionnaire and wait for the decision. Operator: postroom account approve ID.",
)
ACCOUNT_SUSPENDED = Rule(
    "account-suspended",
    550,
    "5.7.1",
    403,
    "The account {account} is suspended.",
    what="An operator has suspended this account; it cannot send.",
    fix="Ask the operator ({contact}) for the reason.",
)
DAILY_QUOTA = Rule(
    "daily-quota",
    451,
    "4.7.1",
    429,
    "Daily quota of {quota} emails is used up ({used} used); it resets at 00:00 UTC, in {wait}.",
    what="Every accepted recipient counts as one email of the account's daily quota.",
    fix="Wait for the reset at 00:00 UTC, or ask the operator for a larger quota.",
)
RATE_LIMIT = Rule(
    "rate-limit",
    451,
    "4.7.1",
    429,
    "Too many messages: at most {limit} per minute. Try again in {seconds} s.",
    what="The account sends faster than its plan allows. Replies were slowed down first.",
    fix="Send slower, or spread the messages. Clients that keep a queue try again by themselves.",
)
LOGIN_REVOKED = Rule(
    "login-revoked",
    421,
    "4.7.0",
    401,
    "The login of this connection is no longer valid; log in again.",
    what="While the connection was open, the SMTP user was switched off, deleted or given a new password, or has expired, "
    "or may not be used from this address any more.",
    fix="Log in again: with the right password the answer says why. Use the new password, or another SMTP user.",
    closes=True,
)
