"""What a person's message asks of the opt-out list: the one question that a STOP and a START answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Literal

from config.settings import Settings
from schemas.event import Event

MOST_CHARACTERS = 200
_POLITE = """please pls plz kindly thank thanks thankyou thx you u now ok okay sir madam no me immediately
    कृपया धन्यवाद शुक्रिया जी por favor gracias obrigado obrigada tolong terima kasih"""
COURTESY = frozenset(_POLITE.split())


class Keywords:
    """The words of the settings, as they are compared."""

    def __init__(self, settings: Settings) -> None:
        self._texts = _compared(settings.stop_words), _compared(settings.start_words)
        self._buttons = _compared(settings.stop_buttons), _compared(settings.start_buttons)

    def asks(self, event: Event) -> Literal["stop", "start", ""]:
        """``stop``, ``start`` or neither.

        Text counts when it is a keyword, said once or more, and courtesy. A tapped button has the business's own words on
        it, so its title and id are compared with the settings' buttons alone.
        """
        tapped = event.button
        said = (tapped.text, tapped.id) if tapped else (event.text,)
        stop, start = self._buttons if tapped else self._texts
        if any(_is_heard(text, stop) for text in said):
            return "stop"
        return "start" if any(_is_heard(text, start) for text in said) else ""


def words_of(text: str) -> list[str]:
    """The words of a text, case folded: letters, their marks, and numbers; everything else parts words or is not seen."""
    kept = []
    for one in unicodedata.normalize("NFKC", text[: MOST_CHARACTERS + 1]).casefold():
        if (kind := unicodedata.category(one)) == "Cf" or "\ufe00" <= one <= "\ufe0f":
            continue
        kept.append(one if kind[0] in "LMN" else " ")
    return "".join(kept).split()


def _compared(words: Iterable[str]) -> frozenset[str]:
    return frozenset("".join(words_of(word)) for word in words) - {""}


def _is_heard(text: str, keywords: frozenset[str]) -> bool:
    if len(text) > MOST_CHARACTERS:
        return False
    words = words_of(text)
    plain = [word for word in words if word not in COURTESY]
    return any(
        "".join(said) in keywords or (bool(said) and keywords.issuperset(said)) for said in (words, plain)
    )
