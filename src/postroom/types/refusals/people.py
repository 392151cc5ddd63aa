"""Refusals to people: signing in, what their role allows, users and invitations. SMTP knows none of these."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

# -- signing in -------------------------------------------------------------------------------------------

SIGN_IN_FAILED = Rule(
    "sign-in-failed",
    0,
    "",
    401,
    "The email address or the password is wrong.",
    what="Nobody has this address and this password. The answer does not tell which of them is wrong.",
    fix="Check both. Operator: postroom user list shows who there is.",
)
SECOND_FACTOR_WRONG = Rule(
    "second-factor-wrong",
    0,
    "",
    422,
    "The code is wrong, or was used already.",
    what="A code of the app is good once, in its half minute; a recovery code is good once.",
    fix="Wait for the next code, and see that the phone's clock is right. Or use one of the recovery codes.",
)
SECOND_FACTOR_LOCKED = Rule(
    "second-factor-locked",
    0,
    "",
    429,
    "Too many wrong codes. Try again in {minutes} minutes.",
    what="Five codes in a row were wrong. Whoever entered them knows the password; its owner was told by mail.",
    fix="Wait. If it was not you, change the password. Operator: postroom user disable-second-factor USER.",
)
SECOND_FACTOR_ON = Rule(
    "second-factor-on",
    0,
    "",
    409,
    "Signing in takes a second step already.",
    what="A new secret is made only after the one in use was switched off.",
    fix="Switch the second step off first; that takes the password.",
)
SECOND_FACTOR_OFF = Rule(
    "second-factor-off",
    0,
    "",
    409,
    "Signing in takes no second step.",
    what="The second step was not switched on, or was switched off meanwhile.",
    fix="Switch it on first.",
)
SECOND_FACTOR_NOT_BEGUN = Rule(
    "second-factor-not-begun",
    0,
    "",
    409,
    "There is no secret to confirm.",
    what="A code confirms a secret that was shown before, and there is none.",
    fix="Begin again: scan the QR code that is shown then.",
)
PASSWORD_WRONG = Rule(
    "password-wrong",
    0,
    "",
    422,
    "The password is wrong.",
    what="What changes how somebody signs in takes their present password, too.",
    fix="Enter the password you sign in with, or reset it.",
)
PASSWORD_TRIES = Rule(
    "password-tries",
    0,
    "",
    429,
    "Too many tries with a password. Try again in {minutes} minutes.",
    what="Somebody who is signed in has tried several passwords for a change that takes the present one.",
    fix="Wait, or reset the password by mail.",
)
PASSWORD_UNFIT = Rule(
    "password-unfit",
    0,
    "",
    422,
    "Choose another password: {problem}.",
    what="A password has at least 10 characters, is none that everybody tries first, and is not the address.",
    fix="Take some words that do not belong together, or let a password manager make one.",
)
LINK_INVALID = Rule(
    "link-invalid",
    0,
    "",
    410,
    "This link is not valid any more.",
    what="The link was used, a newer one was sent, or its time is over.",
    fix="Ask for a new one.",
)
LINK_RATE = Rule(
    "link-rate",
    0,
    "",
    429,
    "Too many mails were asked for. Try again in {minutes} minutes.",
    what="So many links were asked for from one network, or by one person.",
    fix="Wait. What was asked for is on its way if the address is known.",
)
SIGN_UP_CLOSED = Rule(
    "sign-up-closed",
    0,
    "",
    403,
    "New accounts are made by the operator only.",
    what="This installation does not let people make accounts by themselves.",
    fix="Ask the operator, or somebody with an account for an invitation. Operator: server.sign_up.",
)
SESSION_INVALID = Rule(
    "session-invalid",
    0,
    "",
    401,
    "Unauthenticated.",
    what="The browser's session has ended: it was signed out, not used for a while, or its time is over.",
    fix="Sign in again.",
)
CSRF_TOKEN = Rule(
    "csrf-token",
    0,
    "",
    403,
    "The X-CSRF-Token header is missing or wrong.",
    what="A browser's session may change something only with the token that belongs to it.",
    fix="Reload the page. A program uses an API token instead of a session.",
)
FOREIGN_ORIGIN = Rule(
    "foreign-origin",
    0,
    "",
    403,
    "This request comes from the pages of another site ({origin}).",
    what="A page of another site tried to use somebody's session, or the dashboard is reached by another name than "
    "the server knows.",
    fix="Open the dashboard itself. Operator: set server.http_url to the address people use.",
)

# -- what a person may ----------------------------------------------------------------------------------------

PERMISSION_MISSING = Rule(
    "permission-missing",
    0,
    "",
    403,
    "You lack the permission for this; it needs {permissions}.",
    what="Your role in this account does not allow this.",
    fix="Ask an Admin of the account for another role, or for one of the permissions named.",
)
TOKENS_ONLY = Rule(
    "tokens-only",
    0,
    "",
    403,
    "This can be done with an API token only.",
    what="The endpoint is for programs, not for people who are signed in.",
    fix="Use an API token that has the scope.",
)
OPERATORS_ONLY = Rule(
    "operators-only",
    0,
    "",
    403,
    "This is for operators of this installation only.",
    what="The endpoint concerns the whole installation, and you look after an account.",
    fix="Ask the operator.",
)
NO_ACCOUNT = Rule(
    "no-account",
    0,
    "",
    403,
    "You do not belong to this account.",
    what="Somebody has removed you from the account you were working in, or you belong to none.",
    fix="Switch to another account, or ask an Admin for an invitation.",
)
SESSION_RATE = Rule(
    "session-rate",
    0,
    "",
    429,
    "Too many requests: at most {limit} a minute. Try again in {seconds} s.",
    what="The dashboard, or a program that uses its session, asked more often than allowed within a minute.",
    fix="Wait as long as the header retry-after says. Operator: sessions.requests_per_minute.",
)

ACCOUNTS_LIMIT = Rule(
    "accounts-limit",
    0,
    "",
    422,
    "You have made {limit} accounts already.",
    what="People may make a limited number of accounts by themselves.",
    fix="Use one of those you have, or ask the operator for another.",
)

# -- users and invitations ------------------------------------------------------------------------------------

MORE_THAN_OWN = Rule(
    "more-than-own",
    0,
    "",
    403,
    "You cannot give or take what you do not have yourself.",
    what="Nobody can hand out a role, permission, domain or template that they lack, nor change who has more.",
    fix="Ask an Admin of the account.",
)
LAST_ADMIN = Rule(
    "last-admin",
    0,
    "",
    422,
    "An account needs at least one Admin.",
    what="This person is the only Admin, so they can neither leave nor get another role.",
    fix="Make somebody else an Admin first.",
)
INVITE_LIMIT = Rule(
    "invite-limit",
    0,
    "",
    429,
    "Too many invitations were sent. Try again in {minutes} minutes.",
    what="An account may send a limited number of invitations an hour, and few to the same address.",
    fix="Wait, or ask the person whether the first invitation arrived.",
)
INVITE_INVALID = Rule(
    "invite-invalid",
    0,
    "",
    410,
    "This invitation is not valid any more.",
    what="The invitation was used, cancelled or renewed, or is older than three days.",
    fix="Ask whoever invited you to send it again.",
)
INVITE_FOR_ANOTHER = Rule(
    "invite-for-another",
    0,
    "",
    403,
    "This invitation is for another address.",
    what="You are signed in with an address other than the invited one.",
    fix="Sign out and open the link again, or ask for an invitation to your address.",
)
INVITE_NEEDS_SIGN_IN = Rule(
    "invite-needs-sign-in",
    0,
    "",
    409,
    "There is a user with this address; sign in to accept the invitation.",
    what="The invited person has a password here already, and has to show that they know it.",
    fix="Sign in, then open the link of the invitation again.",
)
