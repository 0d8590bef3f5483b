"""What WhatsApp's failure codes mean, as ``failure_codes.toml`` has it: for people, and for what is worth sending again."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class FailureCode:
    """``reason`` is what happened, ``action`` what to do; ``transient``: the same message may go through later."""

    code: str
    title: str
    reason: str
    action: str
    transient: bool
    source: str


@lru_cache(1)
def _table() -> dict[str, FailureCode]:
    raw = tomllib.loads(
        resources.files(__package__).joinpath("failure_codes.toml").read_text(encoding="utf-8")
    )
    sources: dict[str, str] = raw["sources"]
    return {
        code: FailureCode(code=code, **{**row, "source": sources[row["source"]]})
        for code, row in raw["codes"].items()
    }


def codes() -> list[str]:
    """Every code that is known."""
    return list(_table())


def explain(code: str | int | None) -> FailureCode:
    """The meaning of a code; one that is not known says so."""
    text = str(code if code is not None else "").strip()
    found = _table().get(text)
    if found is not None:
        return found
    return FailureCode(
        code=text[:20],
        title="Unknown code" if text else "No code",
        reason="WhatsApp did not deliver the message and gave no reason that this version knows.",
        action="Read the text of the receipt, and look the code up in Meta's list of error codes.",
        transient=False,
        source=_table()["131000"].source,
    )
