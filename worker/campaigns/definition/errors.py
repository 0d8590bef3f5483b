"""Mistakes in a campaign's definition, its recipients or the price file, and campaigns that are not there."""

from __future__ import annotations

from worker.telemetry.shown import shown


def lines(errors: dict[str, str]) -> str:
    """One line for each mistake, with its path in front."""
    return "\n".join(shown(f"{path}: {message}" if path else message) for path, message in errors.items())


class Mistakes(ValueError):
    """Raised with every mistake at once; ``errors`` is path -> message."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return lines(self.errors)


class CampaignError(Mistakes):
    """Raised for a definition, recipients or a price file that cannot be used."""


class BadCampaignId(CampaignError):
    """Raised for text that is not the id of a campaign."""

    def __init__(self) -> None:
        super().__init__({"campaign": "an id is c and 8 to 16 lower-case letters and digits"})


class PlanTaken(RuntimeError):
    """Raised when another process has taken over the planning, or the campaign is not being planned."""


class NoSuchCampaign(LookupError):
    """Raised for a campaign id that this Redis does not have."""
