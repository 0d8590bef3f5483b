"""The result of preflight, as JSON and as text for a terminal."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from worker.telemetry.shown import shown

from .prices import Cost


@dataclass
class Report:
    """``problems`` refuse the campaign, ``warnings`` do not; ``unsent``: left out by end or windows."""

    name: str
    template: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    category: str = ""
    messages: int = 0
    calls: int = 0
    calls_per_minute: float = 0
    rejected: dict[str, int] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    start: datetime | None = None
    finish: datetime | None = None
    unsent: int = 0
    previews: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def totals(self) -> dict[str, Decimal]:
        """The estimate by currency."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for cost in self.costs:
            if cost.amount is not None:
                sums[cost.currency] += cost.amount
        return dict(sums)

    def as_json(self) -> str:
        """One JSON object; times are ISO 8601 in UTC, amounts texts. It holds phone numbers."""
        whole = {"ok": self.ok, **asdict(self), "totals": self.totals}
        return json.dumps(whole, ensure_ascii=False, default=str)

    def text(self) -> str:
        """For a terminal."""
        lines = [f"Campaign {self.name}: template {self.template}, {self.category}"]
        lines += [f"  REFUSED  {problem}" for problem in self.problems]
        lines += [f"  warning  {warning}" for warning in self.warnings]
        left_out = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.rejected.items()))
        lines.append(f"Messages   {self.messages:,}" + (f"; left out: {left_out}" if left_out else ""))
        lines.append(f"Calls      {self.calls:,} at {self.calls_per_minute:g} a minute")
        if self.start and self.finish:
            lines.append(f"Time       {self.start:%Y-%m-%d %H:%M} to {self.finish:%Y-%m-%d %H:%M} UTC")
        lines.append("Cost       estimated from the price file, whose figures are yours to set:")
        for cost in self.costs[:20]:
            amount = "no price" if cost.amount is None else f"{cost.amount:,.2f} {cost.currency}"
            lines.append(f"           {cost.country}, {cost.category}: {cost.messages:,} messages, {amount}")
        if len(self.costs) > 20:
            lines.append(f"           and {len(self.costs) - 20} more countries")
        if len(self.costs) > 1:
            sums = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in self.totals.items())
            lines.append(f"           in all {sums}")
        for number, preview in enumerate(self.previews, 1):
            lines.append(f"Preview {number}  line {preview['line']}")
            lines += [f"           {line}" for line in preview["text"].split("\n")]
        return "\n".join(map(shown, lines))
