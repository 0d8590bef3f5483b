"""What can be wrong with a schedule that somebody asks for."""

from __future__ import annotations

from worker.campaigns.definition.errors import Mistakes


class ScheduleError(Mistakes):
    """Raised for fields that make no schedule."""


class NoSuchSchedule(LookupError):
    """Raised for a name that no schedule has."""


class Refused(ValueError):
    """Raised for what cannot be done with a schedule as it is."""
