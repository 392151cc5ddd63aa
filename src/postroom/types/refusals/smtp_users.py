"""Refusals about what a single SMTP user may do. That it is switched off or used from elsewhere is in `access`."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

SMTP_USER_EXPIRED = Rule(
    "smtp-user-expired",
    535,
    "5.7.8",
    403,
    "Authentication failed: the SMTP user {username} expired at {expired}.",
    what="The password was right, but the time this SMTP user was made for is over.",
    fix="Give the SMTP user another date, or use another one.",
)
SMTP_USER_HOURLY_CAP = Rule(
    "smtp-user-hourly-cap",
    451,
    "4.7.1",
    429,
    "This SMTP user's hourly cap of {cap} emails is used up ({used} used); it resets at {reset} UTC, in {wait}.",
    what="Every accepted recipient counts as one email of the SMTP user's hour, which begins at minute 0.",
    fix="Wait for the reset, or raise the cap of the SMTP user. Clients that keep a queue try again by themselves.",
)
SMTP_USER_DAILY_CAP = Rule(
    "smtp-user-daily-cap",
    451,
    "4.7.1",
    429,
    "This SMTP user's daily cap of {cap} emails is used up ({used} used); it resets at {reset} UTC, in {wait}.",
    what="Every accepted recipient counts as one email of the SMTP user's day.",
    fix="Wait for the reset at 00:00 UTC, or raise the cap of the SMTP user.",
)
FROM_NOT_ALLOWED = Rule(
    "from-not-allowed",
    550,
    "5.7.1",
    422,
    "This SMTP user may not send from {domain}, which is in {field}.",
    what="The account has verified the domain, but the SMTP user is limited to other domains of the account.",
    fix="Send from one of its domains, add the domain to the SMTP user, or use another SMTP user.",
)
TOO_MANY_SMTP_USERS = Rule(
    "too-many-smtp-users",
    0,
    "",
    422,
    "The domain has {most} SMTP users; there cannot be more.",
    what="Each domain can have a limited number of SMTP users.",
    fix="Delete some that are not used any more.",
)
