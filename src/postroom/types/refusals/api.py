"""Refusals that only the HTTP API knows: about the request, not about a message."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

# -- who asks ---------------------------------------------------------------------------------------------

HTTPS_REQUIRED = Rule(
    "https-required",
    0,
    "",
    403,
    "The API is served over HTTPS only.",
    what="The request came over plain HTTP from another machine, so the token may have been read by others.",
    fix="Use https, and replace the token. Behind a proxy that ends TLS the operator sets http.trusted_proxies.",
)
TOKEN_INVALID = Rule(
    "token-invalid",
    0,
    "",
    401,
    "Unauthenticated.",
    what="There is no token in the request, or it does not exist, is paused or has expired.",
    fix='Send the header "Authorization: Bearer mlsn...." with a token that is in use.',
)
TOKEN_ADDRESS = Rule(
    "token-address",
    0,
    "",
    403,
    "The address {address} may not use this token.",
    what="The token is right, but the client's address is not on its list.",
    fix="Add the address to the token's list, or send from an address that is on it.",
)
TOKEN_SCOPE = Rule(
    "token-scope",
    0,
    "",
    403,
    "The token lacks the permission for this; it needs {scopes}.",
    what="The token is right, but this endpoint is in none of its scopes.",
    fix="Use a token that has one of the scopes named.",
)
TOKEN_MORE_THAN_OWN = Rule(
    "token-more-than-own",
    0,
    "",
    403,
    "You cannot give a token more than you have yourself: {what}.",
    what="Whoever makes a token, or lets a paused one go on, hands out what it may do. Nobody can hand out more than "
    "they have: a scope for what they may not do, a domain they may not touch, a longer life, other client addresses.",
    fix="Leave out what is named, or ask an Admin of the account.",
)
TOO_MANY_TOKENS = Rule(
    "too-many-tokens",
    0,
    "",
    422,
    "An account may have at most {most} tokens.",
    what="The account has as many tokens as there can be, paused and expired ones among them.",
    fix="Delete tokens that are not used.",
)
LIMITED_TO_DOMAINS = Rule(
    "limited-to-domains",
    0,
    "",
    403,
    "This is about the whole account, and you are limited to some of its domains.",
    what="The token or the person may use this endpoint, but only for some domains, and what it tells is not sorted by "
    "domain.",
    fix="Use a token for the whole account, or ask somebody whose role is not limited to domains.",
)
TOO_MANY_TOKENS_TRIED = Rule(
    "too-many-tokens-tried",
    0,
    "",
    429,
    "Too many unknown tokens from your address; wait {seconds} s.",
    what="Many requests from this address carried tokens that do not exist.",
    fix="Correct the token in every client behind this address, then wait for the time given.",
)

# -- how much -----------------------------------------------------------------------------------------------

REQUEST_QUOTA = Rule(
    "request-quota",
    0,
    "",
    429,
    "Your account reached its daily quota of {quota} API requests. It resets at 00:00 UTC.",
    what="Every API request counts, also one that was refused, except those for the quota itself.",
    fix="Wait for the reset at 00:00 UTC, send in bulk, or ask the operator for a larger quota.",
)
REQUEST_RATE = Rule(
    "request-rate",
    0,
    "",
    429,
    "Your account reached its rate limit of {limit} requests/min. Please wait before trying again.",
    what="The account called endpoints of this kind more often than allowed within a minute.",
    fix="Wait as long as the header retry-after says; send in bulk where that is possible.",
)
SERVER_FULL = Rule(
    "server-full",
    0,
    "",
    503,
    "Too many large requests at once. Try again in {seconds} s.",
    what="The bodies of the requests under way fill the memory that is set aside for them.",
    fix="Nothing: clients try again. Operator: raise api.body_memory.",
)

DATABASE_UNAVAILABLE = Rule(
    "database-unavailable",
    0,
    "",
    503,
    "The database does not answer. Nothing was changed; try again later.",
    what="The database or the disk did not answer the request. Nothing was kept; sending it again is safe.",
    fix="Nothing: clients try again. Operator: see the log and /health.",
)

# -- what is asked --------------------------------------------------------------------------------------------

BODY_TOO_BIG = Rule(
    "body-too-big",
    0,
    "",
    413,
    "The request body is larger than {limit} bytes.",
    what="The body is over the limit of this endpoint. Base64 adds a third to attachments.",
    fix="Send less in one request.",
)
BODY_ENCODED = Rule(
    "body-encoded",
    0,
    "",
    415,
    "The request body is compressed ({encoding}); send it as it is.",
    what="Compressed bodies are not taken: a small one can unpack to more than any memory holds.",
    fix="Switch compression of requests off in the client.",
)
BODY_TYPE = Rule(
    "body-type",
    0,
    "",
    415,
    "The request body must be JSON with the header Content-Type: application/json, not {type}.",
    what="The request has a body but does not say that it is JSON.",
    fix="Set the header Content-Type to application/json.",
)
JSON_SYNTAX = Rule(
    "json-syntax",
    0,
    "",
    422,
    "The request body is no valid JSON: {problem}.",
    what="The body does not follow RFC 8259.",
    fix="Let a JSON library write the body.",
)
JSON_REFUSED = Rule(
    "json-refused",
    0,
    "",
    422,
    "The request body cannot be decoded: {problem}.",
    what="The body is JSON that programs read differently or that is made to exhaust memory: a key twice, deep "
    "nesting, numbers without end, broken UTF-8 or half a surrogate pair.",
    fix="Let a JSON library write the body, from ordinary values.",
)

REQUEST_INVALID = Rule(
    "request-invalid",
    0,
    "",
    422,
    "The given data was invalid: {problem}",
    what="Fields of the request are missing or wrong; the answer named all of them, this is the first.",
    fix="Correct the fields and send the request again.",
)
PARTS_UNSAFE = Rule(
    "parts-unsafe",
    0,
    "",
    422,
    "The {field} {problem}.",
    what="A field holds something that must not stand in a message's header, as a control character.",
    fix="Correct the field and send the request again.",
)
IDEMPOTENCY_KEY_INVALID = Rule(
    "idempotency-key-invalid",
    0,
    "",
    422,
    "The header Idempotency-Key must hold 1 to 255 printable ASCII characters.",
    what="The request came with an Idempotency-Key that is empty, too long, repeated or holds odd characters.",
    fix="Use a random UUID for each request, and the same one when the request is tried again.",
)
IDEMPOTENCY_KEY_REUSED = Rule(
    "idempotency-key-reused",
    0,
    "",
    422,
    "This Idempotency-Key was used for another request less than 24 hours ago.",
    what="The key came before with a different body, so this is no second try of that request.",
    fix="Use a new key for each request.",
)
IDEMPOTENCY_KEY_IN_USE = Rule(
    "idempotency-key-in-use",
    0,
    "",
    409,
    "A request with this Idempotency-Key is being handled right now.",
    what="Two requests with one key came at the same time, and the first has no answer yet.",
    fix="Wait a moment and try again with the same key; you will get the answer of the first.",
)
FILTER_NOT_ALLOWED = Rule(
    "filter-not-allowed",
    0,
    "",
    422,
    "The {event} filter is not available to your account.",
    what="The operator does not let this account filter its activity by this event.",
    fix="Ask for activity without this filter. Operator: set api.suppressed_filter.",
)

BULK_MALFORMED = Rule(
    "bulk-malformed",
    0,
    "",
    400,
    "The bulk request is malformed: it must be a JSON array of email objects.",
    what="The body is JSON, but no array.",
    fix="Send an array, each element as the body of POST /v1/email.",
)
BULK_TOO_MANY = Rule(
    "bulk-too-many",
    0,
    "",
    422,
    "A bulk request must not have more than {most} email objects.",
    what="The array holds more emails than one bulk request may have.",
    fix="Send them in several requests.",
)
BULK_EMPTY = Rule(
    "bulk-empty",
    0,
    "",
    422,
    "The email objects are required.",
    what="There is no body, or the array is empty.",
    fix="Send an array with at least one email.",
)
BULK_ITEM_INVALID = Rule(
    "bulk-item-invalid",
    0,
    "",
    422,
    "The bulk item is invalid: it must be an object.",
    what="An element of the array is no JSON object.",
    fix="Write each element as the body of POST /v1/email.",
)
BULK_TOKEN_GONE = Rule(
    "bulk-token-gone",
    0,
    "",
    403,
    "The token of this bulk email was deleted or paused before the email was sent.",
    what="A bulk email is worked off in the background; its token was taken away before this part was reached.",
    fix="Send what is left with a token that is in use.",
)
BULK_OBJECT_FAILED = Rule(
    "bulk-object-failed",
    0,
    "",
    500,
    "An unexpected error happened with this email.",
    what="Something that was not foreseen went wrong with one email of a bulk request. It was not sent.",
    fix="Send the email again by itself. Operator: see the log.",
)

# -- whom it would reach --------------------------------------------------------------------------------------

ALL_SUPPRESSED = Rule(
    "all-suppressed",
    0,
    "",
    202,
    "All of the recipients have been suppressed.",
    what="Every recipient bounced, complained, unsubscribed, is on hold or was blocked before, so there is no message.",
    fix="Remove an address from its suppression list, if you know it is good again.",
)
