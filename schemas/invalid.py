"""The one error of this package."""

from __future__ import annotations


class Invalid(ValueError):
    """Raised when a payload is refused; ``errors`` maps each path to what was wrong and what is allowed.

    No text in it repeats a value of the payload: it goes to dead letters and logs.
    """

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join(f"{path}: {what}" for path, what in self.errors.items())
