"""Opening a file of unknown encoding, in constant memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

MOST_LINE = 1_048_576
TOO_LONG = "\x00too long\n"
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(path: Path) -> str:
    """The encoding a spreadsheet has written: by its mark; else UTF-16 by its zero bytes; else UTF-8; else Windows-1252.

    The whole file is looked at once, about a second per gigabyte. One that is UTF-8 but for some damaged
    bytes stays UTF-8: the damaged rows are rejected, and the others keep their letters.
    """
    good = bad = 0
    with path.open("rb") as file:
        start = file.read(4096)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        first, second = start[::2].count(0), start[1::2].count(0)
        if max(first, second) > len(start) / 8 and min(first, second) < max(first, second) / 8:
            return "utf-16-le" if second > first else "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := file.read(_CHUNK):
            if chunk.isascii() and decoder.getstate() == (b"", 0):
                continue
            text = decoder.decode(chunk)
            wrong = text.count("\ufffd")
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
    return "cp1252" if bad > good else "utf-8"


@contextmanager
def open_text(path: Path | str, encoding: str = "") -> Iterator[TextIO]:
    """The file as text, line ends untouched; what cannot be read becomes U+FFFD. Raises ``OSError``."""
    path = Path(path)
    with path.open("r", encoding=encoding or encoding_of(path), errors="replace", newline="") as file:
        yield file


def lines(file: TextIO) -> Iterator[str]:
    """The lines; one longer than ``MOST_LINE`` characters comes as ``TOO_LONG``, so memory stays bounded."""
    while line := file.readline(MOST_LINE):
        if len(line) == MOST_LINE and line[-1] not in "\r\n":
            while (rest := file.readline(MOST_LINE)) and rest[-1] not in "\r\n":
                pass
            line = TOO_LONG
        yield line
