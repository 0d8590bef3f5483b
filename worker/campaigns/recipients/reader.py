"""Checks each row of a source: it becomes a recipient, or is rejected with its line and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from schemas.nothing import says_nothing
from schemas.phone_text import Phones
from schemas.phones import BadPhone
from schemas.values import EMPTY
from worker.campaigns.definition.definition import Definition
from worker.campaigns.definition.values import problem

from .columns import Columns, match
from .phone_set import PhoneSet
from .rows import Raw, Recipient, Rejected, Source
from .zones import Zones

CHUNK = 1000
MOST_KEPT = 4096
OptedOut = Callable[[Sequence[str]], Sequence[bool]]


class Nothing:
    """Values that say nothing (``None``, ``#N/A``, ``????``), counted by column and kind, each with its first lines."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._lines: dict[tuple[str, str], list[str]] = {}

    def add(self, column: str, kind: str, line: int) -> None:
        self.counts[column, kind] += 1
        lines = self._lines.setdefault((column, kind), [])
        if len(lines) < 5:
            lines.append(str(line))

    def __str__(self) -> str:
        parts = []
        for (column, kind), number in self.counts.most_common(20):
            lines = self._lines[column, kind]
            more = ", ..." if number > len(lines) else ""
            parts.append(f"{number:,} {kind} in {column} (line {', '.join(lines)}{more})")
        return f"{self.counts.total():,} values say nothing: {'; '.join(parts)}"


class RecipientReader:
    """Checks one list's rows. ``rejected`` counts by kind; the numbers already seen are remembered.

    ``opted_out`` takes the digits of people and answers one bool for each.
    """

    def __init__(self, definition: Definition, source: Source, opted_out: OptedOut | None = None) -> None:
        self.source = source
        self.columns: Columns = match(source.columns(), definition, source.keeps)
        self.rejected: Counter[str] = Counter()
        self.nothing = Nothing()
        self._phones = Phones(
            definition.recipients.country_code, definition.recipients.check, full=self.columns.full
        )
        self._zones = Zones(definition.recipients.timezone)
        self._seen = PhoneSet()
        self._opted_out = opted_out
        self._has_code = bool(self.columns.country_code)
        self._has_zone = bool(self.columns.timezone)
        self._values_from = 1 + self._has_code + self._has_zone

    def __iter__(self) -> Iterator[Recipient | Rejected]:
        rows = self.source.rows(self.columns.wanted, self.columns.own)
        while chunk := [self._one(raw) for raw in islice(rows, CHUNK)]:
            for row in self._without_opted_out(chunk) if self._opted_out else chunk:
                if isinstance(row, Rejected):
                    self.rejected[row.kind] += 1
                yield row

    def _one(self, raw: Raw) -> Recipient | Rejected:
        if raw.problem:
            return Rejected(raw.line, "unreadable", raw.problem)
        phone = raw.values[0]
        try:
            digits = self._phones.read(phone, raw.values[1].strip() if self._has_code else "")
        except BadPhone as error:
            return Rejected(raw.line, "phone", str(error), phone)
        values = tuple(map(str.strip, raw.values[self._values_from :]))
        nothing: tuple[tuple[str, str], ...] = ()
        for name, value in zip(self.columns.values, values, strict=True):
            if why := problem(value):
                return Rejected(raw.line, "missing" if why == EMPTY else "forbidden", f"{name}: {why}", phone)
            if kind := says_nothing(value):
                nothing = (*nothing, (name, kind))
        zone = raw.values[self._values_from - 1].strip() if self._has_zone else ""
        if zone and not (zone := self._zones.named(zone)):
            return Rejected(raw.line, "timezone", "no such time zone", phone)
        if not self._seen.add(digits):
            return Rejected(raw.line, "duplicate", "the same number as in an earlier row", phone)
        for name, kind in nothing:
            self.nothing.add(name, kind, raw.line)
        own = tuple([cell[:MOST_KEPT] for cell in raw.own]) if raw.own else ()
        return Recipient(raw.line, digits, values, zone or self._zones.of(digits), own)

    def _without_opted_out(self, chunk: list[Recipient | Rejected]) -> Iterator[Recipient | Rejected]:
        assert self._opted_out is not None
        people = [row for row in chunk if isinstance(row, Recipient)]
        answers = self._opted_out([row.digits for row in people]) if people else ()
        out = {row.line for row, gone in zip(people, answers, strict=True) if gone}
        for row in chunk:
            if isinstance(row, Recipient) and row.line in out:
                yield Rejected(row.line, "opted_out", "has opted out", row.digits)
            else:
                yield row
