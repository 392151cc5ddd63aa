"""The API edge: from a checked request to a message that is kept. Pure policy; not a word of HTTP.

    request   `SendRequest`: what somebody asks for, each field right by itself
      -> rules    the rules of `admit` that apply to parts
      -> content  the bytes that are kept: a whole message, or a document with templates
      -> commit   the group commit, the same that SMTP uses

Answers are values: `Accepted` (the message id and whom nothing is sent to) or `Refused`. When all recipients are
suppressed there is no message. A scheduled message is kept at once and due later.

An idempotency key is written in the transaction of its message, so no crash can come between them (H04); requests
with one key take turns on a node, and the transaction decides between nodes.

Large content is built in threads, slice by slice, and goes to the blob store before the transaction; what is small
costs no thread.

    request.py      SendRequest, Sender
    content.py      what is stored of a request
    again.py        a message of before, sent once more
    edge.py         ApiEdge: `send`, `resend`
    idempotency.py  turns, and what was answered before
    letters.py      the mail that Postroom itself sends
"""

from postroom.accept.accepted import Accepted
from postroom.accept.api.again import Again
from postroom.accept.api.edge import ApiEdge
from postroom.accept.api.request import Sender, SendRequest

__all__ = ["Accepted", "Again", "ApiEdge", "SendRequest", "Sender"]
