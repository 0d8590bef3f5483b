"""A text that does not show itself."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Hidden in ``repr``, ``str``, formatting and pickles; ``reveal`` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('[hidden]')"

    def __str__(self) -> str:
        return "[hidden]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled")
