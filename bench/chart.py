"""Bar charts as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, LABEL, VALUE, ROW, TOP = 760, 250, 80, 26, 44
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.bar { fill: #8c959f } .own { fill: #1a7f37 } .spread { stroke: #24292f; stroke-width: 1.2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #6e7681 } .own { fill: #3fb950 } .spread { stroke: #e6edf3 }
}
"""


class Bar(NamedTuple):
    """One bar: its median with the lowest and highest round; ``own`` is drawn in another colour."""

    label: str
    value: float
    low: float
    high: float
    own: bool = False


def bars(title: str, rows: Sequence[Bar], decimals: int = 0) -> str:
    """A whole SVG file: one horizontal bar for each row, its value beside it, its spread across its end."""
    most = max((bar.high for bar in rows), default=0.0) or 1.0
    room = WIDTH - LABEL - VALUE
    height = TOP + ROW * len(rows) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
    ]
    for index, bar in enumerate(rows):
        y = TOP + ROW * index
        long, low, high = (room * value / most for value in (bar.value, bar.low, bar.high))
        middle = y + 9
        parts.append(
            f'<text x="{LABEL - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>'
            f'<rect class="{"own" if bar.own else "bar"}" x="{LABEL}" y="{y}" '
            f'width="{max(long, 1):.1f}" height="18" rx="2"/>'
        )
        if bar.high > bar.low:
            parts.append(
                f'<path class="spread" d="M{LABEL + low:.1f} {middle}H{LABEL + high:.1f}'
                f'M{LABEL + low:.1f} {middle - 4}v8M{LABEL + high:.1f} {middle - 4}v8"/>'
            )
        end = LABEL + max(long, high) + 6
        parts.append(f'<text x="{end:.1f}" y="{y + 14}">{bar.value:,.{decimals}f}</text>')
    return "\n".join([*parts, "</svg>", ""])
