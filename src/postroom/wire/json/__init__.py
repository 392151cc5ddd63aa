"""JSON from strangers, read strictly and in small steps.

Strict (RFC 8259, RFC 7493): UTF-8, no key twice in an object, no NaN or Infinity, numbers that fit, no half surrogate
pairs, no NUL in strings, at most 32 levels. What two programs could read differently, or what is made to exhaust
memory, is refused with one sentence. A byte order mark at the beginning is skipped (RFC 8259 section 8.1).

`decode` is for what is small: one call into the standard library. `decode_large` takes a body of 50 MB in a thread
and never holds the interpreter lock for more than a few milliseconds, because the event loop needs it meanwhile: a
scanner finds where members end, the standard library decodes runs of about 64 KB, and containers larger than a run
are put together here. A string of more than 8 MB becomes a `LongText`, which is read in pieces, too.

Files: `decode` (the rules, and small texts), `large` (the scanner), `long_text`.
"""

from postroom.wire.json.decode import JsonRefusedError, JsonSyntaxError, decode
from postroom.wire.json.large import decode_large
from postroom.wire.json.long_text import LongText

__all__ = ["JsonRefusedError", "JsonSyntaxError", "LongText", "decode", "decode_large"]
