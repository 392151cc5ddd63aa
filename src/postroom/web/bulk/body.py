"""The objects of a batch, packed in groups that are read one by one. Everything heavy happens in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

from postroom.runtime.blobs import Blobs, BlobWriter
from postroom.store.bulk_emails import BulkGroup
from postroom.web.api.body import AT_ONCE, off_loop
from postroom.wire.json import decode, decode_large
from postroom.wire.json.encode import pieces

GROUP_OBJECTS = 50
"""As many objects are under way at once."""
GROUP_OCTETS = 256 * 1024
"""Of JSON; the object that goes beyond is the last of its group."""
TURN = 256 * 1024
"""Compressed octets that one turn in a thread makes, or a little more."""
_STEP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """A group: `count` objects from the position `first` on, `octets` from `offset` on."""

    first: int
    count: int
    offset: int
    octets: int


@dataclass(frozen=True, slots=True)
class Packed:
    """`data` has everything, or it lies in the blob store under `blob`."""

    spans: Sequence[Span]
    data: bytes
    blob: str

    def groups(self, account_id: str, bulk_id: str) -> list[BulkGroup]:
        return [
            BulkGroup(account_id, bulk_id, number, span.first, span.offset, span.octets, self._body(span))
            for number, span in enumerate(self.spans)
        ]

    def _body(self, span: Span) -> bytes | None:
        return None if self.blob else self.data[span.offset : span.offset + span.octets]


async def pack(objects: Sequence[Any], blobs: Blobs, above: int) -> Packed:
    """The decoded objects, packed. What is larger than `above` octets is on stable storage when this returns.

    Raises StorageUnavailableError.
    """
    made, spans, held = _pack(objects), list[Span](), list[bytes]()
    writer: BlobWriter | None = None
    try:
        while turn := await off_loop(_turn, made):
            spans += [piece for piece in turn if isinstance(piece, Span)]
            held += [piece for piece in turn if isinstance(piece, bytes)]
            if writer is None and sum(map(len, held)) > above:
                writer = blobs.writer()
            if writer is not None:
                for piece in held:
                    await writer.write(piece)
                held.clear()
        blob = "" if writer is None else await writer.commit()
    except BaseException:
        if writer is not None:
            await writer.abort()
        raise
    return Packed(spans, b"".join(held), blob)


async def unpack(group: BulkGroup, blob: str, blobs: Blobs) -> list[Any]:
    """The objects of one group. Raises StorageUnavailableError."""
    raw = group.body if group.body is not None else await asyncio.to_thread(_read, group, blob, blobs)
    objects: list[Any] = await off_loop(_decode, raw)
    return objects


def _pack(objects: Sequence[Any]) -> Iterator[bytes | Span]:
    """Octets as they come, and behind those of each group its span."""
    first = offset = 0
    while first < len(objects):
        compressor = zstandard.ZstdCompressor(level=1).compressobj()
        count = size = octets = 0
        while first + count < len(objects) and count < GROUP_OBJECTS and size < GROUP_OCTETS:
            for step in _steps("," if count else "[", objects[first + count]):
                size += len(step)
                compressed = compressor.compress(step)
                octets += len(compressed)
                yield compressed
            count += 1
        end = compressor.compress(b"]") + compressor.flush()
        octets += len(end)
        yield end
        yield Span(first, count, offset, octets)
        first, offset = first + count, offset + octets


def _steps(before: str, value: Any) -> Iterator[bytes]:
    """The pieces of its JSON, small ones joined."""
    gathered, size = [before], 0
    for piece in pieces(value):
        gathered.append(piece)
        size += len(piece)
        if size >= _STEP:
            yield "".join(gathered).encode()
            gathered, size = [], 0
    yield "".join(gathered).encode()


def _turn(made: Iterator[bytes | Span]) -> list[bytes | Span]:
    """The next octets and spans, about `TURN` octets; nothing at the end."""
    taken: list[bytes | Span] = []
    size = 0
    for piece in made:
        taken.append(piece)
        size += len(piece) if isinstance(piece, bytes) else 0
        if size >= TURN:
            break
    return taken


def _read(group: BulkGroup, blob: str, blobs: Blobs) -> bytes:
    with blobs.open(blob, group.offset) as file:
        return file.read(group.octets)


def _decode(raw: bytes) -> Any:
    text = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    return decode(text) if len(text) <= AT_ONCE else decode_large(text)
