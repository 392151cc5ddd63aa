"""The DKIM signer (RFC 6376, RFC 8463): relaxed/relaxed, over header fields as they lie in the message.

`BodyHash` takes the body once, in chunks; `sign` makes the DKIM-Signature field from the fields and that hash, so one
hash serves several signatures. There is never an `l=` (K01), and the fields in OVERSIGNED are listed once more than they
are there, so nobody can add another one to a signed message (K02).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from postroom.wire.mime.header import Field

OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"in-reply-to",
    b"references",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-id",
    b"feedback-id",
)
"""Signed as often as they are there and once more: adding one breaks the signature."""

SIGNED = (
    b"sender",
    b"resent-date",
    b"resent-from",
    b"resent-sender",
    b"resent-to",
    b"resent-cc",
    b"resent-message-id",
    b"list-help",
    b"list-subscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
)
"""Signed as often as they are there: who resends a message or runs a list may add them."""

_SIGNABLE = frozenset(OVERSIGNED + SIGNED)

_LINE = 76  # columns of our own field
_FOLD = b"\r\n\t"
_WHITE = b" \t\r\n"

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and where its public half is published: `selector._domainkey.domain`, in ASCII form."""

    domain: str
    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> bytes:
        return b"rsa-sha256" if isinstance(self.private, RSAPrivateKey) else b"ed25519-sha256"

    def signature(self, data: bytes) -> bytes:
        """The bare signature. Ed25519 signs the SHA-256 hash of the data (RFC 8463 section 3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(sha256(data).digest())


class BodyHash:
    """SHA-256 of the relaxed form of a body (RFC 6376 section 3.4.4). Lines must end in CRLF, without bare CR or LF.

    Chunks may end anywhere. White space at the end of what came so far waits, counted and not kept: it is dropped if
    nothing follows.
    """

    __slots__ = ("_hash", "_line_ends", "_started", "_tail")

    def __init__(self) -> None:
        self._hash = sha256()
        self._started = False
        self._line_ends = 0
        self._tail = b""  # white space of the unfinished line, or half a CRLF

    def update(self, chunk: bytes) -> None:
        data = self._tail + chunk
        text = data.rstrip(_WHITE)
        if text:
            self._hash.update(b"\r\n" * self._line_ends)
            self._hash.update(_relax(text))
            self._started = True
            self._line_ends = 0
        waiting = data[len(text) :]
        self._line_ends += waiting.count(b"\n")
        tail = waiting[waiting.rfind(b"\n") + 1 :]
        self._tail = (b" " if tail.rstrip(b"\r") else b"") + (b"\r" if tail.endswith(b"\r") else b"")

    def digest(self) -> bytes:
        """32 octets. Call it once, at the end."""
        if self._started:
            self._hash.update(b"\r\n")
        return self._hash.digest()


def body_hash(chunks: Iterable[bytes]) -> bytes:
    """The digest of a whole body."""
    whole = BodyHash()
    for chunk in chunks:
        whole.update(chunk)
    return whole.digest()


def relaxed_field(field: Field) -> bytes:
    """One header field in relaxed form, CRLF included (RFC 6376 section 3.4.2)."""
    return field.key + b":" + _collapse(field.value.replace(b"\r\n", b"")).strip(b" ") + b"\r\n"


def signed_names(fields: Sequence[Field]) -> list[bytes]:
    """The `h=` list: each name as often as it is signed."""
    return list(_name_list(_signable(fields)).names)


class _NameList(NamedTuple):
    """An `h=` list, and the tag as it is written."""

    names: tuple[bytes, ...]
    tag: bytes


def _signable(fields: Sequence[Field]) -> tuple[bytes, ...]:
    return tuple([field.key for field in fields if field.key in _SIGNABLE])


@lru_cache(maxsize=64)
def _name_list(keys: tuple[bytes, ...]) -> _NameList:
    """For fields with these names: messages of one program mostly have the same."""
    names: list[bytes] = []
    for name in OVERSIGNED:
        names += [name] * (keys.count(name) + 1)
    for name in SIGNED:
        names += [name] * keys.count(name)
    return _NameList(tuple(names), _fold_names(names))


def signing_input(fields: Sequence[Field], names: Sequence[bytes], unsigned: Field) -> bytes:
    """What the signature is over (RFC 6376 section 3.7).

    `names` is the h= list: of fields with one name the last one is taken first, a name too many stands for nothing.
    `unsigned` is the signature field itself, with an empty b= at its end.
    """
    remaining: dict[bytes, list[Field]] = {}
    for field in fields:
        remaining.setdefault(field.key, []).append(field)
    signed = [relaxed_field(remaining[name].pop()) for name in names if remaining.get(name)]
    return b"".join(signed) + relaxed_field(unsigned)[:-2]


def sign(fields: Sequence[Field], body_digest: bytes, key: SigningKey, *, at: int, expires: int) -> bytes:
    """The DKIM-Signature field, folded, CRLF included, to be put before `fields`. Times are seconds since 1970."""
    names, names_tag = _name_list(_signable(fields))
    tags = (
        b"DKIM-Signature: v=1; a=%b; c=relaxed/relaxed;" % key.algorithm,
        b"d=%b; s=%b;" % (key.domain.encode("ascii"), key.selector.encode("ascii")),
        b"t=%d; x=%d;" % (at, expires),
        names_tag,
        b"bh=%b;" % b64encode(body_digest),
        b"b=",
    )
    unsigned = _FOLD.join(tags)
    field = Field(b"dkim-signature", unsigned + b"\r\n")
    signature = b64encode(key.signature(signing_input(fields, names, field)))
    return unsigned + _fold_base64(signature) + b"\r\n"


def _relax(text: bytes) -> bytes:
    """White space within lines to one space, at line ends to none. `text` ends in neither."""
    if b" " not in text and b"\t" not in text:
        return text  # base64; to look for one octet costs nearly nothing, for several a pass each
    return _collapse(text).replace(b" \r\n", b"\r\n")


def _collapse(text: bytes) -> bytes:
    """Runs of spaces and tabs to one space. Each pass halves the runs, so a long one costs no more than many short."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _fold_names(names: Sequence[bytes]) -> bytes:
    """`h=` in lines of at most _LINE columns; white space around the colons is no part of the names."""
    lines = [b"h=" + names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(name) + 2 >= _LINE - 8:
            lines[-1] += b":"
            lines.append(name)
        else:
            lines[-1] += b":" + name
    return _FOLD.join(lines) + b";"


def _fold_base64(text: bytes) -> bytes:
    """The value of `b=` in lines of at most _LINE columns, the first of which has its tag."""
    width = _LINE - 8 - 2  # a tab counts for eight
    return _FOLD.join([text[at : at + width] for at in range(0, len(text), width)])
