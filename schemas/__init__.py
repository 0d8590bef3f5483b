"""The shapes of what is sent to Interakt and of what it tells us; importing this loads neither marshmallow nor data."""

from .invalid import Invalid
from .nothing import says_nothing
from .registry import OPERATIONS, check, complete
from .values import check_recipient, check_values

__all__ = ["OPERATIONS", "Invalid", "check", "check_recipient", "check_values", "complete", "says_nothing"]
