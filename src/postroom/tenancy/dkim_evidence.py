"""Is this the DKIM record that was asked for? If not, why, and how its owner mends it (RFC 6376 section 3.6).

The usual mistakes have a sentence each: nobody should have to compare 400 characters by eye.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from postroom.store.dkim_keys import DkimKey
from postroom.tenancy import keys

MOST_PIECES = 4
"""Records that one value may have been spread over."""
SHORTEST = 16
"""Characters of a key that are more than a coincidence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`proves`: the key is there. `ok`: every receiver can verify with it, too."""

    ok: bool
    proves: bool
    mend: str


def judge(key: DkimKey, domain_name: str, texts: Sequence[str], others: Sequence[DkimKey] = ()) -> Evidence:
    """About the TXT records at the name of a key; `others` are the further keys of the domain."""
    name = keys.record_name(key, domain_name)
    right = next((text for text in texts if published(text) == key.public_key), None)
    if right is None:
        return Evidence(False, False, _missing(key, name, texts, others))
    if len(texts) > 1:
        mend = (
            f"There are {len(texts)} TXT records at {name}, and receivers may take another one (RFC 6376 section "
            "3.6.2.2): keep only the wanted one."
        )
        return Evidence(False, True, mend)
    fault = next(_faults(right, key), None)
    if fault is None:
        return Evidence(True, True, "")
    return Evidence(
        False, True, f"The key is right, but {fault}: replace the value of {name} by the wanted one."
    )


def published(record: str) -> str:
    """The p= of a key record, without the white space that control panels put into long values (RFC 6376 3.6.1)."""
    return _squeezed(dict(_tags(record)).get("p", ""))


def _missing(key: DkimKey, name: str, texts: Sequence[str], others: Sequence[DkimKey]) -> str:
    if not texts:
        return f"Publish the TXT record {name} with exactly this value."
    for mistake in (_spread, _quoted, _cut, _folded, _revoked):
        said = mistake(key, name, texts)
        if said:
            return said
    for other in others:
        if any(published(text) == other.public_key for text in texts):
            return f"The TXT record {name} holds the value of {other.selector}: enter its own."
    if not any("p" in dict(_tags(text)) for text in texts):
        return f"The TXT record {name} holds no DKIM key: replace its value (no second record)."
    return f"The TXT record {name} holds another key: replace its value (no second record)."


def _spread(key: DkimKey, name: str, texts: Sequence[str]) -> str:
    if not 1 < len(texts) <= MOST_PIECES:
        return ""
    pieces = [_squeezed(text) for text in texts]
    if not any(key.public_key in "".join(order) for order in permutations(pieces)):
        return ""
    return (
        f"The value is spread over {len(texts)} TXT records at {name}: make it one record. Its parts of up to 255 "
        "characters stand in it one after the other, each in quotation marks."
    )


def _quoted(key: DkimKey, name: str, texts: Sequence[str]) -> str:
    bare = (text.replace("\\", "").replace('"', "") for text in texts)
    if not any(published(text) == key.public_key for text in bare):
        return ""
    return f"The value of {name} has quotation marks or backslashes in it: enter it without them."


def _cut(key: DkimKey, name: str, texts: Sequence[str]) -> str:
    found = (published(text) for text in texts)
    if not any(len(part) >= SHORTEST and key.public_key.startswith(part) for part in found):
        return ""
    return (
        f"The value of {name} is cut off: enter all of its {len(keys.record_value(key))} characters. If the provider "
        "takes no more than 255 at once, split them into several parts of one record."
    )


def _folded(key: DkimKey, name: str, texts: Sequence[str]) -> str:
    if not any(published(text).lower() == key.public_key.lower() for text in texts):
        return ""
    return f"The value of {name} has lost its capital letters: enter it exactly as it is."


def _revoked(_key: DkimKey, name: str, texts: Sequence[str]) -> str:
    if not any(dict(_tags(text)).get("p") == "" for text in texts):
        return ""
    return f"The key in {name} is empty, which means that it was revoked: replace the value."


def _faults(record: str, key: DkimKey) -> Iterator[str]:
    """What makes receivers pass over a record with the right key (RFC 6376 section 3.6.1)."""
    tags = list(_tags(record))
    names = [name for name, _ in tags]
    said = dict(tags)
    if len(names) > len(said):
        yield "a tag stands there twice"
    if "v" in said and (names[0] != "v" or said["v"] != "DKIM1"):
        yield "the record must begin with v=DKIM1, in capital letters"
    if said.get("k", "rsa") != key.algorithm:
        yield f"k= must be {key.algorithm}"
    if "h" in said and "sha256" not in _listed(said["h"]):
        yield "h= leaves out sha256"
    if "s" in said and not {"*", "email"} & _listed(said["s"]):
        yield "s= leaves out email"


def _tags(record: str) -> Iterator[tuple[str, str]]:
    for tag in record.split(";"):
        name, _, value = tag.partition("=")
        if name.strip():
            yield name.strip(), value.strip()


def _listed(value: str) -> set[str]:
    return {word.strip() for word in value.split(":")}


def _squeezed(value: str) -> str:
    return "".join(value.split())
