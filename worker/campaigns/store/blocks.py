"""Recipients as Redis keeps them: blocks of up to 1,000, compressed, all of one time zone.

A block is zlib over UTF-8 lines: ``1``, the zone, how many, then column by column the steps between line
numbers, the digits, and each column of values. Similar texts stand together, so that a phone, a name and a
short code need about 18 bytes. Values have no line ends (values.py refuses them).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import accumulate, pairwise

from worker.campaigns.recipients.rows import Recipient

SIZE = 1000
_VERSION = "1"
_MOST_BYTES = 64 * 1024 * 1024


def pack(people: Sequence[Recipient]) -> bytes:
    """One block of at least one recipient; all have the same zone and number of values."""
    lines = [person.line for person in people]
    steps = [lines[0], *(later - earlier for earlier, later in pairwise(lines))]
    columns = zip(*(person.values for person in people), strict=True)
    rows = [
        _VERSION,
        people[0].zone,
        str(len(people)),
        *map(str, steps),
        *(person.digits for person in people),
        *(value for column in columns for value in column),
    ]
    return zlib.compress("\n".join(rows).encode(), 6)


def pack_own(people: Sequence[Recipient]) -> bytes:
    """The rows' own further columns of a block, compressed column by column; empty when there are none."""
    columns = list(zip(*(person.own for person in people), strict=True))
    return (
        zlib.compress(json.dumps(columns, ensure_ascii=False).encode("utf-8", "replace"), 6)
        if columns
        else b""
    )


def unpack_own(blob: bytes) -> list[tuple[str, ...]]:
    """A row's own columns for each recipient of a block."""
    return list(zip(*json.loads(zlib.decompress(blob)), strict=True))


def unpack(blob: bytes) -> list[Recipient]:
    """The recipients of a block; raises ``ValueError`` for anything that ``pack`` has not made."""
    opener = zlib.decompressobj()
    try:
        text = opener.decompress(blob, _MOST_BYTES).decode()
    except zlib.error as error:
        raise ValueError("not a block of recipients") from error
    version, zone, count, *rest = text.split("\n")
    size = int(count)
    if version != _VERSION or size < 1 or len(rest) < 2 * size or len(rest) % size or opener.unconsumed_tail:
        raise ValueError("not a block of recipients")
    lines = accumulate(map(int, rest[:size]))
    digits = rest[size : 2 * size]
    columns = [rest[at : at + size] for at in range(2 * size, len(rest), size)]
    values = zip(*columns, strict=True) if columns else iter([()] * size)
    return [Recipient(*row, zone) for row in zip(lines, digits, values, strict=True)]
