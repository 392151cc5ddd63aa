"""How much one template may cost. Every limit is far above what a mail needs, and together they bound the worst case:
a template as bad as its author can make it costs a fraction of a second and some tens of megabytes (P02).

Compiling is linear in the source and keeps about half a KB per node. Rendering pays for what it does in steps:
a node is a step, so is an element of a list that is copied or compared, and so are `CHARACTERS` characters of text.
"""

from __future__ import annotations

SOURCE = 2 * 1024 * 1024
"""Characters of a template: what the contract allows for text and html."""
NODES = 10_000
"""Values, operators, filters and tags in a template. A node takes about half a KB once it is compiled."""
MARKS = 100_000
"""Tags of an HTML template that its scanner reads one by one; one that is no proper HTML counts for several."""
TOKENS = 1_000
"""Words and signs between one pair of braces."""
BLOCKS = 20
"""Blocks (if, for) inside one another."""
DEPTH = 80
"""Operations inside one another in one expression. Python's own stack ends at about 1,000."""
STEPS = 100_000
"""Work of one render: about a tenth of a second."""
CHARACTERS = 64
"""Characters of text that are one step. So text in the making never takes more than 6 million characters at once."""
OUTPUT = 4 * 1024 * 1024
"""Characters of one rendered part: its source twice."""
LINE = 998
"""Characters of a rendered subject (RFC 5322 section 2.1.1)."""
TAGS = 500
"""HTML tags in one value. The sanitiser's tree builder is quadratic in them: 500 take 5 ms, 40,000 several seconds."""
DIGITS = 20
"""Digits behind the point that a number is rounded to."""
PATTERN = 100
"""Characters of the format of a date."""
PAIRS = 100
"""Pairs of one `replace`."""

DATA_OCTETS = 256 * 1024
"""One recipient's personalization data, as JSON. Rendering may touch all of it many times within its steps."""
DATA_VALUES = 10_000
"""Values in it, at every level."""
DATA_DEPTH = 16
"""Objects and lists inside one another."""
