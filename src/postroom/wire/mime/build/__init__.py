"""Messages from typed parts: what the HTTP API takes becomes the bytes that SMTP would have brought.

    check      may these parts stand in a message at all: every field is looked at before a byte is written
    fields     the header: addresses, subject, references, custom fields; encoded and folded
    entities   texts and attachments, each encoded as little as possible
    message    both put together: `build`, in `chunks`, or `top` and `tail` apart

The rules. Only CRLF, only ASCII but for international local parts (SMTPUTF8), no line above 998 octets and none above
78 that can be folded. Control characters are refused and never repaired (S12, S25); line ends in texts become CRLF. The
same parts give the same bytes, always: boundaries come from `Parts.seed`, there is no clock and no chance.

A personalised message is kept as a `document`: the parts as templates, and the tail encoded once. For each recipient the
top is built from what the templates came to, and the tail follows as it is.

    check.py          FieldProblem, UnsafePartsError, which header names are the server's own (H11)
    encoded_words.py  RFC 2047, the writing side
    fold.py           fields in lines
    fields.py         the header fields of the parts
    file_names.py     RFC 2231
    entities.py       text as 7bit or quoted-printable, attachments as base64
    message.py        the multiparts: top and tail
    document.py       what is stored of a personalised message
"""

from postroom.wire.mime.build.check import (
    FieldProblem,
    Problem,
    UnsafePartsError,
    custom_name_problem,
    problems,
    server_owned,
)
from postroom.wire.mime.build.document import Document, DocumentError
from postroom.wire.mime.build.fields import international
from postroom.wire.mime.build.message import build, chunks, tail

__all__ = [
    "Document",
    "DocumentError",
    "FieldProblem",
    "Problem",
    "UnsafePartsError",
    "build",
    "chunks",
    "custom_name_problem",
    "international",
    "problems",
    "server_owned",
    "tail",
]
