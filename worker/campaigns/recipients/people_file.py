"""A file of phone numbers, for the opt-out list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from schemas.phone_text import Phones
from schemas.phones import BadPhone
from worker.campaigns.definition.errors import CampaignError

from .columns import phone_columns
from .rows import Rejected
from .sources import open_source


class PeopleFile:
    """The phone's column is found by its heading as a campaign's is; a file of one column needs none.

    Raises ``CampaignError`` and ``OSError``.
    """

    def __init__(
        self, path: Path | str, country_code: str = "+91", column: str = "", delimiter: str = ""
    ) -> None:
        self.source = open_source(path, delimiter=delimiter, lone=column or "phone")
        phone, code, full = phone_columns(self.source.columns(), column)
        self._wanted = [phone, code] if code else [phone]
        self._phones = Phones(country_code, check="possible", full=full)

    def people(self, reject: Callable[[Rejected], None] = lambda row: None) -> Iterator[str]:
        """The digits of each row; ``reject`` is called with each row that has none."""
        for raw in self.source.rows(self._wanted):
            if raw.problem:
                reject(Rejected(raw.line, "unreadable", raw.problem))
                continue
            cell, *code = raw.values
            try:
                yield self._phones.read(cell, *(part.strip() for part in code))
            except BadPhone as error:
                reject(Rejected(raw.line, "phone", str(error), cell))

    def check(self, reject: Callable[[Rejected], None]) -> Counter[str]:
        """Read it all once: how many rows are rejected, by reason. Raises unless half of the rows are people at least."""
        reasons: Counter[str] = Counter()

        def count(row: Rejected) -> None:
            reasons[row.reason] += 1
            reject(row)

        number = sum(1 for _ in self.people(count))
        if number <= reasons.total():
            why = "; ".join(f"{times:,} {reason}" for reason, times in reasons.most_common(5)) or "no rows"
            rows, column = number + reasons.total(), self._wanted[0]
            raise CampaignError(
                {
                    "": f"{number:,} of {rows:,} rows have a number under {column!r}, so nobody was added: {why}"
                }
            )
        return reasons
