"""Users and events (document 1.1 and 1.2)."""

from __future__ import annotations

from .address import Recipient
from .base import Many
from .fields import Flag, Moment, Text, Traits


class User(Recipient):
    traits = Traits(flat=True)
    tags = Many(Text())
    add_to_sales_cycle = Flag()
    createdAt = Moment()

    user_id_is_enough = True


class Event(Recipient):
    event = Text(required=True)
    traits = Traits()
    createdAt = Moment()

    user_id_is_enough = True
