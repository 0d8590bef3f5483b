"""What a message costs by country and category, from a file that its user keeps (config/prices.csv)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from worker.campaigns.definition.errors import CampaignError

DEFAULT = Path(__file__).resolve().parents[3] / "config" / "prices.csv"
_COLUMNS = {"country_code", "country", "category", "price", "currency"}
_CATEGORIES = ("marketing", "utility", "authentication")


@dataclass(frozen=True, slots=True)
class Price:
    """One line of the file."""

    country: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one country's messages cost; ``amount`` is None where the file has no price."""

    country_code: str
    country: str
    category: str
    messages: int
    amount: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by calling code (``*`` is any other) and category."""

    rows: dict[tuple[str, str], Price]

    def of(self, country_code: str, category: str) -> Price | None:
        """The price of one message; None when the file has none."""
        return self.rows.get((country_code, category)) or self.rows.get(("*", category))

    def estimate(self, countries: Mapping[str, int], category: str) -> list[Cost]:
        """One line per country, the most messages first."""
        costs = []
        for code, messages in sorted(countries.items(), key=lambda item: -item[1]):
            price = self.of(code, category)
            amount = price.amount * messages if price else None
            own = self.rows.get((code, category))
            country = own.country if own else f"+{code}"
            costs.append(Cost(code, country, category, messages, amount, price.currency if price else ""))
        return costs


def load(path: Path | str = DEFAULT) -> Prices:
    """Read a price file; ``#`` begins a comment. Raises ``CampaignError`` with every mistake."""
    errors: dict[str, str] = {}
    rows: dict[tuple[str, str], Price] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        kept = [(at, line) for at, line in enumerate(file, 1) if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(line for _, line in kept)
    if set(reader.fieldnames or ()) != _COLUMNS:
        raise CampaignError({"prices": f"the columns must be {', '.join(sorted(_COLUMNS))}"})
    for (at, _), row in zip(kept[1:], reader, strict=False):
        cells = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        code, category = cells["country_code"].lstrip("+"), cells["category"].lower()
        try:
            amount = Decimal(cells["price"])
        except InvalidOperation:
            amount = Decimal(-1)
        if not (amount.is_finite() and amount >= 0):
            errors[f"prices line {at}"] = "the price must be a number, such as 0.90"
        elif not re.fullmatch(r"\*|[1-9]\d{0,2}", code):
            errors[f"prices line {at}"] = "the country code must look like 91, or be *"
        elif category not in _CATEGORIES:
            errors[f"prices line {at}"] = f"the category must be one of {', '.join(_CATEGORIES)}"
        elif (code, category) in rows:
            errors[f"prices line {at}"] = "this country and category came before"
        else:
            rows[code, category] = Price(cells["country"], amount, cells["currency"])
    if errors:
        raise CampaignError(errors)
    return Prices(rows)
