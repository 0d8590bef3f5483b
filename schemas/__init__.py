"""The shapes of what is sent to Interakt and of what comes back; importing this loads neither marshmallow nor data."""

from .nothing import says_nothing
from .registry import OPERATIONS, check, complete
from .words import Invalid

__all__ = ["OPERATIONS", "Invalid", "check", "complete", "says_nothing"]
