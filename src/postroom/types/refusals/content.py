"""Refusals about what is sent and to whom: sender, header, content, envelope."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

PREFLIGHT = Rule(
    "preflight",
    554,
    "5.7.0",
    422,
    "Preflight only: would be {outcome}; {failures}; {warnings}.",
    what="The header X-Postroom-Preflight asked what would become of the message. It was checked, not kept and not "
    "sent. The answer is never 250: that would mean it is kept.",
    fix="Nothing. Take the header out to send the message; POST /v1/preflight says more about each check.",
)

# -- sender and headers ----------------------------------------------------------------------------------

FROM_NOT_VERIFIED = Rule(
    "from-not-verified",
    550,
    "5.7.1",
    422,
    "The domain {domain} in {field} is not verified for this account.",
    what="Every address in From and Sender must be under a domain that this account has verified, or be one of its "
    "sender identities.",
    fix="Add the domain and its DNS records and verify it, or send from a domain that is verified.",
)
ENVELOPE_NOT_VERIFIED = Rule(
    "envelope-not-verified",
    550,
    "5.7.1",
    422,
    "The envelope sender {address} is not under a verified domain.",
    what="This domain is set to be strict: the envelope sender must be under a verified domain, too.",
    fix="Set the client's envelope sender (return path), or switch strict envelope senders off.",
)
FROM_MISSING = Rule(
    "from-missing",
    554,
    "5.6.0",
    422,
    "The message has no From field.",
    what="A message needs exactly one From field (RFC 5322 section 3.6).",
    fix="Let the application set From.",
)
HEADER_REPEATED = Rule(
    "header-repeated",
    554,
    "5.6.0",
    422,
    "The field {field} is there more than once.",
    what="From, Sender, Reply-To, To, Cc, Subject, Date and Message-ID may be there only once "
    "(RFC 5322 section 3.6); mail providers refuse such messages.",
    fix="Let the application set the field once.",
)
FROM_INVALID = Rule(
    "from-invalid",
    554,
    "5.6.0",
    422,
    "The field {field} cannot be read as addresses: {problem}.",
    what="From or Sender does not follow RFC 5322 section 3.4.",
    fix="Write addresses as name@example.com or Name <name@example.com>; quote special characters in names.",
)
HEADER_INVALID = Rule(
    "header-invalid",
    554,
    "5.6.0",
    422,
    "The header is broken at line {line}: {problem}.",
    what="A line of the header is no field (name, colon, value) and no continuation of one.",
    fix="Separate header and body by one empty line; no space before the colon.",
)
REPLY_TO_INVALID = Rule(
    "reply-to-invalid",
    550,
    "5.6.0",
    422,
    "Reply-To cannot be read as addresses: {problem}.",
    what="Reply-To does not follow RFC 5322 section 3.4, so nobody could answer.",
    fix="Correct Reply-To or leave it out.",
)
STREAM_UNKNOWN = Rule(
    "stream-unknown",
    550,
    "5.6.0",
    422,
    "X-Postroom-Stream must be transactional or broadcast.",
    what="The header X-Postroom-Stream names no stream.",
    fix="Write transactional or broadcast, or leave the header out.",
)
TAGS_INVALID = Rule(
    "tags-invalid",
    550,
    "5.6.0",
    422,
    "X-MailerSend-Tags: {problem}.",
    what="There may be at most five tags of at most 100 characters.",
    fix="Send fewer or shorter tags.",
)

RENDER_FAILED = Rule(
    "render-failed",
    550,
    "5.6.0",
    422,
    "The message cannot be rendered for this recipient: {problem}.",
    what="The template asks for something that this recipient's personalization data does not allow, or for more work "
    "or output than one message may cost. The other recipients are not touched.",
    fix="Correct the template, or the data of this recipient, and send it to this recipient again.",
)

# -- content ---------------------------------------------------------------------------------------------

BARE_CR = Rule(
    "bare-cr",
    550,
    "5.5.2",
    422,
    "The message holds a CR without LF; lines must end in CRLF.",
    what="A stray carriage return makes mail servers disagree on where a message ends (SMTP smuggling).",
    fix="Let the application end lines with CRLF, and encode binary parts as base64.",
)
NUL_IN_CONTENT = Rule(
    "nul-in-content",
    550,
    "5.5.2",
    422,
    "The message holds a NUL character.",
    what="RFC 5322 forbids NUL in messages, and servers treat it differently.",
    fix="Encode binary parts as base64.",
)
LINE_TOO_LONG = Rule(
    "line-too-long",
    554,
    "5.6.0",
    422,
    "Line {line} is longer than {limit} characters.",
    what="RFC 5322 section 2.1.1 limits lines to 998 characters, and servers cut longer ones, "
    "which breaks the signature. This relay may be set to a lower limit.",
    fix="Let the application encode the body as quoted-printable or base64.",
)
HEADER_TOO_BIG = Rule(
    "header-too-big",
    552,
    "5.3.4",
    413,
    "The header is larger than {limit} bytes or {count} fields.",
    what="The header block is larger than this relay takes.",
    fix="Send fewer or shorter header fields; long recipient lists belong into the envelope.",
)
MESSAGE_TOO_BIG = Rule(
    "message-too-big",
    552,
    "5.3.4",
    413,
    "The message is larger than {limit} bytes.",
    what="The message, encoded as it travels, is over the limit. Base64 adds a third to attachments.",
    fix="Send smaller attachments, or links.",
)
TOO_MANY_HOPS = Rule(
    "too-many-hops",
    554,
    "5.4.6",
    422,
    "The message has passed {count} servers: this is a loop.",
    what="The header holds too many Received fields.",
    fix="Find the two servers that send to each other.",
)

# -- envelope --------------------------------------------------------------------------------------------

TOO_MANY_RECIPIENTS = Rule(
    "too-many-recipients",
    452,
    "4.5.3",
    422,
    "Too many recipients: at most {limit} per message.",
    what="There are more recipients than one message may have. Those before were accepted.",
    fix="Send the rest as another message; mail servers and most clients do so by themselves.",
)
NO_RECIPIENTS = Rule(
    "no-recipients",
    503,
    "5.5.1",
    422,
    "No valid recipients: send RCPT first.",
    what="DATA came before any recipient was accepted.",
    fix="See the replies to the recipients.",
)
SENDER_SYNTAX = Rule(
    "sender-syntax",
    501,
    "5.1.7",
    422,
    "The sender address is not valid: {problem}.",
    what="MAIL FROM does not hold an address that follows RFC 5321 section 4.1.2.",
    fix="Correct the address.",
)
RECIPIENT_SYNTAX = Rule(
    "recipient-syntax",
    501,
    "5.1.3",
    422,
    "The recipient address is not valid: {problem}.",
    what="RCPT TO does not hold an address that follows RFC 5321 section 4.1.2.",
    fix="Correct the address.",
)
RECIPIENT_SUPPRESSED = Rule(
    "recipient-suppressed",
    550,
    "5.7.1",
    422,
    "{address} is on a suppression list of this account ({reason}).",
    what="The address bounced, complained, unsubscribed or was blocked before, and this SMTP user is set to refuse.",
    fix="Remove the address from the suppression list, if you know it is good again.",
)
UTF8_NOT_DECLARED = Rule(
    "utf8-not-declared",
    553,
    "5.6.7",
    422,
    "The address is international; MAIL needs the SMTPUTF8 parameter.",
    what="An address holds characters beyond ASCII, but the client did not announce that.",
    fix="Use a client that knows SMTPUTF8, or an ASCII address.",
)
PARAMETER_UNKNOWN = Rule(
    "parameter-unknown",
    555,
    "5.5.4",
    422,
    "The parameter {name} is not supported.",
    what="MAIL or RCPT holds a parameter that was not offered in the EHLO reply.",
    fix="Leave the parameter out.",
)
PARAMETER_SYNTAX = Rule(
    "parameter-syntax",
    501,
    "5.5.4",
    422,
    "The parameter {name} is not valid: {problem}.",
    what="A parameter of MAIL or RCPT does not follow its RFC.",
    fix="Correct the parameter.",
)
